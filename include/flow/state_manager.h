/*
 * state_manager - the HTTP service that is told what becomes of messages: one call, one answer.  The keeper alone calls it.
 *
 * POST bind_path {"wamid","mappingId"} binds a WAMID to the message's id; PATCH status_path {"status","timestamp"} is one step.
 * What its answers mean: 2xx taken; 404 to a status: the WAMID is not bound; any other 4xx: this one is refused, and would be again.
 * 401, 403, 405, 407, 408, 425, 429, 404 to a binding, and whatever else is no such answer, speak of the service, not of the message: not now.
 * Ownership: texts are copied; the answer is borrowed until done returns.
 */
#ifndef FLOW_STATE_MANAGER_H
#define FLOW_STATE_MANAGER_H

#include "base/loop.h"
#include "conf/conf.h"
#include "msg/state_steps.h"

struct state_manager;

enum state_word { STATE_TAKEN, STATE_REFUSED, STATE_UNBOUND, STATE_AWAY };

struct state_answer {
	enum state_word word;
	const char *why;		/* "" when taken */
	bool may_be_taken;		/* AWAY: it may have taken it nevertheless */
	int64_t retry_after_ms;		/* AWAY: it asks for so long a pause; 0: it does not */
};

typedef void state_done_f(void *arg, const struct state_answer *a);

struct state_manager *state_manager_new(struct loop *l, const struct conf *c);
void state_manager_free(struct state_manager **sp);			/* open calls are answered first */
/* done comes once, never from inside. */
void state_manager_bind(struct state_manager *s, const char *wamid, const char *id, state_done_f *done, void *arg);
void state_manager_tell(struct state_manager *s, const char *wamid, const struct state_told *step, state_done_f *done, void *arg);

#endif
