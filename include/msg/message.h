/*
 * message - what is to be said to whom for which account, decoded from the queue's JSON and checked.
 *
 * Two envelopes are read: wamd's own {"id","tenant_id","account_id"?,"to"|"recipient","type","<type>":{…},…} and
 * {"metadata":{"tenantId","phoneNumberId","internalId",…},"wabaPayload":{…a finished Graph body…}}.
 * Ownership: texts and payload point into root; message_release() frees all.  Also after a failed decode the struct is releasable,
 * and id, tenant_id, account_id, correlation_id are set as far as they could be read, for the dead letter.
 */
#ifndef MSG_MESSAGE_H
#define MSG_MESSAGE_H

#include "base/crypto.h"
#include "msg/json.h"
#include "msg/recipient.h"

enum reason {
	REASON_NONE,
#define REASON(ident, code, help) REASON_##ident,
#include "tbl/reasons.h"
#undef REASON
	REASONS
};
const char *reason_code(enum reason r);

enum on_unknown { ON_UNKNOWN_DEFAULT, ON_UNKNOWN_AT_LEAST_ONCE, ON_UNKNOWN_AT_MOST_ONCE };

enum { MESSAGE_ID_MAX = 255 /* AMQP short strings end there */, MESSAGE_PRIORITY_MAX = 10, TEXT_MAX = 4096 /* Meta: "Text messages" */ };

struct message {
	json_t *root;
	const char *id, *tenant_id, *account_id, *correlation_id;	/* account_id: account id or phone number id, or NULL */
	const char *key;		/* idempotency_key, else id */
	struct recipient to;
	const char *type;
	const json_t *payload;
	const char *reply_to;		/* context.message_id, or NULL */
	const char *callback;		/* the caller's own biz_opaque_callback_data, or NULL */
	const json_t *metadata;		/* echoed in events, or NULL */
	int priority;			/* -1: not named */
	int64_t expires_at_ms;		/* Unix time; 0: not named */
	int64_t ttl_ms;			/* from its first sight; 0: not named */
	enum on_unknown on_unknown;
	uint8_t digest[SHA256_LEN];	/* over recipient, type and payload only */
};

enum reason message_decode(struct message *m, const void *body, size_t len, struct strbuf *why);
void message_release(struct message *m);

const char *message_template(const struct message *m);	/* name of the template it uses, NULL: none */

/* The body of the POST, appended to out; callback_data is wamd's own token. */
void message_graph_body(const struct message *m, const char *callback_data, struct strbuf *out);

#endif
