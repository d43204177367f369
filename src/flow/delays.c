#include "flow/delays.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "flow/copy.h"

enum {
	AGAIN_MS = 500,
	HOLD_MAX_MS = 600000,		/* the broker takes back what is unacked for 30 minutes, with the channel */
};

struct held {
	struct list list;
	struct delays *all;
	struct loop_timer timer;
	struct broker_tag tag;
	int queue;
	bool redelivered;		/* it may be in the input already */
	bool is_too_large, is_flying, has_lost_its_tag;
	mono_t due;
	struct strbuf copy;
};

struct delays {
	struct loop *loop;
	const struct conf *conf;
	struct broker *in, *out;
	const char **queues;
	int n_queues, n_flying;
	int *n_held;
	const struct topology *topology;
	struct list held;
};

int64_t delays_left_ms(int64_t step_ms, int64_t published_ms, int64_t now_ms)
{
	int64_t left = published_ms + step_ms - now_ms;

	if (!published_ms || left > step_ms)
		return step_ms;
	return left > 0 ? left : 0;
}

static void forget(struct held *h)
{
	h->all->n_held[h->queue]--;
	list_del(&h->list);
	loop_timer_stop(h->all->loop, &h->timer);
	strbuf_release(&h->copy);
	free(h);
}

/* Which header it is; -1: a later version wrote it, or nobody, and the copy travels on as it is. */
static int find_hop(const struct broker_properties *props, struct hop *hop)
{
	int i = broker_find_header(props, HOP_HEADER);
	struct broker_text text = i < 0 ? (struct broker_text){ NULL, 0 } : props->headers[i].value;

	*hop = (struct hop){ 0 };
	return text.p && hop_parse(hop, text.p, text.len) == HOP_READ ? i : -1;
}

/* ---- back into the input ---- */

static void on_fate(void *arg, enum broker_fate fate)
{
	struct held *h = arg;
	struct delays *d = h->all;

	h->is_flying = false;
	d->n_flying--;
	if (h->has_lost_its_tag) {
		forget(h);		/* the broker has it, and brings it again */
		return;
	}
	if (fate == BROKER_CONFIRMED) {
		(void)FAILPOINT(DELAY_CONFIRMED);
		broker_ack(d->in, h->tag);
		forget(h);
		return;
	}
	h->redelivered = h->redelivered || fate == BROKER_LOST;	/* whether it is there nobody knows */
	if (fate == BROKER_RETURNED) {
		log_warn("returned", "a copy from %s: the queue it must go to is gone; declared again", d->queues[h->queue]);
		broker_redeclare(d->out);
	}
	loop_timer_set(d->loop, &h->timer, AGAIN_MS);
}

/* Borrows text. */
static void mark_redelivered(struct broker_properties *props, char text[HOP_TEXT_MAX])
{
	struct hop hop;
	int i = find_hop(props, &hop);

	if (i < 0)
		return;
	hop.again = true;
	hop_format(&hop, text);
	props->headers[i].value = BROKER_TEXT(text);
}

static void publish(struct held *h)
{
	struct delays *d = h->all;
	char text[HOP_TEXT_MAX];
	struct copy copy;

	if (copy_read(&copy, h->copy.buf, h->copy.len) < 0)
		BUG("a copy that we wrote cannot be read");
	if (h->redelivered)
		mark_redelivered(&copy.props, text);
	(void)FAILPOINT(DELAY_DUE);
	if (broker_publish(d->out, &(struct broker_publish){
		    .exchange = d->conf->amqp_exchange, .routing_key = d->conf->amqp_key, .mandatory = true,
		    .props = copy.props, .body = copy.body, .len = copy.len, .done = on_fate, .arg = h }) < 0) {
		loop_timer_set(d->loop, &h->timer, AGAIN_MS);
		return;
	}
	h->is_flying = true;
	d->n_flying++;
}

