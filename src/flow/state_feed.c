#include "flow/state_inside.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum {
	LOOK_MS = 1000,
	IN_HAND_MAX_MS = 600000,	/* the broker takes back what is unacked for 30 minutes, with the channel */
};

void state_event_free(struct state_feed *f, struct told_of *e)
{
	list_del(&e->list);
	state_event_release(&e->is);
	free(e);
	f->n_events--;
}

/* ---- messages ---- */

static struct talk *talk_of(struct state_feed *f, const struct told_of *e)
{
	struct talk *t;
	char key[KEY_TEXT_MAX];

	key_state_told(f->o.conf, e->is.tenant_id, e->is.wamid, key);
	for (struct list *l = f->talks.next; l != &f->talks; l = l->next) {
		t = CONTAINER_OF(l, struct talk, list);
		if (!strcmp(t->key, key))
			return t;
	}
	t = mem_alloc(sizeof(*t));
	*t = (struct talk){ .f = f, .phase = PHASE_ASK };
	memcpy(t->key, key, sizeof(key));
	list_init(&t->events);
	list_add_tail(&f->talks, &t->list);
	list_init(&t->ready);
	list_add_tail(&f->ready, &t->ready);
	return t;
}

void state_talk_free(struct talk *t)
{
	while (!list_is_empty(&t->events))
		state_event_free(t->f, CONTAINER_OF(list_pop(&t->events), struct told_of, list));
	list_del(&t->list);
	list_del(&t->ready);
	free(t);
}

/* ---- all of them ---- */

static int64_t left_ms(mono_t until)
{
	return state_is_pause(until) ? mono_diff_ms(until, mono_now()) + 1 : 0;
}

/* From a timer, for whoever calls may stand within a talk of his own.  Whoever is under way comes here at his end. */
void state_run(struct state_feed *f)
{
	int64_t ms = left_ms(f->not_before), store_ms = left_ms(f->store_not_before);
	bool probes = f->rounds_failed && f->n_active;

	if (f->is_ending || f->draining || probes || list_is_empty(&f->ready) || loop_timer_is_set(&f->again))
		return;
	loop_timer_set(f->o.loop, &f->again, ms > store_ms ? ms : store_ms);
}

static void on_again(void *arg)
{
	struct state_feed *f = arg;

	while (!list_is_empty(&f->ready) && state_may_call(f))
		state_go_on(CONTAINER_OF(list_pop(&f->ready), struct talk, ready));
	state_run(f);			/* a pause may have begun since the timer was set */
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct state_feed *f = arg;
	struct strbuf why = STRBUF_INIT;
	static struct log_limit limit;
	enum state_event_kind kind;
	struct told_of *e;
	unsigned left_out;

	if (f->draining)
		return;
	e = mem_alloc(sizeof(*e));
	*e = (struct told_of){ .tag = d->tag, .redelivered = d->redelivered, .since = mono_now() };
	list_init(&e->list);
	f->n_events++;
	kind = state_event_read(&e->is, d->body, d->len, &why);
	if (kind == STATE_EVENT_NEWS) {
		list_add_tail(&talk_of(f, e)->events, &e->list);
		state_run(f);
	} else {
		if (kind == STATE_EVENT_STRANGE && log_limit_ok(&limit, &left_out))
			log_warn("state_unreadable", "an event in %s: %s", f->o.conf->amqp_state, why.buf);
		broker_ack(f->in, d->tag);
		state_event_free(f, e);
	}
	strbuf_release(&why);
}

static void forget_all_but_first(struct talk *t)
{
	struct list *first = list_pop(&t->events);

	while (!list_is_empty(&t->events))
		state_event_free(t->f, CONTAINER_OF(list_pop(&t->events), struct told_of, list));
	list_add_tail(&t->events, first);
}

