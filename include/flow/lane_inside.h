/*
 * lane_inside - struct lane and struct lanes, for the three files that are lanes: lane.c has the tickets and the connection,
 * lane_life.c a lane's states and what it takes while it is awake, lane_close.c how it is given up, closed and deleted.  Nobody else
 * includes this.
 */
#ifndef FLOW_LANE_INSIDE_H
#define FLOW_LANE_INSIDE_H

#include "flow/lane.h"
#include "msg/ticket.h"

enum { LANE_AGAIN_MS = 500 };		/* Redis or the broker is away, or an answer is still to come */

struct lane {
	struct list list;
	struct lanes *all;
	int slot;
	enum lane_state state;		/* lane_enter() alone writes it */
	char number[TICKET_ID_MAX + 1];
	char queues[2][LANE_NAME_MAX];	/* and .high */
	char tenant_id[TICKET_ID_MAX + 1];
	const struct account *account;	/* NULL: its tenant is being asked for, or is_orphan */
	bool is_orphan;			/* nobody knows the account any more: its messages end as dead letters */
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

/* ---- lane_life.c ---- */

void lane_start(struct lane *l);			/* its ticket is in hand; all but state, tick and list are set */
void lane_enter(struct lane *l, enum lane_state next);
void lane_look_in(struct lane *l, int64_t ms);		/* in so long, instead of the time that was set before */
int64_t lane_refresh_ms(const struct lane *l);
void lane_awaken(struct lane *l);
void lane_stop_taking(struct lane *l);			/* what was not begun goes back */
void lane_drop_ready(struct lane *l, bool nack);
void lane_free(struct lane *l);
void lane_free_when_done(struct lane *l);		/* not before it returns: we may stand in a callback of what is being freed */

/* lane.lua's verb, with its two numbers; -1: Redis is away, done is not called. */
int lane_ask(struct lane *l, const char *verb, int64_t a, int64_t b, store_reply_f *done) MUST_CHECK;
/* What every answer begins with: its word, NULL when there is nothing to go on with. */
const char *lane_answer(struct lane *l, const struct store_reply *r);

/* ---- lane_close.c ---- */

void lane_over(struct lane *l);
void lane_lose(struct lane *l);				/* another sender has a newer ticket */
void lane_give_back(struct lane *l);			/* to all senders, us included */
void lane_close_or_delete(struct lane *l);		/* if it has been quiet for long enough */
void lane_delete_again(struct lane *l);			/* a former holder died deleting it */
void lane_delete_when_free(struct lane *l);		/* nothing of it is in hand and no consumer is left */
void lane_after_deletion(struct lane *l);		/* Redis is told what became of it */
void lane_drain_orphan(struct lane *l);			/* its account is gone from the configuration */

#endif
