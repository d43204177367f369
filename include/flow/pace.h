/*
 * pace - the deliveries of one account that are ready and wait for their turn in this sender.
 *
 * Order: priority first, then arrival.  Runs free until admit says "wait"; from then on one delivery at a time asks, and the
 * account sleeps as long as admit said.  It keeps no more than it can send within message.hold_in_memory (and a quarter of the
 * window); what is beyond goes through a delay queue.
 * Ownership: sender.paces, one an account, made at its first delivery and freed with the sender.
 */
#ifndef FLOW_PACE_H
#define FLOW_PACE_H

#include "flow/delivery.h"

struct pace {
	struct list runnable;		/* sender.runnable */
	struct sender *s;
	const struct account *account;
	struct http_headers *headers;	/* with the account's token */
	struct list ready[MESSAGE_PRIORITY_MAX + 1];
	int n_ready, n_asking;
	bool paced;
	struct loop_timer wake;
};

struct pace *pace_of(struct sender *s, const struct account *a);
void pace_free(struct pace **pp);
void pace_add(struct pace *p, struct delivery *d);		/* may send it to a delay queue at once */
void pace_add_back(struct pace *p, struct delivery *d);		/* it was asked for already: first of its priority */
void pace_remove(struct pace *p, struct delivery *d);
struct delivery *pace_next(struct pace *p);			/* the caller asks admit for it */
void pace_answered(struct pace *p, bool must_wait, int64_t wait_ms);	/* admit answered for one of ours */

#endif
