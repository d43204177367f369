#include "flow/state_inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/rand.h"

enum {
	BACKOFF_MIN_MS = 100,
	AWAY_AFTER = 3,			/* rounds in a row: it is not one call, it is the service */
	TRIES_MAX = 20,
	STORE_PAUSE_MS = 250,
};

static void begin_wait(struct talk *t)
{
	t->is_active = true;
	t->f->n_active++;
}

/* false: nobody is there any more who could go on. */
static bool end_wait(struct talk *t)
{
	t->is_active = false;
	t->f->n_active--;
	return !t->f->is_ending;
}

/* In front: it has waited the longest. */
static void put_back(struct talk *t)
{
	list_add_head(&t->f->ready, &t->ready);
}

/* ---- Redis ---- */

static void store_is_away(struct talk *t)
{
	struct state_feed *f = t->f;

	f->store_not_before = mono_add_ms(mono_now(), STORE_PAUSE_MS);
	put_back(t);
	state_run(f);
}

static void on_asked(void *arg, const struct store_reply *r)
{
	struct talk *t = arg;

	if (!end_wait(t))
		return;
	if (!r || r->error || r->n != 1) {
		store_is_away(t);
		return;
	}
	if (r->v[0].kind != STORE_TEXT || state_told_parse(&t->told, r->v[0].s) < 0)
		t->told = (struct state_told){ MESSAGE_STATUS_OTHER, 0 };
	t->phase = PHASE_CALL;
	state_go_on(t);
}

static void ask(struct talk *t)
{
	struct store_arg args[] = { STORE_ARG("GET"), STORE_ARG(t->key) };

	if (store_command(t->f->o.store, args, 2, on_asked, t) < 0)
		store_is_away(t);
	else
		begin_wait(t);
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct talk *t = arg;

	if (!end_wait(t))
		return;
	if (!r || r->error) {
		store_is_away(t);
		return;
	}
	t->phase = PHASE_CALL;
	state_go_on(t);
}

/* It outlives the record, for events come as long as that is there. */
static void keep(struct talk *t)
{
	const struct conf *c = t->f->o.conf;
	char text[STATE_TOLD_TEXT_MAX], ttl[24];
	struct store_arg args[5];

	state_told_format(&t->told, text);
	snprintf(ttl, sizeof(ttl), "%" PRId64, c->max_age + c->record_ttl + topology_tail(t->f->o.topology));
	args[0] = STORE_ARG("SET");
	args[1] = STORE_ARG(t->key);
	args[2] = STORE_ARG(text);
	args[3] = STORE_ARG("PX");
	args[4] = STORE_ARG(ttl);
	if (store_command(t->f->o.store, args, 5, on_kept, t) < 0)
		store_is_away(t);
	else
		begin_wait(t);
}

/* ---- whether the service answers ---- */

static int64_t backoff(const struct state_feed *f)
{
	int64_t most = BACKOFF_MIN_MS << (f->rounds_failed < 12 ? f->rounds_failed : 12);

	if (most > f->o.conf->state_retry)
		most = f->o.conf->state_retry;
	return most / 2 + (int64_t)(rand_u64() % (uint64_t)(most / 2 + 1));
}

/* What was under way beside the first that failed is of the same round. */
static void is_away(struct state_feed *f, const struct state_answer *a)
{
	static struct log_limit limit;
	unsigned left_out;
	int64_t ms;

	f->failures++;
	board_count(f->o.slot, COUNT_STATE_RETRIED);
	snprintf(f->why, sizeof(f->why), "%s", a->why);
	if (state_is_pause(f->not_before))
		return;
	f->rounds_failed++;
	if (!f->away_since_ms)
		f->away_since_ms = wall_ms();
	ms = backoff(f);
	f->not_before = mono_add_ms(mono_now(), ms > a->retry_after_ms ? ms : a->retry_after_ms);
	if (log_limit_ok(&limit, &left_out))
		log_warn("state_away", "%s", a->why);
	if (f->rounds_failed == AWAY_AFTER)
		alert_raise(f->o.alerts, ALERT_STATE_MANAGER_AWAY, &(struct alert_subject){ NULL, NULL, "state_manager" }, "%s", a->why);
}

/* A keeper that died may have raised it. */
static void is_back(struct state_feed *f)
{
	if (f->rounds_failed >= AWAY_AFTER)
		log_notice("state_back", "the state manager answers again");
	if (f->rounds_failed >= AWAY_AFTER || !f->has_answered)
		alert_resolve(f->o.alerts, ALERT_STATE_MANAGER_AWAY, &(struct alert_subject){ NULL, NULL, "state_manager" }, "it answers");
	f->has_answered = true;
	f->good++;
	f->rounds_failed = 0;
	f->not_before = (mono_t){ 0 };
	f->away_since_ms = 0;
	f->why[0] = 0;
	state_run(f);
}

