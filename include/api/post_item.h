/*
 * post_item - one message on its way to the input queue, whoever brings it: a tenant over the HTTP API (v1_post.c), or an operator (send.c).
 *
 * It is checked as a sender will check it, so what is refused is refused in the answer.  Private to src/api.
 * Ownership: embedded; post_item_release() empties it, and not before the broker has told the fate of what was published.
 */
#ifndef API_POST_ITEM_H
#define API_POST_ITEM_H

#include "conf/conf.h"
#include "io/broker.h"
#include "io/store.h"
#include "msg/message.h"

enum item_state { ITEM_READY, ITEM_REFUSED, ITEM_PUBLISHED, ITEM_QUEUED, ITEM_FAILED };

struct posting;

struct post_item {
	struct posting *p;			/* of v1_posting.h; NULL: an operator's */
	enum item_state state;
	char *id, *key, *correlation_id;	/* key: the message key; correlation_id or NULL */
	char digest[2 * SHA256_LEN + 1];
	int priority;
	struct strbuf body;
	int status;				/* of a refusal: HTTP's, its code, and why; the code is static */
	const char *code;
	struct strbuf why;
};

/* Whose message it must be, and what goes where its own envelope says nothing. */
struct post_frame {
	const struct conf *conf;
	const struct tenant *tenant;
	const char *other_tenant;		/* why another one's is refused */
	const char *made_id;
	const char *correlation_id;		/* NULL: none */
};

void post_item_init(struct post_item *i);
void post_item_release(struct post_item *i);
void post_item_refuse(struct post_item *i, int status, const char *code, const char *why);

const char *post_item_json_code(enum json_verdict v);	/* of a body that is none */
bool post_item_is_second(const json_t *o);	/* the second form, of wamd-messages(7) */

/* Fills o in, and checks it.  m is the caller's to release in any case; account is set, and good, unless it is refused. */
void post_item_read(struct post_item *i, const struct post_frame *f, json_t *o, struct message *m, const struct account **account);

int post_item_publish(const struct post_item *i, const struct conf *c, struct broker *b, broker_fate_f *done, void *arg) MUST_CHECK;
const char *post_item_failure(const struct conf *c, struct broker *b, enum broker_fate fate);	/* a code; NULL: it is on the queue */

/* So that it can be asked about, and taken back, before a sender has begun with it (cancel.lua).  false: Redis is away, no done(). */
bool post_item_mark(const struct post_item *i, const struct conf *c, const struct tenant *t, struct store *s, store_reply_f *done, void *arg);

#endif
