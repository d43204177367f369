/* keys - every Redis key's spelling, in one place.  All keys of one call carry one hash tag: that of the limit domain, an alert its own. */
#ifndef FLOW_KEYS_H
#define FLOW_KEYS_H

#include "conf/conf.h"
#include "msg/identity.h"

enum { KEY_TEXT_MAX = 512 };

void key_record(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX]);
void key_number_limit(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);
/* who: a keyed hash, so that no phone number stands in Redis. */
void key_pair_limit(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX]);
void key_tenant_limit(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX]);
void key_account(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX]);	/* breaker, lane, corrections */
void key_holds(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX]);	/* fields: flow/hold.h */
void key_recipient_hold(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX]);
void key_index(const struct conf *c, const struct tenant *t, const char *message_key, char out[KEY_TEXT_MAX]);
void key_wamid(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX]);
/* Any but kind may be NULL.  What does not fit is cut off: the first 250 bytes of `what` always do. */
void key_alert(const struct conf *c, const char *kind, const char *tenant_id, const char *account_id, const char *what,
	       char out[KEY_TEXT_MAX]);

#endif