/* ---- one step ---- */

static void tell_refused(const struct talk *t, const struct state_answer *a)
{
	static struct log_limit limit;
	const struct told_of *e = state_first_event(t);
	unsigned left_out;

	board_count(t->f->o.slot, COUNT_STATE_REFUSED);
	if (log_limit_ok(&limit, &left_out))
		log_warn("state_refused", "id=%s tenant=%s status=%s: %s", e->is.id, e->is.tenant_id, message_status_word(t->steps[t->at].status), a->why);
}

/* Refused or not: it would be the same the next time, so the next step follows. */
static void step_is_over(struct talk *t)
{
	t->told = t->steps[t->at++];
	t->may_be_taken = false;
	t->tries = 0;
	t->phase = PHASE_KEEP;
	(void)FAILPOINT(STATE_TOLD);
	state_go_on(t);
}

/* Behind the others, for it may be this message that the service cannot bear; if it always is, while others go, it is refused. */
static void try_later(struct talk *t, const struct state_answer *a)
{
	struct state_feed *f = t->f;

	is_away(f, a);
	t->tries += t->good_before != f->good;
	t->good_before = f->good;
	if (t->tries < TRIES_MAX) {
		list_add_tail(&f->ready, &t->ready);
		state_run(f);
		return;
	}
	tell_refused(t, a);
	step_is_over(t);
}

static void bind_message(struct talk *t, state_done_f *done)
{
	const struct told_of *e = state_first_event(t);

	t->f->calls++;
	begin_wait(t);
	state_manager_bind(t->f->manager, e->is.wamid, e->is.id, done, t);
}

static void on_bound_again(void *arg, const struct state_answer *a)
{
	struct talk *t = arg;

	if (!end_wait(t))
		return;
	if (a->word != STATE_AWAY) {
		state_go_on(t);		/* the step once more */
		return;
	}
	t->was_bound_again = false;
	try_later(t, a);
}

static void on_answer(void *arg, const struct state_answer *a)
{
	struct talk *t = arg;

	if (!end_wait(t))
		return;
	if (a->word == STATE_AWAY) {
		t->may_be_taken |= a->may_be_taken;
		try_later(t, a);
		return;
	}
	is_back(t->f);
	if (a->word == STATE_UNBOUND && !t->was_bound_again) {
		t->was_bound_again = true;
		bind_message(t, on_bound_again);
		return;
	}
	if (a->word == STATE_TAKEN || t->may_be_taken)
		board_count(t->f->o.slot, COUNT_STATE_TOLD);
	else
		tell_refused(t, a);
	step_is_over(t);
}

static void call(struct talk *t)
{
	if (t->steps[t->at].status == MESSAGE_STATUS_ACCEPTED) {
		bind_message(t, on_answer);
		return;
	}
	t->f->calls++;
	begin_wait(t);
	state_manager_tell(t->f->manager, state_first_event(t)->is.wamid, &t->steps[t->at], on_answer, t);
}

/* ---- one message ---- */

/* false: nothing of it is left, and t is gone. */
static bool next_event(struct talk *t)
{
	struct state_feed *f = t->f;
	struct told_of *e = CONTAINER_OF(list_pop(&t->events), struct told_of, list);

	broker_ack(f->in, e->tag);
	state_event_free(f, e);
	t->is_planned = t->was_bound_again = false;
	if (!list_is_empty(&t->events))
		return true;
	state_talk_free(t);
	return false;
}

/* What a dead keeper told last may not be kept. */
static void plan(struct talk *t)
{
	const struct told_of *e = state_first_event(t);

	t->n_steps = state_steps(&t->told, e->is.status, e->is.at_ms, t->steps);
	t->at = 0;
	t->may_be_taken = e->redelivered;
	t->is_planned = true;
}

bool state_may_call(const struct state_feed *f)
{
	if (f->draining || state_is_pause(f->not_before) || state_is_pause(f->store_not_before))
		return false;
	return !f->rounds_failed || !f->n_active;	/* while it is away: one at a time finds out */
}

void state_go_on(struct talk *t)
{
	struct state_feed *f = t->f;

	if (t->phase == PHASE_KEEP) {	/* also while draining: what is known now must not get lost */
		keep(t);
		return;
	}
	while (t->phase == PHASE_CALL) {
		if (!t->is_planned)
			plan(t);
		if (t->at < t->n_steps)
			break;
		if (!next_event(t)) {
			state_run(f);
			return;
		}
	}
	if (!state_may_call(f)) {
		put_back(t);
		state_run(f);
	} else if (t->phase == PHASE_ASK) {
		ask(t);
	} else {
		call(t);
	}
}
