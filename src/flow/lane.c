#include "flow/lane.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/alert.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/pace.h"
#include "flow/topology.h"
#include "msg/ticket.h"

enum {
	TICKETS = 0,			/* the consumer of tickets; lane number i has 1 + 2 i and 2 + 2 i */
	REFRESH_MS = 5000, REFRESH_MIN_MS = 100,
	LEASE_MS = 15000,		/* shows who holds it, and that somebody does */
	AGAIN_MS = 500,
	DELETING_MS = 60000,		/* joiners wait so long for a deleter who has died */
};

struct lane {
	struct list list;
	struct lanes *all;
	int slot;
	enum lane_state state;
	char number[TICKET_ID_MAX + 1];
	char queues[2][LANE_NAME_MAX];	/* and .high */
	const struct account *account;	/* NULL: the configuration knows it no longer; its messages end as dead letters */
	struct pace *p;			/* of the account */
	struct broker_tag ticket;
	mono_t since, quiet_since, closing_since;
	int in_hand;
	int pending;			/* calls that will come back to us */
	bool consumes[2], is_asking, is_deleted, is_in_use;
	int deletions;			/* answers to wait for */
	struct loop_timer tick;
};

struct lanes {
	struct sender *s;
	struct broker *broker;
	struct list list;
	struct lane **slots;
	int n_slots, n;
	bool draining, resting;
};

static const char *const state_names[] = {
#define STATE(ident, name, help) name,
#include "tbl/lane_states.h"
#undef STATE
};

static const unsigned may_enter[] = {
	[LANE_TAKING]   = BIT(LANE_AWAKE) | BIT(LANE_ASLEEP) | BIT(LANE_DELETING) | BIT(LANE_OVER),
	[LANE_AWAKE]    = BIT(LANE_ASLEEP) | BIT(LANE_CLOSING) | BIT(LANE_OVER),
	[LANE_ASLEEP]   = BIT(LANE_AWAKE) | BIT(LANE_OVER),
	[LANE_CLOSING]  = BIT(LANE_AWAKE) | BIT(LANE_ASLEEP) | BIT(LANE_DELETING) | BIT(LANE_OVER),
	[LANE_DELETING] = BIT(LANE_TAKING) | BIT(LANE_OVER),
	[LANE_OVER]     = 0,
};

static void enter(struct lane *l, enum lane_state next)
{
	if (!(may_enter[l->state] & BIT(next)))
		BUG("lane %s: %s -> %s", l->number, state_names[l->state], state_names[next]);
	log_debug("lane", "number=%s state=%s", l->number, state_names[next]);
	l->state = next;
}

void lane_name(const struct conf *c, const char *phone_number_id, bool high, char out[LANE_NAME_MAX])
{
	snprintf(out, LANE_NAME_MAX, "%s%s%s", c->amqp_lane, phone_number_id, high ? ".high" : "");
}

int lane_declare(struct broker *b, const struct conf *c, const char *phone_number_id)
{
	char name[LANE_NAME_MAX];

	for (int high = 0; high < 2; high++) {
		lane_name(c, phone_number_id, high, name);
		/* Classic whatever amqp.queue_type says: the broker cannot delete a quorum queue only if it is empty. */
		if (broker_declare(b, &(struct broker_declare){ .thing = BROKER_QUEUE, .name = name }) < 0)
			return -1;
	}
	return 0;
}

struct broker *lane_broker(const struct lane *l)
{
	return l->all->broker;
}

const char *lane_queue(const struct lane *l, bool high)
{
	return l->queues[high];
}

/* ---- the end of one ---- */

static void look_in(struct lane *l, int64_t ms)
{
	loop_timer_set(l->all->s->loop, &l->tick, ms);
}

static void lane_free(struct lane *l)
{
	struct lanes *all = l->all;

	loop_timer_stop(all->s->loop, &l->tick);
	list_del(&l->list);
	all->slots[l->slot] = NULL;
	all->n--;
	board_gauge(all->s->slot, GAUGE_LANES, all->n);
	free(l);
}

