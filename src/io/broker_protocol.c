#include "io/broker_inside.h"

#include <string.h>

#include "base/mem.h"

/* ---- what we ask for ---- */

void protocol_expect(struct broker *b, struct expect e)
{
	if (b->n_expects == b->expects_size) {
		b->expects_size = b->expects_size ? b->expects_size * 2 : 16;
		b->expects = mem_grow(b->expects, (size_t)b->expects_size, sizeof(*b->expects));
	}
	b->expects[b->n_expects++] = e;
	broker_wrote(b);
}

static void expect(struct broker *b, enum wire_kind reply, int index)
{
	protocol_expect(b, (struct expect){ .reply = reply, .index = index, .number = -1 });
}

static void ask_topology(struct broker *b)
{
	static const enum wire_kind reply[] = {
		[BROKER_EXCHANGE] = WIRE_EXCHANGE_OK, [BROKER_QUEUE] = WIRE_QUEUE_OK, [BROKER_BINDING] = WIRE_BIND_OK,
	};

	for (int i = 0; i < b->setup->n_topology; i++) {
		broker_must(wire_put_declare(&b->out, &b->setup->topology[i]));
		expect(b, reply[b->setup->topology[i].thing], i);
	}
}

/* A limit of the whole channel (global) would be simpler, but RabbitMQ lifts it at the next one for a single consumer, lets
   lanes eat up the inputs' share, and refuses it for quorum queues. */
static void ask_qos(struct broker *b, int prefetch)
{
	if (b->qos == prefetch)
		return;
	broker_must(wire_put_qos(&b->out, prefetch));
	expect(b, WIRE_QOS_OK, -1);
	b->qos = prefetch;
}

void protocol_consume(struct broker *b, const char *queue, struct consumer c, unsigned round, int prefetch)
{
	char name[32];

	ask_qos(b, prefetch);
	broker_must(wire_put_consume(&b->out, queue, consumer_name(c, round, name)));
	protocol_expect(b, (struct expect){ .reply = WIRE_CONSUME_OK, .index = c.queue, .number = c.number, .round = round });
}

/* One that is not there yet, or NULL. */
static struct expect *find_coming(const struct broker *b, struct consumer c, unsigned round)
{
	for (int i = 0; i < b->n_expects; i++) {
		struct expect *e = &b->expects[i];

		if (e->reply == WIRE_CONSUME_OK && e->index == c.queue && e->number == c.number && e->round == round)
			return e;
	}
	return NULL;
}

/*
 * RabbitMQ's channel dies (541) when basic.cancel has reached it before its queue, which may be busy for seconds, has said that the
 * consumer is there: who is told to go too early goes then.
 */
void protocol_cancel(struct broker *b, struct consumer c, unsigned round, broker_done_f *done, void *arg)
{
	struct expect *coming = find_coming(b, c, round);
	char name[32];

	if (coming) {
		coming->ends = true;
		coming->done = done;
		coming->arg = arg;
		return;
	}
	broker_must(wire_put_cancel(&b->out, consumer_name(c, round, name)));
	protocol_expect(b, (struct expect){ .reply = WIRE_CANCEL_OK, .index = c.queue, .number = c.number,
					    .done = done, .arg = arg });
}

static void ask_consume(struct broker *b, int queue)
{
	int n = b->setup->n_queues;

	protocol_consume(b, b->setup->queues[queue], (struct consumer){ queue, -1 }, b->round, (b->setup->prefetch + n - 1) / n);
}

void protocol_consume_all(struct broker *b)
{
	b->consuming = true;
	b->round++;
	for (int i = 0; i < b->setup->n_queues; i++)
		ask_consume(b, i);
}

void protocol_cancel_all(struct broker *b)
{
	b->consuming = false;
	for (int i = 0; i < b->setup->n_queues; i++)
		protocol_cancel(b, (struct consumer){ i, -1 }, b->round, NULL, NULL);
}

int broker_count(struct broker *b, const char *queue, broker_counted_f *counted, void *arg)
{
	if (b->state != STATE_UP)
		return -1;
	broker_put_acks(b);
	if (wire_put_count(&b->out, WIRE_CHANNEL, queue) < 0)
		return -1;
	protocol_expect(b, (struct expect){ .reply = WIRE_QUEUE_OK, .index = -1, .number = -1,
					    .counted = counted, .arg = arg });
	return 0;
}

