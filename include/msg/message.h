/*
 * message - what is to be said to whom for which account, decoded from the queue's JSON and checked.
 *
 * Two envelopes are read: wamd's own {"id","tenant_id","account_id"?,"to"|"recipient","type","<type>":{…},
 * "fallback_template"?,…} and
 * {"metadata":{"tenantId","phoneNumberId","internalId",…},"wabaPayload":{…a finished Graph body…}}.
 * A control message has {"type":"read","read":{"message_id"}}, or typing, instead of recipient and payload; in the second form it is
 * Graph's own body with "status":"read".
 * Ownership: texts and payload point into root; message_release() frees all.  Also after a failed decode the struct is releasable,
 * and id, tenant_id, account_id, correlation_id are set as far as they could be read, for the dead letter.
 */
#ifndef MSG_MESSAGE_H
#define MSG_MESSAGE_H

#include "base/crypto.h"
#include "msg/json.h"
#include "msg/reason.h"
#include "msg/recipient.h"

struct conf;

enum on_unknown { ON_UNKNOWN_DEFAULT, ON_UNKNOWN_AT_LEAST_ONCE, ON_UNKNOWN_AT_MOST_ONCE, ON_UNKNOWN_EVIDENCE };

enum { MESSAGE_ID_MAX = 255 /* AMQP short strings end there */, MESSAGE_PRIORITY_MAX = 10 };

struct message {
	json_t *root;
	const char *id, *tenant_id, *account_id, *correlation_id;	/* account_id: account id or phone number id, or NULL */
	const char *key;		/* idempotency_key, else id */
	struct recipient to;		/* "": a control message */
	const char *national;		/* `to` as it came, when it has no '+': see message_set_phone() */
	const char *type;		/* also "read" and "typing", those of control messages */
	const json_t *payload;		/* as it came; NULL: a control message */
	json_t *outgoing;		/* what is sent: the payload itself, or a copy of it in which files are to be settled; NULL: control */
	const json_t *fallback;		/* a template object that goes in its place where its recipient's window is closed, or NULL */
	const char *about;		/* control: the WAMID it is about */
	const json_t *envelope;		/* where Graph's other members stand */
	const char *reply_to;		/* context.message_id, or NULL */
	const char *callback;		/* the caller's own biz_opaque_callback_data, or NULL */
	const json_t *metadata;		/* echoed in events, or NULL */
	int priority;			/* -1: not named */
	int64_t expires_at_ms;		/* Unix time; 0: not named */
	int64_t ttl_ms;			/* from its first sight; 0: not named */
	enum on_unknown on_unknown;
	bool is_control;		/* no message: Graph is told that one was read, or that an answer is being typed */
	uint8_t digest[SHA256_LEN];	/* over recipient, type and payload as it came; control: over type and about */
};

struct message_rules {
	bool pass_unknown;		/* types that are not known pass, with any object or list for a payload */
};
struct message_rules message_rules(const struct conf *c);

enum reason message_decode(struct message *m, const struct message_rules *rules, const void *body, size_t len, struct strbuf *why);
void message_release(struct message *m);

/* What is sent instead of its payload, as outgoing; taken over.  The digest stays that of what was asked for. */
void message_use_payload(struct message *m, json_t *payload);

/* Its fallback becomes what it says; the digest stays that of what was asked for.  Once at most, and only where there is one. */
void message_use_fallback(struct message *m);

/*
 * Once the account is known, before key or digest are used: a number without '+' is read as it is dialled in the region (ISO code, "":
 * none) and becomes E.164, where libphonenumber is there to tell.  Same message, same region, same digest.
 */
enum reason message_set_phone(struct message *m, const char *region, struct strbuf *why) MUST_CHECK;

/* Meta takes it only within 24 hours after its recipient wrote: all but templates, Direct Send, what goes to groups, and control. */
bool message_needs_window(const struct message *m);
bool message_is_direct_marketing(const struct message *m);	/* it says so itself */

const char *message_template(const struct message *m);	/* name of the template it uses, NULL: none */
const char *message_language(const struct message *m);	/* its code, or NULL */
void message_template_text(const struct message *m, char *out, size_t size);	/* name/language, or as much as is known */

/* The body of the POST, appended to out; callback_data is wamd's own token. */
void message_graph_body(const struct message *m, const char *callback_data, struct strbuf *out);

#endif
