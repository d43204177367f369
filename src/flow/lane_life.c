#include "flow/lane_inside.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "flow/hold.h"
#include "flow/keys.h"
#include "flow/pace.h"

enum {
	REFRESH_MS = 5000, REFRESH_MIN_MS = 100,
	LEASE_MS = 15000,		/* shows who holds it, and that somebody does */
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

void lane_enter(struct lane *l, enum lane_state next)
{
	if (!(may_enter[l->state] & BIT(next)))
		BUG("lane %s: %s -> %s", l->number, state_names[l->state], state_names[next]);
	log_debug("lane", "number=%s state=%s", l->number, state_names[next]);
	l->state = next;
}

/* ---- the end of one ---- */

void lane_look_in(struct lane *l, int64_t ms)
{
	loop_timer_set(l->all->s->loop, &l->tick, ms);
}

void lane_free(struct lane *l)
{
	struct lanes *all = l->all;

	loop_timer_stop(all->s->loop, &l->tick);
	list_del(&l->list);
	all->slots[l->slot] = NULL;
	all->n--;
	board_gauge(all->s->slot, GAUGE_LANES, all->n);
	free(l);
}

void lane_free_when_done(struct lane *l)
{
	if (l->state == LANE_OVER && !l->in_hand && !l->pending)
		lane_look_in(l, 0);
}

void lane_drop_ready(struct lane *l, bool nack)
{
	struct list *all = &l->all->s->deliveries, *next;

	for (struct list *i = all->next; i != all; i = next) {
		struct delivery *d = CONTAINER_OF(i, struct delivery, all);

		next = i->next;
		if (d->lane == l && delivery_is_unbegun(d))
			delivery_drop(d, nack);
	}
}

/* ---- taking from it ---- */

static int consumer_of(const struct lane *l, int high)
{
	return 1 + 2 * l->slot + high;
}

static void on_cancelled(void *arg, bool ok)
{
	struct lane *l = arg;

	(void)ok;
	l->pending--;
	lane_free_when_done(l);
	lane_delete_when_free(l);
	if (l->state == LANE_AWAKE)
		lane_look_in(l, 0);		/* woken while its consumers were still going */
}

void lane_stop_taking(struct lane *l)
{
	for (int high = 0; high < 2; high++) {
		if (!l->consumes[high])
			continue;
		l->consumes[high] = false;
		if (broker_cancel(l->all->broker, consumer_of(l, high), on_cancelled, l) == 0)
			l->pending++;
	}
	lane_drop_ready(l, true);
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

int lane_ask(struct lane *l, const char *verb, int64_t a, int64_t b, store_reply_f *done)
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

const char *lane_answer(struct lane *l, const struct store_reply *r)
{
	l->pending--;
	l->is_asking = false;
	if (r && r->error)
		log_error("script_failed", "script=lane %s", r->error);
	if (l->state == LANE_OVER) {
		lane_free_when_done(l);
		return NULL;
	}
	if (r && !r->error && r->n > 0 && r->v[0].s)
		return r->v[0].s;
	lane_look_in(l, LANE_AGAIN_MS);
	return NULL;
}

int64_t lane_refresh_ms(const struct lane *l)
{
	int64_t ms = l->all->s->conf->lane_idle / 4;

	return ms > REFRESH_MS ? REFRESH_MS : ms < REFRESH_MIN_MS ? REFRESH_MIN_MS : ms;
}

/* ---- awake, asleep ---- */

void lane_awaken(struct lane *l)
{
	if (l->state != LANE_AWAKE)
		lane_enter(l, LANE_AWAKE);
	start_taking(l);
}

void lane_sleep(struct lane *l, int64_t ms)
{
	if (l->state == LANE_AWAKE || l->state == LANE_TAKING || l->state == LANE_CLOSING)
		lane_enter(l, LANE_ASLEEP);
	if (l->state != LANE_ASLEEP)
		return;
	lane_stop_taking(l);
	lane_look_in(l, ms < lane_refresh_ms(l) ? ms : lane_refresh_ms(l));
}

bool lane_is_open(const struct lane *l)
{
	return l->state != LANE_DELETING && l->state != LANE_OVER;
}

void lane_wake(struct lane *l)
{
	if (l->state == LANE_ASLEEP || l->state == LANE_AWAKE)
		lane_look_in(l, 0);
}

/* ---- looking after it ---- */

static void follow_gate(struct lane *l, int64_t closed_ms, int64_t look_ms)
{
	if (closed_ms > l->all->s->conf->hold_in_memory || account_is_off(l->account)) {
		lane_sleep(l, closed_ms ? look_ms : REFRESH_MS);
		return;
	}
	lane_awaken(l);
	lane_close_or_delete(l);
}

static void on_taken(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = lane_answer(l, r), *state;

	if (!word)
		return;
	(void)FAILPOINT(LANE_TAKEN);
	if (strcmp(word, "mine") || r->n != 5) {
		lane_lose(l);
		return;
	}
	state = r->v[1].s;
	if (l->state == LANE_DELETING) {
		lane_look_in(l, lane_refresh_ms(l));
	} else if (l->state == LANE_TAKING && !strcmp(state, "deleting")) {
		lane_delete_again(l);
	} else if (l->state == LANE_CLOSING && !strcmp(state, "closing")) {
		lane_close_or_delete(l);
	} else {
		follow_gate(l, r->v[2].i, r->v[3].i);
	}
}

/* Whose lane it is; false: it is not known yet. */
static bool find_account(struct lane *l)
{
	struct tenant *t;

	switch (directory_find(l->all->s->directory, l->tenant_id, &t)) {
	case DIRECTORY_FOUND:
		l->account = tenant_account(t, l->number);
		break;
	case DIRECTORY_UNKNOWN:
		break;
	case DIRECTORY_AWAY:
	case DIRECTORY_ASKED:
		lane_look_in(l, LANE_AGAIN_MS);
		return false;
	}
	if (l->account) {
		l->p = pace_of(l->all->s, l->account);
		l->p->lane = l;
	}
	l->is_orphan = !l->account;
	return true;
}

/* In time, or because the account is another one now: whoever takes it next finds that out. */
static bool is_to_be_given_back(const struct lane *l)
{
	return mono_diff_ms(mono_now(), l->since) >= l->all->s->conf->lane_renew || (l->account && l->account->is_gone);
}

static void on_tick(void *arg)
{
	struct lane *l = arg;

	if (l->state == LANE_TAKING && !l->account && !l->is_orphan && !find_account(l))
		return;

	if (l->state == LANE_OVER) {
		if (!l->in_hand && !l->pending)
			lane_free(l);
	} else if (l->state == LANE_DELETING && l->is_deleted && !l->is_asking) {
		lane_after_deletion(l);
	} else if (is_to_be_given_back(l) && l->state != LANE_DELETING && !l->is_asking) {
		lane_give_back(l);
	} else if (!l->account) {
		lane_drain_orphan(l);
	} else if (l->is_asking || lane_ask(l, l->state == LANE_TAKING ? "take" : "hold", LEASE_MS, 0, on_taken) < 0) {
		lane_look_in(l, LANE_AGAIN_MS);
	}
}

void lane_start(struct lane *l)
{
	l->state = LANE_TAKING;
	loop_timer_init(&l->tick, on_tick, l);
	lane_look_in(l, 0);
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
	lane_free_when_done(l);
	lane_delete_when_free(l);
}