static void ask_everything(struct broker *b)
{
	broker_must(wire_put_channel_open(&b->out, WIRE_CHANNEL));
	expect(b, WIRE_CHANNEL_OPEN_OK, -1);
	b->qos = 0;
	if (b->setup->confirms) {
		broker_must(wire_put_confirm_select(&b->out));
		expect(b, WIRE_CONFIRM_OK, -1);
	}
	ask_topology(b);
	if (!b->paused)
		protocol_consume_all(b);
}

/* consume-ok and cancel-ok come from the queue's own process, not from the channel's: others may overtake them. */
static bool may_be_late(enum wire_kind reply)
{
	return reply == WIRE_CONSUME_OK || reply == WIRE_CANCEL_OK;
}

static bool is_about(const struct expect *e, struct consumer c)
{
	return !may_be_late(e->reply) || (e->index == c.queue && e->number == c.number);
}

/* whose: NULL when it is not known. */
static int find_expected(const struct broker *b, enum wire_kind reply, const struct consumer *whose)
{
	for (int i = 0; i < b->n_expects; i++) {
		if (b->expects[i].reply == reply && (!whose || is_about(&b->expects[i], *whose)))
			return i;
		if (!may_be_late(b->expects[i].reply))
			break;
	}
	return -1;
}

static struct expect take_expected(struct broker *b, int i)
{
	struct expect e = b->expects[i];

	b->n_expects--;
	memmove(&b->expects[i], &b->expects[i + 1], (size_t)(b->n_expects - i) * sizeof(e));
	return e;
}

static int on_reply(struct broker *b, const struct wire_frame *f)
{
	struct consumer c = consumer_of(f->consumer, b->setup->n_queues);
	int i = find_expected(b, f->kind, &c);
	struct expect e;

	if (i < 0)
		return why_set(&b->why, "protocol error: unexpected %s", wire_kind_name(f->kind));
	e = take_expected(b, i);
	if (b->n_expects == 0 && b->state == STATE_TOPOLOGY)
		broker_came_up(b);
	if (e.ends) {
		protocol_cancel(b, c, e.round, e.done, e.arg);
		return 0;
	}
	if (e.reply == WIRE_CANCEL_OK && e.number >= 0)
		queues_consumer_is_cancelled(b, e.number);
	if (e.counted)
		e.counted(e.arg, f->ready);
	if (e.done)
		e.done(e.arg, true);
	return 0;
}

/* The callbacks may ask again, which is refused: we are not up any more. */
void protocol_lose_all(struct broker *b)
{
	int n = b->n_expects;

	b->n_expects = 0;
	for (int i = 0; i < n; i++) {
		if (b->expects[i].counted)
			b->expects[i].counted(b->expects[i].arg, BROKER_NO_COUNT);
		if (b->expects[i].done)
			b->expects[i].done(b->expects[i].arg, false);
	}
}

/* ---- what the broker says ---- */

static bool is_for_good(int code)
{
	return code == 402 || code == 403 || code == 406 || code == 503 || code == 530;
}

static int on_close(struct broker *b, const struct wire_frame *f)
{
	b->is_refused = (b->state == STATE_TUNE || b->state == STATE_OPENING || b->state == STATE_TOPOLOGY) &&
			(is_for_good(f->code) || (b->state == STATE_OPENING && f->code == 404));
	broker_must(wire_put_close_ok(&b->out));
	(void)broker_flush(b, NULL);		/* a courtesy: the connection is over either way */
	return why_set(&b->why, "%s%.*s (%d)",
		       b->state == STATE_TUNE ? "login: " : b->state == STATE_OPENING ? "vhost: " : "",
		       (int)f->text.len, f->text.p, f->code);
}

/* What came while the connection is up has no description: the broker's text names it, too. */
static int on_channel_close(struct broker *b, const struct wire_frame *f)
{
	struct strbuf what = STRBUF_INIT;
	int i = find_expected(b, f->about, NULL);

	if (i >= 0 && b->expects[i].counted && f->code == 404) {
		struct expect e = take_expected(b, i);

		e.counted(e.arg, BROKER_NO_QUEUE);
	} else if (i >= 0 && !b->expects[i].counted) {
		b->is_refused = is_for_good(f->code);
		if (b->expects[i].index >= 0)
			setup_describe(b->setup, f->about, b->expects[i].index, &what);
	}
	why_set(&b->why, "%s%s%.*s (%d)", what.buf, what.len ? ": " : "", (int)f->text.len, f->text.p, f->code);
	strbuf_release(&what);
	return -1;
}

