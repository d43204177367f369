#include "flow/lane_inside.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "flow/alert.h"
#include "flow/pace.h"

enum { DELETING_MS = 60000 };		/* joiners wait so long for a deleter who has died */

/* ---- giving it up ---- */

void lane_over(struct lane *l)
{
	lane_stop_taking(l);
	if (l->p && l->p->lane == l)
		l->p->lane = NULL;
	lane_enter(l, LANE_OVER);
	lane_free_when_done(l);
}

void lane_lose(struct lane *l)
{
	log_info("lane_lost", "number=%s: another sender holds it", l->number);
	broker_ack(l->all->broker, l->ticket);
	lane_over(l);
}

static void on_left(void *arg, const struct store_reply *r)
{
	(void)lane_answer(arg, r);
}

void lane_give_back(struct lane *l)
{
	lane_stop_taking(l);
	if (l->account && lane_ask(l, "leave", 0, 0, on_left) < 0)
		log_debug("lane_left", "number=%s: Redis is away", l->number);
	broker_nack(l->all->broker, l->ticket);
	lane_over(l);
}

/* ---- close, grace, delete, gone ---- */

static void on_gone(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;

	if (!lane_answer(l, r))
		return;
	(void)FAILPOINT(LANE_GONE);
	board_count(l->all->s->slot, COUNT_LANES_CLOSED);
	log_info("lane_closed", "tenant=%s account=%s", l->account->tenant->id, l->account->id);
	alert_resolve(l->all->s->alerts, ALERT_LIMIT_QUEUEING,
		      &(struct alert_subject){ l->account->tenant->id, l->account->id, NULL }, "nothing waits any more");
	broker_ack(l->all->broker, l->ticket);
	lane_over(l);
}

static void on_kept(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;

	if (!lane_answer(l, r))
		return;
	lane_enter(l, LANE_TAKING);
	lane_look_in(l, 0);
}

void lane_after_deletion(struct lane *l)
{
	if (!l->account) {		/* no Redis of a tenant that is gone */
		broker_ack(l->all->broker, l->ticket);
		lane_over(l);
	} else if (lane_ask(l, l->is_in_use ? "kept" : "gone", 0, 0, l->is_in_use ? on_kept : on_gone) < 0) {
		lane_look_in(l, LANE_AGAIN_MS);
	}
}

static void on_deleted(void *arg, enum broker_deletion what)
{
	struct lane *l = arg;

	l->pending--;
	l->deletions--;
	l->is_in_use |= what != BROKER_DELETED;
	if (l->state == LANE_OVER) {
		lane_free_when_done(l);
	} else if (!l->deletions) {
		(void)FAILPOINT(LANE_DELETED);
		l->is_deleted = true;
		lane_after_deletion(l);
	}
}

void lane_delete_when_free(struct lane *l)
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
	lane_enter(l, LANE_DELETING);
	lane_stop_taking(l);
	lane_delete_when_free(l);
}

static void on_deleting(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = lane_answer(l, r);

	if (!word)
		return;
	(void)FAILPOINT(LANE_DELETING);
	if (!strcmp(word, "deleting") && (l->state == LANE_CLOSING || l->state == LANE_TAKING))
		start_deleting(l);
	else if (l->state == LANE_CLOSING)
		lane_awaken(l);
	lane_look_in(l, lane_refresh_ms(l));
}

static void on_closing(void *arg, const struct store_reply *r)
{
	struct lane *l = arg;
	const char *word = lane_answer(l, r);

	if (word && !strcmp(word, "closing") && l->state == LANE_AWAKE) {
		lane_enter(l, LANE_CLOSING);
		l->closing_since = mono_now();
	}
	if (word)
		lane_look_in(l, lane_refresh_ms(l));
}

void lane_delete_again(struct lane *l)
{
	if (lane_ask(l, "delete", 0, DELETING_MS, on_deleting) < 0)
		lane_look_in(l, LANE_AGAIN_MS);
}

/* ---- when ---- */

static bool is_quiet(const struct lane *l, int64_t ms)
{
	return !l->in_hand && mono_diff_ms(mono_now(), l->quiet_since) >= ms;
}

/* Nobody joined in the grace, and nothing came. */
void lane_close_or_delete(struct lane *l)
{
	const struct conf *c = l->all->s->conf;
	int err = 0;

	if (l->state == LANE_AWAKE && is_quiet(l, c->lane_idle))
		err = lane_ask(l, "close", 0, 0, on_closing);
	else if (l->state == LANE_CLOSING && is_quiet(l, c->lane_grace) && mono_diff_ms(mono_now(), l->closing_since) >= c->lane_grace)
		err = lane_ask(l, "delete", c->lane_grace, DELETING_MS, on_deleting);
	else
		err = -1;
	if (err)
		lane_look_in(l, lane_refresh_ms(l));
}

/* The account is gone from the configuration: its messages become dead letters, and then the lane is deleted. */
void lane_drain_orphan(struct lane *l)
{
	const struct conf *c = l->all->s->conf;

	if (l->state == LANE_TAKING)
		lane_awaken(l);
	else if (l->state == LANE_AWAKE && is_quiet(l, c->lane_idle + c->lane_grace)) {
		lane_enter(l, LANE_CLOSING);
		start_deleting(l);
	}
	lane_look_in(l, lane_refresh_ms(l));
}