/* Not at once: we may stand in a callback of what is being freed. */
static void free_when_done(struct lane *l)
{
	if (l->state == LANE_OVER && !l->in_hand && !l->pending)
		look_in(l, 0);
}

static void drop_ready(struct lane *l, bool nack)
{
	struct list *all = &l->all->s->deliveries, *next;

	for (struct list *i = all->next; i != all; i = next) {
		struct delivery *d = CONTAINER_OF(i, struct delivery, all);

		next = i->next;
		if (d->lane == l && d->is_ready)
			delivery_drop(d, nack);
	}
}

/* ---- taking from it ---- */

static int consumer_of(const struct lane *l, int high)
{
	return 1 + 2 * l->slot + high;
}

static void on_cancelled(void *arg, bool ok);

static void stop_taking(struct lane *l)
{
	for (int high = 0; high < 2; high++) {
		if (!l->consumes[high])
			continue;
		l->consumes[high] = false;
		if (broker_cancel(l->all->broker, consumer_of(l, high), on_cancelled, l) == 0)
			l->pending++;
	}
	drop_ready(l, true);
}

static int prefetch(const struct lane *l)
{
	const struct conf *c = l->all->s->conf;
	int64_t share = c->amqp_prefetch * c->amqp_share / 100, n = share;

	if (l->account && l->account->rate * c->hold_in_memory / 1000 < n)
		n = l->account->rate * c->hold_in_memory / 1000;
	return n < 2 ? 2 : (int)n;
}

/* The high one first: what is urgent overtakes. */
static void start_taking(struct lane *l)
{
	struct lanes *all = l->all;

	if (all->resting || (l->consumes[0] && l->consumes[1]) || lane_declare(all->broker, all->s->conf, l->number) < 0)
		return;
	for (int high = 1; high >= 0; high--)
		if (!l->consumes[high] && broker_consume(all->broker, consumer_of(l, high), l->queues[high], prefetch(l)) == 0) {
			l->consumes[high] = true;
			l->quiet_since = mono_now();
		}
}

/* ---- Redis ---- */

typedef void lane_reply_f(struct lane *l, const struct store_reply *r);

static int ask(struct lane *l, const char *verb, int64_t a, int64_t b, store_reply_f *done)
{
	const struct sender *s = l->all->s;
	char account[KEY_TEXT_MAX], holds[KEY_TEXT_MAX], numbers[2][24];
	struct hold_fields fields = { .of = { "" } };
	struct store_arg args[8 + HOLD_TEMPLATE];
	bool is_take = !strcmp(verb, "take") || !strcmp(verb, "hold");
	int n = 0;

	key_account(s->conf, l->account, account);
	key_holds(s->conf, l->account->tenant, holds);
	snprintf(numbers[0], sizeof(numbers[0]), "%" PRId64, a);
	snprintf(numbers[1], sizeof(numbers[1]), "%" PRId64, b);
	args[n++] = STORE_ARG(account);
	args[n++] = STORE_ARG(holds);
	args[n++] = STORE_ARG(verb);
	args[n++] = STORE_ARG(s->incarnation);
	args[n++] = STORE_ARG(numbers[0]);
	if (is_take) {
		hold_fields_of(l->account, &fields);
		for (int i = 0; i < HOLD_TEMPLATE; i++)
			args[n++] = STORE_ARG(fields.of[i]);
	} else {
		args[n++] = STORE_ARG(numbers[1]);
	}
	if (store_script(s->store, SCRIPT_LANE, 2, args, n, done, l) < 0)
		return -1;
	l->pending++;
	l->is_asking = true;
	return 0;
}

/* What every answer begins with: NULL when there is nothing to go on with. */
static const char *answer(struct lane *l, const struct store_reply *r)
{
	l->pending--;
	l->is_asking = false;
	if (r && r->error)
		log_error("script_failed", "script=lane %s", r->error);
	if (l->state == LANE_OVER) {
		free_when_done(l);
		return NULL;
	}
	if (r && !r->error && r->n > 0 && r->v[0].s)
		return r->v[0].s;
	look_in(l, AGAIN_MS);
	return NULL;
}

