/*
 * state_steps - what the state manager must be told so that it comes from what it knows to what has happened.  Pure.
 *
 * It takes one step at a time: bound to our id, sent, delivered, read; or failed, before it was delivered.  Meta leaves steps out, says
 * things twice and in any order.  So missing steps are put in, and what leads nowhere new makes none: an earlier status, failed after
 * delivered, anything after failed.  played is read.
 * Times are strictly later from step to step, for the state manager leaves out what is not newer than what it has: the event's own
 * time where that is possible, those of steps put in just before it, else just after what was told last.
 */
#ifndef MSG_STATE_STEPS_H
#define MSG_STATE_STEPS_H

#include "msg/webhook.h"

enum { STATE_STEPS_MAX = 4, STATE_TOLD_TEXT_MAX = 48, STATE_WAMID_MAX = 255 };

/* MESSAGE_STATUS_OTHER: nothing yet; ACCEPTED: bound, which has no time there, but what follows is later than at_ms. */
struct state_told { enum message_status status; int64_t at_ms; };

int state_steps(const struct state_told *told, enum message_status event, int64_t at_ms, struct state_told steps[STATE_STEPS_MAX]);

enum state_event_kind {
	STATE_EVENT_NEWS,
	STATE_EVENT_NOTHING,		/* it never got to Graph, so has no WAMID; or a status that leads nowhere */
	STATE_EVENT_STRANGE,		/* no status event of ours */
};

struct state_event {			/* texts live as long as json */
	json_t *json;
	const char *tenant_id, *id, *wamid;
	enum message_status status;
	int64_t at_ms;
};

/* body NULL: too large.  Leaves e releasable, whatever it is. */
enum state_event_kind state_event_read(struct state_event *e, const void *body, size_t len, struct strbuf *why);
void state_event_release(struct state_event *e);

/* As it is kept: "delivered 1764000000000". */
void state_told_format(const struct state_told *t, char out[STATE_TOLD_TEXT_MAX]);
int state_told_parse(struct state_told *t, const char *text) MUST_CHECK;

#endif
