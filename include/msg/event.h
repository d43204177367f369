/* event - what wamd publishes about a message: status events and dead letters, both versioned ("v": 1). */
#ifndef MSG_EVENT_H
#define MSG_EVENT_H

#include "msg/message.h"

struct event {
	const struct message *m;	/* decoded as far as possible */
	const char *account_id;		/* resolved, or NULL */
	const char *status;		/* "accepted" | "failed" */
	const char *wamid;		/* or NULL */
	const char *reason;		/* failed: a reason code */
	const char *error;		/* failed: words for people, or NULL */
	int code;			/* Graph's, 0: none */
	int attempts;
	int64_t at_ms;			/* Unix time */
};

void event_status(const struct event *e, struct strbuf *out);

struct dead_letter {
	struct event e;
	const void *body;		/* the message as it came: JSON stays JSON, anything else becomes message_b64 */
	size_t len;
	size_t real_len;		/* larger than what was read: body is not kept, only its size is told */
	const char *history;		/* JSON objects divided by commas, or "" */
	int64_t first_seen_ms;
	const char *queue;
};

void event_dead_letter(const struct dead_letter *d, struct strbuf *out);

/* One attempt for the record's history: a JSON object. */
void event_attempt(int n, int64_t started_ms, int64_t took_ms, const char *outcome, int http, int code, const char *scope,
		   const char *error, struct strbuf *out);

#endif