static int64_t refresh_ms(const struct lane *l)
{
	int64_t ms = l->all->s->conf->lane_idle / 4;

	return ms > REFRESH_MS ? REFRESH_MS : ms < REFRESH_MIN_MS ? REFRESH_MIN_MS : ms;
}

static void wake(struct lane *l)
{
	if (l->state != LANE_AWAKE)
		enter(l, LANE_AWAKE);
	start_taking(l);
}

void lane_sleep(struct lane *l, int64_t ms)
{
	if (l->state == LANE_AWAKE || l->state == LANE_TAKING || l->state == LANE_CLOSING)
		enter(l, LANE_ASLEEP);
	if (l->state != LANE_ASLEEP)
		return;
	stop_taking(l);
	look_in(l, ms < refresh_ms(l) ? ms : refresh_ms(l));
}

void lane_wake(struct lane *l)
{
	if (l->state == LANE_ASLEEP || l->state == LANE_AWAKE)
		look_in(l, 0);
}

/* ---- giving it up ---- */

static void over(struct lane *l)
{
	stop_taking(l);
	if (l->p && l->p->lane == l)
		l->p->lane = NULL;
	enter(l, LANE_OVER);
	free_when_done(l);
}

/* Another sender has a newer ticket. */
static void lose(struct lane *l)
{
	log_info("lane_lost", "number=%s: another sender holds it", l->number);
	broker_ack(l->all->broker, l->ticket);
	over(l);
}

static void on_left(void *arg, const struct store_reply *r)
{
	(void)answer(arg, r);
}

/* Back to all senders, us included. */
static void give_back(struct lane *l)
{
	stop_taking(l);
	if (l->account && ask(l, "leave", 0, 0, on_left) < 0)
		log_debug("lane_left", "number=%s: Redis is away", l->number);
	broker_nack(l->all->broker, l->ticket);
	over(l);
}

/* ---- closing it: close, grace, delete, gone ---- */

static void on_gone(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;

	if (!answer(l, r))
		return;
	(void)FAILPOINT(LANE_GONE);
	board_count(l->all->s->slot, COUNT_LANES_CLOSED);
	log_info("lane_closed", "tenant=%s account=%s", l->account->tenant->id, l->account->id);
	alert_resolve(l->all->s->alerts, ALERT_LIMIT_QUEUEING,
		      &(struct alert_subject){ l->account->tenant->id, l->account->id, NULL }, "nothing waits any more");
	broker_ack(l->all->broker, l->ticket);
	over(l);
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;

	if (!answer(l, r))
		return;
	enter(l, LANE_TAKING);
	look_in(l, 0);
}

static void after_deletion(struct lane *l)
{
	if (!l->account) {		/* no Redis of a tenant that is gone */
		broker_ack(l->all->broker, l->ticket);
		over(l);
	} else if (ask(l, l->is_in_use ? "kept" : "gone", 0, 0, l->is_in_use ? on_kept : on_gone) < 0) {
		look_in(l, AGAIN_MS);
	}
}

static void on_deleted(void *arg, enum broker_deletion what)
{
	struct lane *l = arg;

	l->pending--;
	l->deletions--;
	l->is_in_use |= what != BROKER_DELETED;
	if (l->state == LANE_OVER) {
		free_when_done(l);
	} else if (!l->deletions) {
		(void)FAILPOINT(LANE_DELETED);
		l->is_deleted = true;
		after_deletion(l);
	}
}

/* When nothing of it is in hand and no consumer is left. */
static void delete_when_free(struct lane *l)
{
	if (l->state != LANE_DELETING || l->in_hand || l->pending || l->is_deleted || l->deletions)
		return;
	l->is_in_use = false;
	for (int high = 0; high < 2; high++) {
		if (broker_delete(l->all->broker, l->queues[high], on_deleted, l) < 0)
			continue;
		l->pending++;
		l->deletions++;
	}
}

