/*
 * join - the way of an account's messages into its lane: the queue in the broker where they wait while it may not send, or has more
 * than it may send now.
 *
 * A lane exists only behind a ticket: the first that joins publishes one to amqp.lanes, waits for its confirm, and only then marks the
 * lane open in Redis (src/lua/lane.lua), so whatever dies, somebody will take from it.  A join is good for JOIN_MS: no publisher may
 * be late, for a lane that nobody joined is deleted after lane.grace.
 * Ownership: embedded in its pace.  Deliveries wait in `waiting` (by delivery.queue) with their carrier marked as waiting.
 */
#ifndef FLOW_JOIN_H
#define FLOW_JOIN_H

#include "base/loop.h"
#include "base/list.h"

struct delivery;
struct pace;

enum join_step { JOIN_IDLE, JOIN_ASKING, JOIN_TICKET, JOIN_LATER };

struct join {
	struct pace *p;
	enum join_step step;
	mono_t asked, fresh_until;
	bool is_declared;		/* its queues, on the publisher's connection of this generation */
	uint32_t generation;
	const char *why;		/* of the delivery that asked: static */
	struct list waiting;
	struct loop_timer again;
};

void join_init(struct join *j, struct pace *p);
void join_release(struct join *j);
bool join_is_fresh(const struct join *j);	/* this account's lane is open: its messages go there */
bool join_is_awaited(const struct join *j);	/* it is not known to be open yet, and some of its messages wait for that */
void join_forget(struct join *j);		/* its queue was gone */
void join_publish(struct join *j, struct delivery *d);	/* the copy of d, as soon as it may be; conclude goes on when it is confirmed */

#endif
