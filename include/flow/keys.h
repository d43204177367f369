/* keys - every Redis key's spelling, in one place.  All keys of one call carry one hash tag: that of the limit domain; alerts and owners have their own. */
#ifndef FLOW_KEYS_H
#define FLOW_KEYS_H

#include "conf/conf.h"
#include "msg/identity.h"

enum { KEY_TEXT_MAX = 512 };

#define KEY_WAMID_TTL_MS (31LL * 86400 * 1000)	/* Meta delivers for up to 30 days */
#define KEY_USAGE_TTL_MS (35LL * 86400 * 1000)

void key_record(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX]);
/* The message itself, sealed, for as long as it may fail late; in the slot of its record. */
void key_body(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX]);
/* who: a keyed hash, so that no phone number stands in Redis. */
void key_pair_limit(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX]);
void key_tenant_limit(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX]);
/* Management calls: Meta counts them by app and business account. */
void key_call_limit(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);
void key_watch(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);		/* what the number was like last */
void key_job(const struct conf *c, const char *job, const struct account *a, char out[KEY_TEXT_MAX]);	/* lease of a keeper's job */
/* Media: Graph's id for the bytes with this digest (hex) on this number, who uploads them, and what a handle of a tenant stands for. */
void key_media_id(const struct conf *c, const struct account *a, const char *sha, char out[KEY_TEXT_MAX]);
void key_media_lease(const struct conf *c, const struct account *a, const char *sha, char out[KEY_TEXT_MAX]);
void key_media_handle(const struct conf *c, const struct tenant *t, const char *handle, char out[KEY_TEXT_MAX]);
void key_account(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);	/* breaker, lane, corrections */
void key_holds(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX]);	/* fields: flow/hold.h */
void key_recipient_hold(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX]);
void key_templates(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);	/* its tenant's, of its business account */
/* What became of them on one day (UTC); at_ms: Unix time. */
void key_template_usage(const struct conf *c, const struct account *a, int64_t at_ms, char out[KEY_TEXT_MAX]);
void key_evidence(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);	/* what webhooks of its number have proven */
/* What webhooks have taught of a number's users: since when they come, and of one of them (src/lua/lib/window.lua). */
void key_users(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);
void key_user(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX]);
void key_parked(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX]);	/* statuses nobody knows */
void key_index(const struct conf *c, const struct tenant *t, const char *message_key, char out[KEY_TEXT_MAX]);
/* The answer to a request of the HTTP API, by a hash of its Idempotency-Key. */
void key_request(const struct conf *c, const struct tenant *t, const char *idempotency_key, char out[KEY_TEXT_MAX]);
void key_wamid(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX]);
/* By the tenant's id, for who tells knows events, not tenants. */
void key_state_told(const struct conf *c, const char *tenant_id, const char *wamid, char out[KEY_TEXT_MAX]);
/* Whose a phone number (kind pn) or a business account (pb) is; a slot of its own, for its domain is not known yet. */
void key_owner(const struct conf *c, const char *kind, const char *id, char out[KEY_TEXT_MAX]);
/* Any but kind may be NULL.  What does not fit is cut off: the first 250 bytes of `what` always do. */
void key_alert(const struct conf *c, const char *kind, const char *tenant_id, const char *account_id, const char *what,
	       char out[KEY_TEXT_MAX]);
/* What stands for an alert in the index of all, which is a key of its own: from the record's key, and taken apart. */
void key_alert_index(const struct conf *c, char out[KEY_TEXT_MAX]);
void key_alert_member(const struct conf *c, const char *key, char out[KEY_TEXT_MAX]);
void key_alert_of_member(const struct conf *c, const char *member, char out[KEY_TEXT_MAX]);

#endif