static void start_deleting(struct lane *l)
{
	l->is_deleted = false;
	enter(l, LANE_DELETING);
	stop_taking(l);
	delete_when_free(l);
}

static void on_deleting(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = answer(l, r);

	if (!word)
		return;
	(void)FAILPOINT(LANE_DELETING);
	if (!strcmp(word, "deleting") && (l->state == LANE_CLOSING || l->state == LANE_TAKING))
		start_deleting(l);
	else if (l->state == LANE_CLOSING)
		wake(l);
	look_in(l, refresh_ms(l));
}

static void on_closing(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = answer(l, r);

	if (word && !strcmp(word, "closing") && l->state == LANE_AWAKE) {
		enter(l, LANE_CLOSING);
		l->closing_since = mono_now();
	}
	if (word)
		look_in(l, refresh_ms(l));
}

static void on_cancelled(void *arg, bool ok)
{
	struct lane *l = arg;

	(void)ok;
	l->pending--;
	free_when_done(l);
	delete_when_free(l);
	if (l->state == LANE_AWAKE)
		look_in(l, 0);		/* woken while its consumers were still going */
}

/* ---- looking after it ---- */

static bool is_quiet(const struct lane *l, int64_t ms)
{
	return !l->in_hand && mono_diff_ms(mono_now(), l->quiet_since) >= ms;
}

/* Nobody joined in the grace, and nothing came. */
static void close_or_delete(struct lane *l)
{
	const struct conf *c = l->all->s->conf;
	int err = 0;

	if (l->state == LANE_AWAKE && is_quiet(l, c->lane_idle))
		err = ask(l, "close", 0, 0, on_closing);
	else if (l->state == LANE_CLOSING && is_quiet(l, c->lane_grace) && mono_diff_ms(mono_now(), l->closing_since) >= c->lane_grace)
		err = ask(l, "delete", c->lane_grace, DELETING_MS, on_deleting);
	else
		err = -1;
	if (err)
		look_in(l, refresh_ms(l));
}

static void follow_gate(struct lane *l, int64_t closed_ms)
{
	if (closed_ms > l->all->s->conf->hold_in_memory || !l->account->enabled || l->account->tenant->suspended) {
		lane_sleep(l, closed_ms ? closed_ms : REFRESH_MS);
		return;
	}
	wake(l);
	close_or_delete(l);
}

static void on_taken(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = answer(l, r), *state;

	if (!word)
		return;
	(void)FAILPOINT(LANE_TAKEN);
	if (strcmp(word, "mine") || r->n != 4) {
		lose(l);
		return;
	}
	state = r->v[1].s;
	if (l->state == LANE_DELETING) {
		look_in(l, refresh_ms(l));
	} else if (l->state == LANE_TAKING && !strcmp(state, "deleting")) {
		if (ask(l, "delete", 0, DELETING_MS, on_deleting) < 0)
			look_in(l, AGAIN_MS);
	} else if (l->state == LANE_CLOSING && !strcmp(state, "closing")) {
		close_or_delete(l);
	} else {
		follow_gate(l, r->v[2].i);
	}
}

/* The account is gone from the configuration: its messages become dead letters, and then the lane is deleted. */
static void drain_orphan(struct lane *l)
{
	const struct conf *c = l->all->s->conf;

	if (l->state == LANE_TAKING)
		wake(l);
	else if (l->state == LANE_AWAKE && is_quiet(l, c->lane_idle + c->lane_grace)) {
		enter(l, LANE_CLOSING);
		start_deleting(l);
	}
	look_in(l, refresh_ms(l));
}

