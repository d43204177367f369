/*
 * dlq_session - one call's work on the dead letters; private to src/api/dlq*.c.
 *
 * dlq.c reads the call and writes its answer, dlq_session.c counts, reads and gives back, dlq_publish.c publishes what was held,
 * dlq_edit.c makes the letter that edit publishes.
 * Stages only go forward.
 * Ownership: the session belongs to its struct dlq; it ends itself by dlq_answer() or dlq_fail(), a turn of the loop later.
 */
#ifndef API_DLQ_SESSION_H
#define API_DLQ_SESSION_H

#include "api/dlq.h"
#include "api/letter.h"
#include "api/letter_edit.h"
#include "base/list.h"
#include "io/broker.h"

enum dlq_stage { DLQ_COUNTING, DLQ_READING, DLQ_PUBLISHING, DLQ_RETURNING, DLQ_OVER };

struct dlq {
	struct loop *loop;
	const struct conf *conf;
	struct dlq_session *session;
};

struct dlq_session {
	struct dlq *d;
	enum dlq_what what;
	enum dlq_stage stage;
	struct http_call *call;		/* NULL: the client has gone */
	struct letter_filter filter;
	int64_t limit, rate;
	bool dry_run, may_duplicate, has_run[2];
	struct broker *in, *out;
	struct loop_timer deadline, idle, pace, end;
	mono_t began, publish_began;

	int64_t wanted, got, matched, replayed, dropped, skipped[LETTER_SKIPS], published;
	json_t *letters, *found;	/* list; show and edit: the newest that fits */
	struct broker_tag found_tag;	/* edit: until it is held or left */
	struct letter_edit edit;
	bool edited;			/* the new letter is confirmed */
	const char *refusal;		/* of the edit: its code, and why */
	struct strbuf refusal_why;
	struct list held;
	size_t held_bytes;
	int64_t n_held;			/* in all */
	int unconfirmed, barriers;
	int64_t seen_back;		/* of what goes back, in the queue again; grew: when more came */
	mono_t grew;
	struct broker_tag *left;	/* what goes back */
	size_t n_left, left_size;
	const char *stopped;		/* why it ended early */
};

struct dlq_session *dlq_session_new(struct dlq *d, enum dlq_what what);
void dlq_session_start(struct dlq_session *s, struct http_call *c);
void dlq_session_free(struct dlq_session *s);
void dlq_session_end(struct dlq_session *s);			/* not at once: a broker may not be freed in its own callback */
void dlq_session_leave(struct dlq_session *s, struct broker_tag tag);	/* in the queue */
void dlq_session_give_back(struct dlq_session *s);		/* what was left; then comes the answer */
void dlq_session_stop(struct dlq_session *s, const char *why);	/* before its time; why is kept as it is */

void dlq_answer(struct dlq_session *s);
void dlq_fail(struct dlq_session *s, int status, const char *code, const char *detail);

/* false: no room, and the tag stays the caller's. */
bool dlq_publish_hold(struct dlq_session *s, const json_t *letter, struct broker_tag tag);
void dlq_publish_start(struct dlq_session *s);			/* all is read: publish what is held */
void dlq_publish_give_up(struct dlq_session *s);		/* what is held and not yet published: left in the queue */
void dlq_publish_on_pace(void *session);

const char *dlq_edit_read(struct dlq_session *s, struct http_call *c, struct strbuf *why);	/* NULL, or the code of a problem */
void dlq_edit_take(struct dlq_session *s, const json_t *letter, struct broker_tag tag);
void dlq_edit_make(struct dlq_session *s);			/* all is read: hold the new letter, or leave the old one */

#endif
