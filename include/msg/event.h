/* event - what wamd publishes: status events, dead letters and alerts, all versioned ("v": 1). */
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
	const char *warning;		/* what may have kept it from arriving: outside_window, opted_out; NULL: nothing */
	bool sent_fallback;		/* its template went in its place */
	int attempts;
	int64_t at_ms;			/* Unix time */
};

void event_status(const struct event *e, struct strbuf *out);

/* What the record keeps of a message for the events that follow; nothing is appended where there is nothing. */
void event_context(const struct message *m, struct strbuf *out);

struct webhook_status;
struct status_event {			/* what a webhook told of a message */
	const struct webhook_status *w;
	const char *id, *tenant_id, *account_id;
	const char *context;		/* of event_context(), or "" */
	const char *state;		/* of the message, by all that was told */
	bool is_duplicate;		/* of an attempt beside the one that counts */
	const char *next;		/* what follows for a failure: "retry", "dead_letter" or "none"; NULL: another status */
};
void event_of_webhook(const struct status_event *e, struct strbuf *out);

struct dead_letter {
	struct event e;
	const void *body;		/* the message as it came: JSON stays JSON, anything else becomes message_b64 */
	size_t len;
	size_t real_len;		/* larger than what was read: body is not kept, only its size is told */
	bool is_gone;			/* nobody has it any more: "message": null */
	const char *history;		/* JSON objects divided by commas, or "" */
	int64_t first_seen_ms;
	const char *queue;
};

void event_dead_letter(const struct dead_letter *d, struct strbuf *out);

/* One attempt for the record's history: a JSON object. */
void event_attempt(int n, int64_t started_ms, int64_t took_ms, const char *outcome, int http, int code, const char *scope,
		   const char *error, struct strbuf *out);

/* The same for an attempt that Meta took, and said by webhook that it failed. */
void event_late_attempt(int n, int64_t at_ms, const char *outcome, int code, const char *scope, const char *error, struct strbuf *out);

struct alert_event {
	const char *kind, *severity, *state;			/* state: "raised" | "again" | "resolved" */
	const char *tenant_id, *account_id, *what;		/* whom and what it is about; NULL: does not apply */
	const char *text;					/* for people */
	int64_t since_ms, at_ms;				/* Unix time: first raised | this event */
	int64_t count;						/* how often it was raised since */
	const char *host;
};

void event_alert(const struct alert_event *e, struct strbuf *out);

#endif