/* The broker has them.  Who waits for an answer goes on with what it is at, for a redelivery finds it told. */
static void forget_events(struct state_feed *f)
{
	struct list kept;

	list_init(&kept);
	while (!list_is_empty(&f->talks)) {
		struct talk *t = CONTAINER_OF(list_pop(&f->talks), struct talk, list);

		if (!t->is_active) {
			state_talk_free(t);
			continue;
		}
		forget_all_but_first(t);
		list_add_tail(&kept, &t->list);
	}
	while (!list_is_empty(&kept))
		list_add_tail(&f->talks, list_pop(&kept));
}

static void on_down(void *arg, const char *why)
{
	static struct log_limit limit;
	struct state_feed *f = arg;
	unsigned left_out;

	forget_events(f);
	f->waiting = -1;
	if (log_limit_ok(&limit, &left_out))
		log_info("amqp_down", "connection=states: %s", why);
}

static void on_refused(void *arg, const char *why)
{
	(void)arg;
	log_error("amqp_refused", "connection=states: %s", why);
}

static void on_counted(void *arg, int64_t ready)
{
	struct state_feed *f = arg;

	f->waiting = ready < 0 ? -1 : ready;
}

static bool holds_too_long(const struct state_feed *f)
{
	for (struct list *l = f->talks.next; l != &f->talks; l = l->next)
		if (mono_diff_ms(mono_now(), state_first_event(CONTAINER_OF(l, struct talk, list))->since) > IN_HAND_MAX_MS)
			return true;
	return false;
}

static void on_look(void *arg)
{
	struct state_feed *f = arg;

	if (broker_peek_count(f->in, f->o.conf->amqp_state, on_counted, f) < 0)
		f->waiting = -1;
	if (!f->n_active && holds_too_long(f))
		broker_redeclare(f->in);
	loop_timer_set_beat(f->o.loop, &f->look, LOOK_MS);
}

/* ---- the contract ---- */

static struct broker *connect_broker(struct state_feed *f)
{
	static const struct broker_callbacks callbacks = { .down = on_down, .refused = on_refused, .delivery = on_delivery };
	struct broker_options o = topology_connection(f->o.topology, f->o.conf);
	const char *queue = f->o.conf->amqp_state;

	o.connection_name = "wamd keeper states";
	o.queues = &queue;
	o.n_queues = 1;
	o.prefetch = (int)f->o.conf->state_window;
	return broker_new(f->o.loop, &o, &callbacks, f);
}

struct state_feed *state_feed_new(const struct state_feed_options *o)
{
	struct state_feed *f;

	if (!*o->conf->state_url)
		return NULL;
	f = mem_alloc(sizeof(*f));
	f->o = *o;
	f->waiting = -1;
	list_init(&f->talks);
	list_init(&f->ready);
	loop_timer_init(&f->again, on_again, f);
	loop_timer_init(&f->look, on_look, f);
	loop_timer_set(o->loop, &f->look, LOOK_MS);
	f->manager = state_manager_new(o->loop, o->conf);
	f->in = connect_broker(f);
	return f;
}

void state_feed_free(struct state_feed **fp)
{
	struct state_feed *f = *fp;

	if (!f)
		return;
	f->is_ending = true;
	state_manager_free(&f->manager);
	broker_free(&f->in);
	while (!list_is_empty(&f->talks))
		state_talk_free(CONTAINER_OF(list_pop(&f->talks), struct talk, list));
	loop_timer_stop(f->o.loop, &f->again);
	loop_timer_stop(f->o.loop, &f->look);
	free(f);
	*fp = NULL;
}

void state_feed_drain(struct state_feed *f)
{
	if (!f)
		return;
	f->draining = true;
	loop_timer_stop(f->o.loop, &f->again);
}

bool state_feed_is_idle(const struct state_feed *f)
{
	return !f || !f->n_active;
}

void state_feed_look(const struct state_feed *f, struct state_feed_view *out)
{
	*out = (struct state_feed_view){ .waiting = -1, .why = "" };
	if (!f)
		return;
	*out = (struct state_feed_view){ .is_on = true, .is_connected = broker_is_up(f->in), .is_away = f->rounds_failed > 0,
					 .away_since_ms = f->away_since_ms, .in_hand = f->n_events, .waiting = f->waiting,
					 .calls = f->calls, .failures = f->failures, .why = f->why };
}
