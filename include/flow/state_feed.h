/*
 * state_feed - takes status events from the queue amqp.state_manager and tells the state manager of them (msg/state_steps.h says what).
 *
 * At least once, in order for each message, different messages beside each other; an event is acked when all its steps were taken or
 * refused.  The broker gives the queue to one keeper of the fleet at a time (single active consumer), so there is no lock.
 * What was told last is remembered in Redis (key_state_told) after each step.  A step that may have been taken without our knowing - no
 * whole answer came, or a keeper died - is told again as it was, with the same time, and a refusal then means that it was.
 * While the service or Redis is away the window stays in hand and everything else in the queue: nothing is requeued; one call at a time
 * finds out whether it is back.  Before the broker takes back by itself what is unacked, the connection is made anew.
 * Ownership: conf, topology, store, alerts and slot are borrowed.  Free the store first: its pending calls end here.
 */
#ifndef FLOW_STATE_FEED_H
#define FLOW_STATE_FEED_H

#include "base/board.h"
#include "conf/conf.h"
#include "flow/alert.h"
#include "flow/topology.h"
#include "io/store.h"

struct state_feed;

struct state_feed_options {
	struct loop *loop;
	const struct conf *conf;
	const struct topology *topology;
	struct store *store;
	struct alerts *alerts;
	struct board_slot *slot;
};

struct state_feed *state_feed_new(const struct state_feed_options *o);	/* NULL: there is no state manager, here and below */
void state_feed_free(struct state_feed **fp);

/* Begins nothing more; what is not acked goes back to the broker with the connection, and to the next keeper. */
void state_feed_drain(struct state_feed *f);
bool state_feed_is_idle(const struct state_feed *f);	/* no call is under way */

/* For operators. */
struct state_feed_view {
	bool is_on, is_connected, is_away;
	int64_t away_since_ms;		/* Unix time */
	int in_hand;			/* events */
	int64_t waiting;		/* in the queue, as of some seconds ago; -1: not known */
	uint64_t calls, failures;
	const char *why;		/* the last failure since it answered well, or "" */
};
void state_feed_look(const struct state_feed *f, struct state_feed_view *out);

#endif
