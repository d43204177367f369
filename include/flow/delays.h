/*
 * delays - brings copies back from the delay queues when their time has come: taken, held, published into the input, acked after the
 * confirm.
 *
 * The broker could do that by itself, with a TTL and dead-lettering, and does for what nobody has fetched amqp.retry_grace after its
 * time (a step that is no longer in the settings).  But a classic queue removes what it dead-letters without waiting for the target to
 * have it on disk: a broker killed in that moment has it in neither queue.  Nobody else could know of the loss.
 *
 * A copy says when it was published (msg/hop.h), and its queue how long it must wait.  What is redelivered here may be in the input
 * already; its hop says so there, for admit must not take it for one that nobody has seen.
 * Messages of one queue are held up to DELAYS_HELD_MAX at once, the oldest first; the others wait in the broker, and are not late for it.
 * Ownership: conf, topology and out are borrowed.  Free out first: its publications end here.
 */
#ifndef FLOW_DELAYS_H
#define FLOW_DELAYS_H

#include "conf/conf.h"
#include "flow/topology.h"
#include "io/broker.h"

struct delays;

enum { DELAYS_HELD_MAX = 128 };

struct delays *delays_new(struct loop *l, const struct conf *c, const struct topology *t, struct broker *out);
void delays_free(struct delays **dp);

/* Takes nothing new; what comes due until the end is still brought back, the rest goes to the next keeper with the connection. */
void delays_drain(struct delays *d);
bool delays_are_idle(const struct delays *d);	/* nothing is published and not confirmed, or not acked */

/* How many of a queue's messages are in hand here: the broker does not count them as ready. */
int delays_held(const struct delays *d, const char *queue);

/* For how long a copy that came just now is still to be held.  Whatever the clocks say, never longer than its step; one that does not
   say when it was published waits for all of it.  Pure. */
int64_t delays_left_ms(int64_t step_ms, int64_t published_ms, int64_t now_ms);

#endif