static int on_start(struct broker *b)
{
	const struct url *u = b->url;

	broker_must(wire_put_start_ok(&b->out, u->user ? u->user : "guest", u->password ? u->password : "guest",
				      b->setup->name));
	broker_wrote(b);
	broker_enter(b, STATE_TUNE);
	return 0;
}

static int on_tune(struct broker *b, const struct wire_frame *f)
{
	if (f->frame_max < 4096)
		return why_set(&b->why, "protocol error: frame-max %d", f->frame_max);
	b->frame_max = f->frame_max;
	if (f->heartbeat_s > 0 && f->heartbeat_s < b->heartbeat_s)
		b->heartbeat_s = f->heartbeat_s;
	b->side.is_allowed = f->channel_max >= WIRE_SIDE_CHANNEL;
	broker_must(wire_put_tune_ok(&b->out, b->side.is_allowed ? WIRE_SIDE_CHANNEL : WIRE_CHANNEL, b->frame_max,
				     b->heartbeat_s));
	broker_must(wire_put_open(&b->out, url_vhost(b->url)));
	broker_wrote(b);
	broker_start_tick(b);
	broker_enter(b, STATE_OPENING);
	return 0;
}

static int on_open_ok(struct broker *b)
{
	broker_enter(b, STATE_TOPOLOGY);
	ask_everything(b);
	return 0;
}

static int on_blocked(struct broker *b, bool blocked)
{
	if (b->blocked == blocked)
		return 0;
	b->blocked = blocked;
	b->unblocked_at = loop_now(b->loop);
	/* A blocked broker's closed window must not look like a dead peer: its heartbeats tell the difference. */
	broker_unacked_patience(b, !blocked);
	if (b->cb.blocked)
		b->cb.blocked(b->arg, blocked);
	return 0;
}

static int on_cancel(struct broker *b, const struct wire_frame *f)
{
	struct consumer c = consumer_of(f->consumer, b->setup->n_queues);

	if (c.queue < 0)
		return queues_on_gone(b, c.number);
	if (b->cb.consumer_lost)
		b->cb.consumer_lost(b->arg, b->setup->queues[c.queue]);
	ask_topology(b);
	if (b->consuming)
		ask_consume(b, c.queue);
	return 0;
}

static int on_confirm(struct broker *b, const struct wire_frame *f)
{
	if (!b->setup->confirms || confirms_settle(&b->confirms, f->tag, f->multiple, f->kind == WIRE_ACK) < 0)
		return why_set(&b->why, "protocol error: confirm of a publish that never was");
	return 0;
}

/* ---- messages ---- */

static void deliver(struct broker *b, struct content *c)
{
	struct broker_delivery d = {
		.tag = { c->tag, b->generation }, .redelivered = c->redelivered,
		.queue = c->consumer.queue, .consumer = c->consumer.number,
		.exchange = { c->names.buf, c->exchange_len },
		.routing_key = { c->names.buf + c->exchange_len, c->names.len - c->exchange_len },
		.body = content_body(c), .len = c->size,
	};
	uint64_t tag;

	/* A message with broken properties must not end the connection, or it would come back for ever. */
	if (wire_properties(b->wire, c->raw.buf, c->raw.len, &d.props, &tag) < 0)
		d.props = (struct broker_properties){ .priority = -1 };
	if (b->cb.delivery)
		b->cb.delivery(b->arg, &d);
}

static int take_back(struct broker *b, const struct content *c)
{
	struct broker_properties props;
	uint64_t tag;

	if (wire_properties(b->wire, c->raw.buf, c->raw.len, &props, &tag) < 0 ||
	    confirms_return(&b->confirms, tag) < 0)
		return why_set(&b->why, "protocol error: return of a publish that never was");
	return 0;
}

static int content_is_whole(struct broker *b)
{
	struct content *c = &b->content;
	int err = 0;

	if (c->what == CONTENT_DELIVERY)
		deliver(b, c);
	else
		err = take_back(b, c);
	content_reset(c);
	return err;
}

