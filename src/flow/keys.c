#include "flow/keys.h"

#include <time.h>

#include "base/str.h"

/* Texts one after the other; what is too long is cut off.  Each message has some twenty keys, and printf would be a tenth of its cost. */
static void put(char out[KEY_TEXT_MAX], const char *const *parts)
{
	size_t at = 0;

	for (; *parts; parts++) {
		size_t n = strlen(*parts);

		if (n > KEY_TEXT_MAX - 1 - at)
			n = KEY_TEXT_MAX - 1 - at;
		memcpy(out + at, *parts, n);
		at += n;
	}
	out[at] = 0;
}

#define KEY(out, ...) put(out, (const char *const[]){ __VA_ARGS__, NULL })

void key_record(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX])
{
	char hex[2 * KEY_LEN + 1];

	hex_encode(key, KEY_LEN, hex);
	KEY(out, c->redis_prefix, "m:{", t->domain, "}:", hex);
}

void key_body(const struct conf *c, const struct tenant *t, const uint8_t key[KEY_LEN], char out[KEY_TEXT_MAX])
{
	char hex[2 * KEY_LEN + 1];

	hex_encode(key, KEY_LEN, hex);
	KEY(out, c->redis_prefix, "b:{", t->domain, "}:", hex);
}

void key_pair_limit(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "r:{", a->tenant->domain, "}:p:", a->phone_number_id, ":", who);
}

void key_tenant_limit(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "r:{", t->domain, "}:t:", t->id);
}

void key_call_limit(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "r:{", a->tenant->domain, "}:c:", a->app_id ? a->app_id : "-", ":", a->waba_id);
}

void key_watch(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "wf:{", a->tenant->domain, "}:", a->phone_number_id);
}

void key_account(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "a:{", a->tenant->domain, "}:", a->phone_number_id);
}

void key_holds(const struct conf *c, const struct tenant *t, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "s:{", t->domain, "}");
}

void key_recipient_hold(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "s:{", a->tenant->domain, "}:r:", a->phone_number_id, ":", who);
}

void key_templates(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "t:{", a->tenant->domain, "}:", a->tenant->id, ":", a->waba_id);
}

void key_template_usage(const struct conf *c, const struct account *a, int64_t at_ms, char out[KEY_TEXT_MAX])
{
	static int64_t known = -1;
	static char day[16];
	time_t at = (time_t)(at_ms / 1000);
	struct tm tm;

	if (at_ms / 86400000 != known) {
		gmtime_r(&at, &tm);
		strftime(day, sizeof(day), "%Y%m%d", &tm);
		known = at_ms / 86400000;
	}
	KEY(out, c->redis_prefix, "tu:{", a->tenant->domain, "}:", a->tenant->id, ":", a->waba_id, ":", day);
}

void key_evidence(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "e:{", a->tenant->domain, "}:", a->phone_number_id);
}

void key_users(const struct conf *c, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "u:{", a->tenant->domain, "}:", a->phone_number_id);
}

void key_user(const struct conf *c, const struct account *a, const char *who, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "u:{", a->tenant->domain, "}:", a->phone_number_id, ":", who);
}

void key_owner(const struct conf *c, const char *kind, const char *id, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, kind, ":{", id, "}");
}

void key_parked(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "pw:{", t->domain, "}:", wamid);
}

void key_index(const struct conf *c, const struct tenant *t, const char *message_key, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "i:{", t->domain, "}:", t->id, ":", message_key);
}

void key_request(const struct conf *c, const struct tenant *t, const char *idempotency_key, char out[KEY_TEXT_MAX])
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	sha256(idempotency_key, strlen(idempotency_key), digest);
	hex_encode(digest, SHA256_LEN, hex);
	snprintf(out, KEY_TEXT_MAX, "%sik:{%s}:%s:%.32s", c->redis_prefix, t->domain, t->id, hex);
}

void key_wamid(const struct conf *c, const struct tenant *t, const char *wamid, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "w:{", t->domain, "}:", wamid);
}

void key_state_told(const struct conf *c, const char *tenant_id, const char *wamid, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "sm:{", tenant_id, "}:", wamid);
}

void key_job(const struct conf *c, const char *job, const struct account *a, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "j:{", a->tenant->domain, "}:", job, ":", a->phone_number_id);
}

void key_media_id(const struct conf *c, const struct account *a, const char *sha, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "d:{", a->tenant->domain, "}:", a->phone_number_id, ":", sha);
}

void key_media_lease(const struct conf *c, const struct account *a, const char *sha, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "dl:{", a->tenant->domain, "}:", a->phone_number_id, ":", sha);
}

void key_media_handle(const struct conf *c, const struct tenant *t, const char *handle, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "mh:{", t->id, "}:", handle);
}

void key_alert(const struct conf *c, const char *kind, const char *tenant_id, const char *account_id, const char *what,
	       char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "al:{", kind, ":", tenant_id ? tenant_id : "", "/", account_id ? account_id : "", "/", what ? what : "", "}");
}

void key_alert_index(const struct conf *c, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "ai:{alerts}");
}

/* What stands between the braces of key_alert(); the last brace is missing where it was cut off. */
void key_alert_member(const struct conf *c, const char *key, char out[KEY_TEXT_MAX])
{
	const char *inner = key + strlen(c->redis_prefix) + strlen("al:{");
	size_t len = strlen(inner);

	snprintf(out, KEY_TEXT_MAX, "%.*s", (int)(len && inner[len - 1] == '}' ? len - 1 : len), inner);
}

void key_alert_of_member(const struct conf *c, const char *member, char out[KEY_TEXT_MAX])
{
	KEY(out, c->redis_prefix, "al:{", member, "}");
}
