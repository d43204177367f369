#include "flow/keys.h"

#include "base/str.h"

void key_record(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX])
{
	char hex[2 * KEY_LEN + 1];

	hex_encode(key, KEY_LEN, hex);
	snprintf(out, KEY_TEXT_MAX, "%sm:{%s}:%s", c->redis_prefix, t->domain, hex);
}

void key_number_limit(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sr:{%s}:n:%s", c->redis_prefix, a->tenant->domain, a->phone_number_id);
}

void key_pair_limit(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sr:{%s}:p:%s:%s", c->redis_prefix, a->tenant->domain, a->phone_number_id, who);
}

void key_tenant_limit(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sr:{%s}:t:%s", c->redis_prefix, t->domain, t->id);
}

void key_account(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sa:{%s}:%s", c->redis_prefix, a->tenant->domain, a->phone_number_id);
}

void key_holds(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%ss:{%s}", c->redis_prefix, t->domain);
}

void key_recipient_hold(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%ss:{%s}:r:%s:%s", c->redis_prefix, a->tenant->domain, a->phone_number_id, who);
}

void key_index(const struct conf *c, const struct tenant *t, const char *message_key, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%si:{%s}:%s:%s", c->redis_prefix, t->domain, t->id, message_key);
}

void key_wamid(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sw:{%s}:%s", c->redis_prefix, t->domain, wamid);
}

void key_alert(const struct conf *c, const char *kind, const char *tenant_id, const char *account_id, const char *what,
	       char out[KEY_TEXT_MAX])
{
	snprintf(out, KEY_TEXT_MAX, "%sal:{%s:%s/%s/%s}", c->redis_prefix, kind, tenant_id ? tenant_id : "", account_id ? account_id : "",
		 what ? what : "");
}
