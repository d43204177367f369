/*
 * answer - what Graph's answer to a POST means.
 *
 * Sources: Meta's "Error codes", "Graph API - Handle Errors" (branch on code, never on HTTP status or titles); the classes
 * are include/tbl/outcomes.h.  Pure: the transport's fate comes in as plain values.
 */
#ifndef MSG_ANSWER_H
#define MSG_ANSWER_H

#include "base/outcome.h"

enum { WAMID_MAX = 256, ANSWER_TEXT_MAX = 256 };

struct answer {
	enum outcome outcome;
	int http;			/* 0: no answer */
	int code, subcode;		/* Graph's; 0 with http 2xx: none */
	bool has_code;
	enum scope scope;		/* what the code says is in trouble; none for codes that are not in the table */
	enum reaction reaction;
	int retries_max;		/* of this code alone; INT_MAX: no cap */
	char wamid[WAMID_MAX + 1];	/* sent only; "": there is none */
	char text[ANSWER_TEXT_MAX];	/* Graph's words (code's details, else message) or the transport's; cut, long numbers masked */
	int64_t retry_after_ms;		/* -1: not said */
};

/* own: the operator's classes, or NULL; usage: X-Business-Use-Case-Usage, or NULL */
void answer_read(struct answer *a, const struct error_classes *own, long http, const char *body, size_t len, int64_t retry_after_s,
		 const char *usage);
/* Then, where no message was sent and {"success":true} is all there is to say: sent, without a WAMID. */
void answer_read_success(struct answer *a, const char *body, size_t len);
void answer_lost(struct answer *a, bool body_was_read, const char *why);	/* no whole answer */

/* Not an answer but a webhook: what was taken has failed with this code.  Never unknown, for nothing is sent again on a code that nobody knows. */
void answer_of_webhook(struct answer *a, const struct error_classes *own, int code, const char *text);
bool answer_doubts_template(const struct answer *a);	/* the template is not what it was when it was fetched: missing, other parameters */

int64_t answer_regain_ms(const char *usage);	/* how long Graph wants no calls; 0: it did not say */

enum outcome graph_error_class(const struct error_classes *own, int http, int code, bool transient);
enum scope graph_error_scope(int http, int code);

#endif
