/*
 * lane - the taking side of lanes: this sender's tickets, and what it takes with each from the account's own queues.
 *
 * A lane is two durable queues, amqp.lane_prefix + phone number id, and the same with ".high" for priorities from 7, and one ticket in
 * amqp.lanes.  Whoever holds the ticket unacked takes from the lane; its death gives the ticket to another sender.  The ticket is acked
 * only when the queues are gone, or when a newer ticket of the same lane is in other hands (src/lua/lane.lua).
 * Everything here is on a connection of its own: a flood in the input cannot hold it up, and its trouble is nobody else's.
 * Ownership: lanes own the connection and each struct lane; a lane outlives its deliveries.
 */
#ifndef FLOW_LANE_H
#define FLOW_LANE_H

#include "flow/delivery.h"

struct lanes;
struct lane;

enum lane_state {
#define STATE(ident, name, help) LANE_##ident,
#include "tbl/lane_states.h"
#undef STATE
};

enum { LANE_NAME_MAX = 192, LANE_HIGH = 7 };
#define LANE_WHY_LIMIT "limit"
#define LANE_WHY_SHARE "share"		/* of the window */
#define LANE_WHY_ORDER "order"		/* others of the account wait there */

void lane_name(const struct conf *c, const char *phone_number_id, bool high, char out[LANE_NAME_MAX]);
int lane_declare(struct broker *b, const struct conf *c, const char *phone_number_id) MUST_CHECK;	/* both queues; -1: not up */

struct lanes *lanes_new(struct sender *s, int number);
void lanes_free(struct lanes **lp);
void lanes_drain(struct lanes *all);			/* gives every ticket back; what is in hand is finished */
void lanes_rest(struct lanes *all);			/* Redis is away for long: takes nothing until lanes_go_on() */
void lanes_go_on(struct lanes *all);
bool lanes_are_idle(const struct lanes *all);		/* everything is written */
int lanes_held(const struct lanes *all);

struct broker *lane_broker(const struct lane *l);
const char *lane_queue(const struct lane *l, bool high);
void lane_took(struct lane *l);				/* a delivery of it is in hand | is no more */
void lane_finished(struct lane *l);
bool lane_is_open(const struct lane *l);		/* not being deleted, nor over */
void lane_sleep(struct lane *l, int64_t ms);		/* its account may not send: gives back what is not begun, looks again then */
void lane_wake(struct lane *l);				/* something has changed: looks at once */

#endif