static void on_tick(void *arg)
{
	struct lane *l = arg;

	if (l->state == LANE_OVER) {
		if (!l->in_hand && !l->pending)
			lane_free(l);
	} else if (l->state == LANE_DELETING && l->is_deleted && !l->is_asking) {
		after_deletion(l);
	} else if (mono_diff_ms(mono_now(), l->since) >= l->all->s->conf->lane_renew && l->state != LANE_DELETING && !l->is_asking) {
		give_back(l);
	} else if (!l->account) {
		drain_orphan(l);
	} else if (l->is_asking || ask(l, l->state == LANE_TAKING ? "take" : "hold", LEASE_MS, 0, on_taken) < 0) {
		look_in(l, AGAIN_MS);
	}
}

/* ---- what is in hand ---- */

void lane_took(struct lane *l)
{
	l->in_hand++;
}

void lane_finished(struct lane *l)
{
	l->in_hand--;
	l->quiet_since = loop_now(l->all->s->loop);
	free_when_done(l);
	delete_when_free(l);
}

/* ---- tickets ---- */

static struct lane *find(struct lanes *all, const char *number)
{
	for (struct list *i = all->list.next; i != &all->list; i = i->next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		if (l->state != LANE_OVER && !strcmp(l->number, number))
			return l;
	}
	return NULL;
}

static int free_slot(struct lanes *all)
{
	for (int i = 0; i < all->n_slots; i++)
		if (!all->slots[i])
			return i;
	all->slots = mem_grow(all->slots, (size_t)all->n_slots + 64, sizeof(struct lane *));
	for (int i = 0; i < 64; i++)
		all->slots[all->n_slots + i] = NULL;
	all->n_slots += 64;
	return all->n_slots - 64;
}

static void lane_new(struct lanes *all, const struct ticket_read *t, struct broker_tag tag)
{
	const struct tenant *tenant = conf_tenant(all->s->conf, t->tenant_id);
	struct lane *l = mem_alloc(sizeof(*l));

	*l = (struct lane){ .all = all, .slot = free_slot(all), .state = LANE_TAKING, .ticket = tag, .since = mono_now(),
			    .quiet_since = mono_now(), .account = tenant ? tenant_account(tenant, t->phone_number_id) : NULL };
	memcpy(l->number, t->phone_number_id, sizeof(l->number));
	for (int high = 0; high < 2; high++)
		lane_name(all->s->conf, l->number, high, l->queues[high]);
	if (l->account) {
		l->p = pace_of(all->s, l->account);
		l->p->lane = l;
	}
	all->slots[l->slot] = l;
	list_init(&l->list);
	list_add_tail(&all->list, &l->list);
	all->n++;
	board_gauge(all->s->slot, GAUGE_LANES, all->n);
	loop_timer_init(&l->tick, on_tick, l);
	look_in(l, 0);
}

static void on_ticket(struct lanes *all, const struct broker_delivery *in)
{
	struct ticket_read t = { 0 };
	struct lane *l;

	if (all->draining) {
		broker_nack(all->broker, in->tag);
		return;
	}
	switch (ticket_parse(&t, in->body ? in->body : "", in->body ? in->len : 0)) {
	case TICKET_GARBAGE:
		log_warn("ticket_garbage", "queue=%s: no ticket, taken out", all->s->conf->amqp_lanes);
		broker_ack(all->broker, in->tag);
		return;
	case TICKET_NEWER:
		log_warn("ticket_newer", "queue=%s: written by a later version, kept for it", all->s->conf->amqp_lanes);
		return;
	case TICKET_READ:
		break;
	}
	(void)FAILPOINT(TICKET_TAKEN);
	l = find(all, t.phone_number_id);
	if (!l) {
		lane_new(all, &t, in->tag);
		return;
	}
	broker_ack(all->broker, l->ticket);	/* two for one lane: the newest stays */
	l->ticket = in->tag;
}

/* ---- the connection ---- */

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct lanes *all = arg;
	int slot = (in->consumer - 1) / 2;
	struct lane *l = in->consumer == TICKETS || slot >= all->n_slots ? NULL : all->slots[slot];

	if (in->consumer == TICKETS)
		on_ticket(all, in);
	else if (!l || l->state == LANE_OVER || l->state == LANE_ASLEEP || all->draining || all->resting)
		broker_nack(all->broker, in->tag);
	else
		intake_accept(all->s, in, l, (in->consumer - 1) % 2);
}