static void on_time(void *arg)
{
	struct held *h = arg;

	if (!h->is_too_large && !mono_before(mono_now(), h->due)) {
		publish(h);
		return;
	}
	broker_nack(h->all->in, h->tag);
	forget(h);
}

/* ---- out of the delay queues ---- */

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct delays *d = arg;
	struct held *h = mem_alloc(sizeof(*h));
	struct hop hop;
	int64_t left;

	(void)find_hop(&in->props, &hop);
	left = delays_left_ms(topology_delay_ms(d->topology, in->queue), hop.published_ms, wall_ms());
	*h = (struct held){ .all = d, .tag = in->tag, .queue = in->queue, .redelivered = in->redelivered, .is_too_large = !in->body,
			    .copy = STRBUF_INIT };
	/* What is too large to be taken along is left to the broker, when the grace is over; the sender says what is wrong with it. */
	if (h->is_too_large)
		left += d->conf->amqp_grace;
	else
		copy_write(&(struct copy){ .props = in->props, .priority = in->props.priority, .body = in->body, .len = in->len }, &h->copy);
	d->n_held[in->queue]++;
	list_add_tail(&d->held, &h->list);
	h->due = mono_add_ms(mono_now(), left);
	loop_timer_init(&h->timer, on_time, h);
	loop_timer_set(d->loop, &h->timer, left < HOLD_MAX_MS ? left : HOLD_MAX_MS);
}

/* The broker has them all; what is being published is waited for. */
static void on_down(void *arg, const char *why)
{
	static struct log_limit limit;
	struct delays *d = arg;
	unsigned left_out;

	for (struct list *l = d->held.next, *next; l != &d->held; l = next) {
		struct held *h = CONTAINER_OF(l, struct held, list);

		next = l->next;
		if (h->is_flying)
			h->has_lost_its_tag = true;
		else
			forget(h);
	}
	if (log_limit_ok(&limit, &left_out))
		log_info("amqp_down", "connection=delays: %s", why);
}

static void on_refused(void *arg, const char *why)
{
	(void)arg;
	log_error("amqp_refused", "connection=delays: %s", why);
}

/* ---- the contract ---- */

struct delays *delays_new(struct loop *l, const struct conf *c, const struct topology *t, struct broker *out)
{
	static const struct broker_callbacks callbacks = { .down = on_down, .refused = on_refused, .delivery = on_delivery };
	struct broker_options o = topology_connection(t, c);
	struct delays *d = mem_alloc(sizeof(*d));

	*d = (struct delays){ .loop = l, .conf = c, .out = out, .topology = t, .n_queues = topology_delays(t) };
	list_init(&d->held);
	d->queues = mem_array((size_t)d->n_queues, sizeof(*d->queues));
	d->n_held = mem_array((size_t)d->n_queues, sizeof(*d->n_held));
	for (int i = 0; i < d->n_queues; i++)
		d->queues[i] = topology_delay_name(t, i);
	o.connection_name = "wamd keeper delays";
	o.queues = d->queues;
	o.n_queues = d->n_queues;
	o.prefetch = DELAYS_HELD_MAX * d->n_queues;
	o.body_max = 0;			/* a message_max that is smaller than it was must not keep anything here */
	d->in = broker_new(l, &o, &callbacks, d);
	return d;
}

void delays_free(struct delays **dp)
{
	struct delays *d = *dp;

	if (!d)
		return;
	while (!list_is_empty(&d->held))
		forget(CONTAINER_OF(list_pop(&d->held), struct held, list));
	broker_free(&d->in);
	free(d->queues);
	free(d->n_held);
	free(d);
	*dp = NULL;
}

void delays_drain(struct delays *d)
{
	broker_pause(d->in);
}

bool delays_are_idle(const struct delays *d)
{
	return !d->n_flying && !broker_unwritten(d->in);
}

int delays_held(const struct delays *d, const char *queue)
{
	for (int i = 0; i < d->n_queues; i++)
		if (!strcmp(d->queues[i], queue))
			return d->n_held[i];
	return 0;
}
