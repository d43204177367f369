/* state_inside - what src/flow/state_feed.c (the queue, and who is next) and state_talk.c (one message's steps) share. */
#ifndef FLOW_STATE_INSIDE_H
#define FLOW_STATE_INSIDE_H

#include "base/list.h"
#include "flow/keys.h"
#include "flow/state_feed.h"
#include "flow/state_manager.h"
#include "io/broker.h"

enum phase { PHASE_ASK, PHASE_CALL, PHASE_KEEP };	/* what was told | the next step | that it was told */

struct state_feed {
	struct state_feed_options o;
	struct broker *in;
	struct state_manager *manager;
	struct list talks, ready;	/* all messages in hand | those that may go on, the oldest first */
	int n_events, n_active;
	bool draining, is_ending;
	bool has_answered;		/* since the start */
	int rounds_failed;		/* in a row */
	mono_t not_before;		/* the service is away: no call until then */
	mono_t store_not_before;
	int64_t away_since_ms;		/* 0: it answers */
	struct loop_timer again, look;
	int64_t waiting;
	uint64_t calls, failures, good;
	char why[256];
};

/* One message and its events, in their order. */
struct talk {
	struct list list, ready;
	struct state_feed *f;
	struct list events;
	struct state_told told, steps[STATE_STEPS_MAX];
	int n_steps, at;
	enum phase phase;
	bool is_active;			/* an answer will come */
	bool is_planned;		/* steps are those of the first event */
	bool may_be_taken;		/* the step was tried before, and nobody knows what came of it */
	bool was_bound_again;
	int tries;			/* of the step that failed while others were taken … */
	uint64_t good_before;		/* … since this count */
	char key[KEY_TEXT_MAX];		/* tells it from all others, too */
};

struct told_of {			/* an event */
	struct list list;
	struct broker_tag tag;
	bool redelivered;
	mono_t since;
	struct state_event is;
};

static inline struct told_of *state_first_event(const struct talk *t)
{
	return CONTAINER_OF(t->events.next, struct told_of, list);
}

static inline bool state_is_pause(mono_t until)
{
	return until.us && mono_before(mono_now(), until);
}

/* state_feed.c */
void state_run(struct state_feed *f);			/* somebody may be able to go on: those that are ready, soon */
void state_event_free(struct state_feed *f, struct told_of *e);
void state_talk_free(struct talk *t);

/* state_talk.c */
bool state_may_call(const struct state_feed *f);
void state_go_on(struct talk *t);			/* t is not active, and not ready; it may be gone afterwards */

#endif