static void on_up(void *arg)
{
	struct lanes *all = arg;

	if (all->draining)
		return;
	if (broker_consume(all->broker, TICKETS, all->s->conf->amqp_lanes, (int)all->s->conf->lane_max) < 0)
		BUG("tickets are consumed twice");
}

/* Every ticket is in other hands by now. */
static void on_down(void *arg, const char *why)
{
	struct lanes *all = arg;
	static struct log_limit limit;
	struct list *next;
	unsigned left_out;

	board_count(all->s->slot, COUNT_AMQP_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_warn("amqp_down", "connection=lanes: %s", why);
	for (struct list *i = all->list.next; i != &all->list; i = next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		next = i->next;
		l->consumes[0] = l->consumes[1] = false;
		drop_ready(l, false);
		if (l->state != LANE_OVER)
			over(l);
	}
}

static void on_refused(void *arg, const char *why)
{
	(void)arg;
	log_error("amqp_refused", "%s", why);
}

/* Somebody deleted the queue of a lane, or of the tickets: everything is declared and taken again. */
static void on_consumer_gone(void *arg, int consumer)
{
	struct lanes *all = arg;
	int slot = (consumer - 1) / 2;

	if (consumer == TICKETS) {
		log_warn("consumer_lost", "queue=%s: declared and consumed again", all->s->conf->amqp_lanes);
		broker_redeclare(all->broker);
	} else if (slot < all->n_slots && all->slots[slot]) {
		struct lane *l = all->slots[slot];

		log_warn("consumer_lost", "queue=%s: declared and consumed again", l->queues[(consumer - 1) % 2]);
		l->consumes[(consumer - 1) % 2] = false;
		look_in(l, AGAIN_MS);
	}
}

struct lanes *lanes_new(struct sender *s, int number)
{
	static const struct broker_callbacks callbacks = { .up = on_up, .down = on_down, .delivery = on_delivery, .refused = on_refused,
							   .consumer_gone = on_consumer_gone };
	struct lanes *all = mem_alloc(sizeof(*all));
	char name[64];
	struct broker_options o = topology_connection(s->topology, s->conf);

	*all = (struct lanes){ .s = s };
	list_init(&all->list);
	snprintf(name, sizeof(name), "wamd sender[%d] lanes", number);
	o.connection_name = name;
	all->broker = broker_new(s->loop, &o, &callbacks, all);
	return all;
}

void lanes_free(struct lanes **lp)
{
	struct lanes *all = *lp;

	if (!all)
		return;
	broker_free(&all->broker);
	while (!list_is_empty(&all->list))
		lane_free(CONTAINER_OF(list_pop(&all->list), struct lane, list));
	free(all->slots);
	free(all);
	*lp = NULL;
}

static void each(struct lanes *all, void (*f)(struct lane *l))
{
	struct list *next;

	for (struct list *i = all->list.next; i != &all->list; i = next) {
		struct lane *l = CONTAINER_OF(i, struct lane, list);

		next = i->next;
		if (l->state != LANE_OVER)
			f(l);
	}
}

void lanes_drain(struct lanes *all)
{
	all->draining = true;
	if (broker_is_up(all->broker) && broker_cancel(all->broker, TICKETS, NULL, NULL) < 0)
		log_debug("lanes", "no tickets were taken");
	each(all, give_back);
}

static void look_now(struct lane *l)
{
	look_in(l, 0);
}

void lanes_rest(struct lanes *all)
{
	all->resting = true;
	each(all, stop_taking);
}

void lanes_go_on(struct lanes *all)
{
	all->resting = false;
	each(all, look_now);
}

bool lanes_are_idle(const struct lanes *all)
{
	return broker_unwritten(all->broker) == 0;
}

int lanes_held(const struct lanes *all)
{
	return all->n;
}
