/*
 * pace - the deliveries of one account that are ready and wait for their turn in this sender, and what it knows of the account.
 *
 * Order: priority first, then arrival.  Runs free until admit says "wait", as many at once as the limit lets out at once; from then
 * on one delivery at a time asks, and the account sleeps as long as admit said.  It keeps no more than it can send within
 * message.hold_in_memory, and while other accounts send, too, no more than its share of the window (amqp.account_share), what is under
 * way included; the rest takes the lane.
 * Ownership: sender.paces, one an account, made at its first delivery and freed with the sender.
 */
#ifndef FLOW_PACE_H
#define FLOW_PACE_H

#include "flow/delivery.h"
#include "flow/hold.h"
#include "flow/join.h"

struct pace {
	struct list runnable;		/* sender.runnable */
	struct sender *s;
	const struct account *account;
	struct http_headers *headers;	/* with the account's token; NULL: the account is gone */
	struct http_place *place;	/* where its messages go, with that token's proof */
	unsigned token_serial;		/* of that token */
	int tier;			/* of the account, in the scoreboard */
	bool is_off;			/* when its account changed last, nothing of it was to be sent (account_is_off) */
	int n_checks;			/* refused messages that wait for another token: nothing new is sent with this one */
	struct hold_fields holds;
	struct list ready[MESSAGE_PRIORITY_MAX + 1];
	int n_ready, n_asking;
	int n_from_lane, n_lane_asking;	/* of those that are ready, of those that ask */
	int n_active;			/* asking, sending or settling */
	bool paced;
	mono_t seen, answered, admitted;	/* the last delivery that came; step of one under way; answer of admit */
	struct loop_timer wake;
	mono_t held_until;		/* admit said so: what comes until then takes the lane at once */
	const char *held_why;
	const char *leaving;		/* why what is ready takes the lane, in its order, once those that ask have come back; NULL: it stays */
	uint64_t behind_lane;		/* LANE_WHY_ORDER: from this delivery on */
	uint64_t ahead_of;		/* the first that this sender put into the lane, if it has opened it: what came before is ahead of the lane */
	bool is_opener;
	struct join join;		/* the way into its lane */
	struct lane *lane;		/* NULL: not held by this sender */
};

struct pace *pace_of(struct sender *s, const struct account *a);
void pace_free(struct pace **pp);
void pace_add(struct pace *p, struct delivery *d);		/* may send it to the lane at once */
void pace_add_back(struct pace *p, struct delivery *d);		/* it was asked for already: to its place */
void pace_remove(struct pace *p, struct delivery *d);
struct delivery *pace_next(struct pace *p);			/* the caller asks admit for it */
void pace_answered(struct delivery *d, bool must_wait, int64_t wait_ms);	/* admit answered for it, which says next what becomes of it */
void pace_tidy(struct pace *p);				/* after that: what does not fit, or may not stay, takes the lane */
void pace_active(struct pace *p, int change);
/* Nothing of it may go for so long: all that waits takes the lane (pace_tidy).  It is asked again in look_ms. */
void pace_held(struct pace *p, int64_t ms, int64_t look_ms, const char *why);
/* The lane was opened before d came: that and what came later takes it, too (pace_tidy). */
void pace_follow_lane(struct pace *p, const struct delivery *d);
void pace_goes_into_lane(struct pace *p, const struct delivery *d);	/* before it does */
void pace_lane_joined(struct pace *p, bool first);		/* first: it was opened by this sender just now */
void pace_go_on(struct pace *p);				/* what held it is over */

void pace_check_token(struct pace *p, int change);
void pace_account_changed(struct pace *p);			/* the account is another now, or gone */
void pace_retire(struct pace *p);				/* of an account that is gone: forgets what nobody uses any more */

int pace_seen(struct pace *const *paces, int n, mono_t now);	/* accounts that had something to send within the last minute */

void pace_near_limit(struct pace *p, bool near);	/* admit said so: people are told */

/* Why d must go to the lane without asking, NULL: it need not. */
const char *pace_goes_to_lane(const struct pace *p, const struct delivery *d);
/* A message keeps its place behind those in the lane: all but those that had their turn already. */
bool pace_minds_lane(const struct delivery *d);

#endif
