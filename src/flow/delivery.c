#include "flow/delivery.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/lane.h"
#include "flow/pace.h"

enum { KEEP_MAX = 2048 };

static const char *const names[] = {
#define STATE(ident, name, help) name,
#include "tbl/delivery_states.h"
#undef STATE
};

static const unsigned may_enter[] = {
	[DELIVERY_RECEIVED] = BIT(DELIVERY_ADMITTING) | BIT(DELIVERY_CONCLUDING),	/* refused: nothing to settle */
	[DELIVERY_ADMITTING] = BIT(DELIVERY_RECEIVED) | BIT(DELIVERY_SENDING) | BIT(DELIVERY_CONCLUDING),
	[DELIVERY_SENDING] = BIT(DELIVERY_SETTLING),
	[DELIVERY_SETTLING] = BIT(DELIVERY_CONCLUDING) | BIT(DELIVERY_RECEIVED),	/* lease lost: ask again */
	[DELIVERY_CONCLUDING] = BIT(DELIVERY_DONE),
	[DELIVERY_DONE] = 0,
};

static const bool is_active[] = {
	[DELIVERY_ADMITTING] = true, [DELIVERY_SENDING] = true, [DELIVERY_SETTLING] = true, [DELIVERY_DONE] = false,
};

const char *delivery_state_name(enum delivery_state s)
{
	return names[s];
}

void delivery_enter(struct delivery *d, enum delivery_state next)
{
	if (!(may_enter[d->state] & BIT(next)))
		BUG(DELIVERY_FMT ": %s -> %s", DELIVERY_ARGS(d), names[d->state], names[next]);
	d->s->n_active += is_active[next] - is_active[d->state];
	if (d->pace && is_active[next] != is_active[d->state])
		pace_active(d->pace, is_active[next] ? 1 : -1);
	/* A copy into a lane is no reason to stop: it is how a flood makes room for others. */
	d->s->n_concluding += (next == DELIVERY_CONCLUDING && !d->to_lane) - (d->state == DELIVERY_CONCLUDING && !d->to_lane);
	d->state = next;
}

static struct delivery *take_spare(struct sender *s)
{
	struct delivery *d;

	if (list_is_empty(&s->spare)) {
		d = mem_alloc(sizeof(*d));
		strbuf_init(&d->body);
		strbuf_init(&d->texts);
		strbuf_init(&d->post);
		strbuf_init(&d->error);
		strbuf_init(&d->history);
		strbuf_init(&d->files);
		list_init(&d->all);
		return d;
	}
	return CONTAINER_OF(list_pop(&s->spare), struct delivery, all);
}

/* Copies a text into texts; the caller reserved the room, so earlier pointers stay good. */
static struct broker_text keep(struct strbuf *texts, struct broker_text t)
{
	const char *at = texts->buf + texts->len;

	if (!t.p)
		return t;
	strbuf_add(texts, t.p, t.len);
	strbuf_addc(texts, 0);
	return (struct broker_text){ at, t.len };
}

/* What is kept of a producer's headers: a copy with ours added must still fit a frame, or it could never be published. */
enum { HEADERS_BYTES_MAX = 32 << 10 };

static void keep_properties(struct delivery *d, const struct broker_properties *in)
{
	size_t kept = 0, need = in->content_type.len + in->correlation_id.len + in->message_id.len + in->type.len + in->app_id.len + 8;

	for (int i = 0; i < in->n_headers; i++)
		need += in->headers[i].name.len + in->headers[i].value.len + 2;
	strbuf_reserve(&d->texts, need);
	d->props = (struct broker_properties){ .priority = in->priority, .timestamp_s = in->timestamp_s, .persistent = true };
	d->props.content_type = keep(&d->texts, in->content_type);
	d->props.correlation_id = keep(&d->texts, in->correlation_id);
	d->props.message_id = keep(&d->texts, in->message_id);
	d->props.type = keep(&d->texts, in->type);
	d->props.app_id = keep(&d->texts, in->app_id);
	/* user_id is left out: the broker accepts only the connection's own. */
	for (int i = 0; i < in->n_headers && d->props.n_headers < BROKER_HEADERS_MAX; i++) {
		kept += in->headers[i].name.len + in->headers[i].value.len;
		if (kept > HEADERS_BYTES_MAX)
			break;
		d->props.headers[d->props.n_headers++] = (struct broker_header){
			keep(&d->texts, in->headers[i].name), keep(&d->texts, in->headers[i].value) };
	}
}