static int on_deliver(struct broker *b, const struct wire_frame *f)
{
	struct consumer c = consumer_of(f->consumer, b->setup->n_queues);

	if (c.queue < 0 && !queues_consumer_is_known(b, c.number))
		return why_set(&b->why, "protocol error: delivery to a consumer that is not ours");
	/* Several consumers: the first may deliver while the others are not answered yet. */
	if (b->state == STATE_TOPOLOGY && b->expects[0].reply == WIRE_CONSUME_OK)
		broker_came_up(b);
	if (b->state != STATE_UP)
		return why_set(&b->why, "protocol error: delivery before basic.consume");
	if (acks_came(&b->acks, f->tag) < 0)
		return why_set(&b->why, "protocol error: delivery tags that do not count up");
	content_begin(&b->content, CONTENT_DELIVERY, f->exchange, f->routing_key);
	b->content.tag = f->tag;
	b->content.redelivered = f->redelivered;
	b->content.consumer = c;
	return 0;
}

static int on_content(struct broker *b, const struct wire_frame *f)
{
	int whole;

	if (f->kind == WIRE_HEADER)
		whole = content_header(&b->content, f->data, f->len, f->body_size, b->setup->body_max);
	else
		whole = content_add(&b->content, f->data, f->len);
	if (whole < 0)
		return why_set(&b->why, "protocol error: unexpected %s", wire_kind_name(f->kind));
	return whole ? content_is_whole(b) : 0;
}

static int on_channel_frame(struct broker *b, const struct wire_frame *f)
{
	if (f->kind == WIRE_HEADER || f->kind == WIRE_BODY)
		return on_content(b, f);
	if (f->kind == WIRE_CHANNEL_CLOSE)
		return on_channel_close(b, f);
	if (b->content.what != CONTENT_NONE)
		return why_set(&b->why, "protocol error: %s inside a message", wire_kind_name(f->kind));
	switch (f->kind) {
	case WIRE_DELIVER:
		return on_deliver(b, f);
	case WIRE_RETURN:
		content_begin(&b->content, CONTENT_RETURN, f->exchange, f->routing_key);
		return 0;
	case WIRE_ACK:
	case WIRE_NACK:
		return on_confirm(b, f);
	case WIRE_CANCEL:
		return on_cancel(b, f);
	case WIRE_FLOW:
		broker_must(wire_put_flow_ok(&b->out, f->active));
		broker_wrote(b);
		return 0;
	default:	/* every other kind is a reply or belongs to channel 0 */
		return on_reply(b, f);
	}
}

/* Channel 0: what may come in which state. */
static int on_connection_frame(struct broker *b, const struct wire_frame *f)
{
	if (f->kind == WIRE_HEARTBEAT)
		return 0;
	if (f->kind == WIRE_CLOSE)
		return on_close(b, f);
	if (b->state == STATE_START && f->kind == WIRE_START)
		return on_start(b);
	if (b->state == STATE_TUNE && f->kind == WIRE_TUNE)
		return on_tune(b, f);
	if (b->state == STATE_OPENING && f->kind == WIRE_OPEN_OK)
		return on_open_ok(b);
	if (b->state >= STATE_TOPOLOGY && (f->kind == WIRE_BLOCKED || f->kind == WIRE_UNBLOCKED))
		return on_blocked(b, f->kind == WIRE_BLOCKED);
	return why_set(&b->why, "protocol error: unexpected %s, waiting for %s", wire_kind_name(f->kind),
		       broker_state_help(b->state));
}

static int on_frame(struct broker *b, const struct wire_frame *f)
{
	if (f->channel == 0)
		return on_connection_frame(b, f);
	if (f->channel == WIRE_CHANNEL && b->state >= STATE_TOPOLOGY)
		return on_channel_frame(b, f);
	if (f->channel == WIRE_SIDE_CHANNEL && b->state == STATE_UP)
		return queues_on_side_frame(b, f);
	return why_set(&b->why, "protocol error: %s on channel %d", wire_kind_name(f->kind), f->channel);
}

/* ---- frames ---- */

int protocol_take(struct broker *b)
{
	size_t at = 0, used;
	struct wire_frame f;
	int got;

	while ((got = wire_take(b->wire, b->in + at, b->in_len - at, &used, &f, &b->why)) > 0) {
		at += used;
		if (on_frame(b, &f) < 0)
			return -1;
	}
	if (at > 0)
		memmove(b->in, b->in + at, b->in_len - at);
	b->in_len -= at;
	return got;
}

