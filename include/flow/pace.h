/*
 * pace - the deliveries of one account that are ready and wait for their turn in this sender, and what it knows of the account.
 *
 * Order: priority first, then arrival.  Runs free until admit says "wait"; from then on one delivery at a time asks, and the
 * account sleeps as long as admit said.  It keeps no more than it can send within message.hold_in_memory, and while other accounts
 * send, too, no more than its share of the window (amqp.account_share), what is under way included; the rest takes the lane.
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
	struct http_headers *headers;	/* with the account's token */
	struct hold_fields holds;
	struct list ready[MESSAGE_PRIORITY_MAX + 1];
	int n_ready, n_asking;
	int n_from_lane;		/* of those that are ready */
	int n_active;			/* asking, sending or settling */
	bool paced;
	mono_t seen, answered;		/* the last delivery that came; the last step of one under way */
	struct loop_timer wake;
	mono_t held_until;		/* admit said so: what comes until then takes the lane at once */
	const char *held_why;
	struct join join;		/* the way into its lane */
	struct lane *lane;		/* NULL: not held by this sender */
};

struct pace *pace_of(struct sender *s, const struct account *a);
void pace_free(struct pace **pp);
void pace_add(struct pace *p, struct delivery *d);		/* may send it to the lane at once */
void pace_add_back(struct pace *p, struct delivery *d);		/* it was asked for already: to its place */
void pace_remove(struct pace *p, struct delivery *d);
struct delivery *pace_next(struct pace *p);			/* the caller asks admit for it */
void pace_answered(struct pace *p, bool must_wait, int64_t wait_ms);	/* admit answered for one of ours */
void pace_active(struct pace *p, int change);
void pace_held(struct pace *p, int64_t ms, const char *why);	/* nothing of it may go for so long: all that waits takes the lane */
void pace_go_on(struct pace *p);				/* what held it is over */

int pace_seen(struct pace *const *paces, int n, mono_t now);	/* accounts that had something to send within the last minute */

void pace_near_limit(struct pace *p, bool near);	/* admit said so: people are told */

/* Why d must go to the lane without asking, NULL: it need not. */
const char *pace_goes_to_lane(const struct pace *p, const struct delivery *d);
/* A message keeps its place behind those in the lane: all but those that had their turn already. */
bool pace_minds_lane(const struct delivery *d);

#endif