struct delivery *delivery_new(struct sender *s, const struct broker_delivery *in, const char *queue_name, struct lane *l)
{
	struct delivery *d = take_spare(s);
	struct strbuf body = d->body, texts = d->texts, post = d->post, error = d->error, history = d->history, files = d->files;

	*d = (struct delivery){ .s = s, .from = l ? lane_broker(l) : s->in, .lane = l, .tag = in->tag, .redelivered = in->redelivered, .queue_name = queue_name,
				.serial = ++s->serial,
				.body = body, .texts = texts, .post = post, .error = error, .history = history, .files = files };
	list_init(&d->queue);
	list_init(&d->all);
	list_init(&d->asked.list);
	list_init(&d->file.list);
	list_add_tail(&s->deliveries, &d->all);
	d->since = loop_now(s->loop);
	if (in->body)
		strbuf_add(&d->body, in->body, in->len);
	else if (in->len)
		d->real_len = in->len;
	keep_properties(d, &in->props);
	for (int i = 0; i < DELIVERY_PUBLISHES; i++)
		d->pubs[i].d = d;
	s->n_deliveries++;
	if (l)
		lane_took(l);
	return d;
}

/* Where much stood, nothing stays: or a window that was full of large messages once would hold their memory for ever. */
static void empty(struct strbuf *sb)
{
	if (sb->size > KEEP_MAX)
		strbuf_release(sb);
	else
		strbuf_reset(sb);
}

static void empty_all(struct delivery *d)
{
	empty(&d->body);
	empty(&d->texts);
	strbuf_release(&d->post);
	strbuf_release(&d->error);
	strbuf_release(&d->history);
	strbuf_release(&d->files);
}

static void forget(struct delivery *d)
{
	struct sender *s = d->s;

	if (d->is_ready)
		pace_remove(d->pace, d);
	s->n_waiting -= d->is_waiting;
	list_del(&d->queue);
	list_del(&d->asked.list);
	list_del(&d->file.list);
	list_del(&d->all);
	message_release(&d->m);
	empty_all(d);
	s->n_deliveries--;
	list_add_head(&s->spare, &d->all);
	if (d->lane)
		lane_finished(d->lane);
}

void delivery_queue(struct list *all, struct delivery *d)
{
	struct list *before = all->prev;

	while (before != all && CONTAINER_OF(before, struct delivery, queue)->serial > d->serial)
		before = before->prev;
	list_add_head(before, &d->queue);
}

void delivery_give_back_pass(struct delivery *d)
{
	if (d->has_pass)
		host_give_back(&d->s->board->host, d->pass);
	d->has_pass = false;
}

void delivery_drop(struct delivery *d, bool nack)
{
	if (d->state != DELIVERY_RECEIVED)
		BUG(DELIVERY_FMT ": dropped while %s", DELIVERY_ARGS(d), names[d->state]);
	if (nack)
		broker_nack(d->from, d->tag);
	forget(d);
}

void delivery_done(struct delivery *d)
{
	for (int i = 0; i < DELIVERY_PUBLISHES; i++)
		if (d->pubs[i].state == PUB_WAITING || d->pubs[i].state == PUB_FAILED)
			BUG(DELIVERY_FMT ": acked before its successor is confirmed", DELIVERY_ARGS(d));
	delivery_enter(d, DELIVERY_DONE);
	broker_ack(d->from, d->tag);
	forget(d);
}
