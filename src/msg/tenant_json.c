#include "msg/tenant_json.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/tenant_keys.h"
#include "msg/json.h"

static json_t *parse(struct tenant_bytes b, struct strbuf *why)
{
	json_t *root = NULL;

	if (json_parse(b.data, b.len, &root, why) != JSON_OK)
		return NULL;
	if (json_is_object(root))
		return root;
	why_write(why, "found %s, allowed an object", json_kind(root));
	json_decref(root);
	return NULL;
}

static void complain(struct strbuf *why, const char *where, const char *field, const char *allowed)
{
	strbuf_addf(why, "%s%s%s.%s: allowed %s", why->len ? "; " : "", "account ", where, field, allowed);
}

/* Also "rate": {"per_second": 80}. */
static int64_t rate_of(const json_t *o)
{
	const json_t *v = json_object_get(o, "rate");
	int64_t rate;

	if (json_is_object(v))
		v = json_object_get(v, "per_second");
	rate = json_is_integer(v) ? (int64_t)json_integer_value(v) : 0;
	return rate >= 1 && rate <= RATE_LIMIT_MAX ? rate : 0;
}

/* ISO 8601 or Unix seconds; 0: never, not named or not to be understood. */
static int64_t time_of(const json_t *o, const char *field)
{
	const json_t *v = json_object_get(o, field);
	int64_t ms = 0;

	if (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) < INT64_MAX / 1000)
		return (int64_t)json_integer_value(v) * 1000;
	if (json_is_string(v) && parse_time_ms(json_string_value(v), &ms) < 0)
		return 0;
	return ms;
}

static char *graph_id(const json_t *o, const char *field)
{
	const char *text = json_text(o, field);

	return text && graph_id_is_good(text) ? mem_strdup(text) : NULL;
}

static void set_rate(const struct conf *c, struct account *a, const json_t *o, const char *tenant_tier)
{
	const char *tier = json_text(o, "tier");

	a->rate = rate_of(o);
	if (a->rate)
		return;
	/* A tier that this configuration does not know is the other side's word: the default is safe. */
	if (!tier || conf_rate_of_tier(c, tier) < 0)
		tier = tenant_tier && conf_rate_of_tier(c, tenant_tier) > 0 ? tenant_tier : c->limit_tier;
	a->tier = mem_strdup(tier);
	a->rate = conf_rate_of_tier(c, tier);
}

static int read_account(const struct conf *c, struct account *a, const json_t *o, const char *tenant_tier, struct strbuf *why)
{
	const char *id = json_text(o, "account_id"), *token = json_text(o, "access_token"), *secret = json_text(o, "app_secret");
	const char *region = json_text(o, "default_region");

	a->id = mem_strdup(id && tenant_name_is_good(id) ? id : "?");
	a->phone_number_id = graph_id(o, "phone_number_id");
	a->waba_id = graph_id(o, "waba_id");
	a->app_id = graph_id(o, "app_id");
	if (*a->id == '?')
		complain(why, a->id, "account_id", "1 to 64 of A-Z a-z 0-9 . _ -");
	else if (!a->phone_number_id)
		complain(why, a->id, "phone_number_id", "1 to 32 digits");
	else if (!a->waba_id)
		complain(why, a->id, "waba_id", "1 to 32 digits");
	else if (!token || !access_token_is_good(token))
		complain(why, a->id, "access_token", "1 to 1024 of A-Z a-z 0-9 . _ | ~ -");
	else
		a->token = mem_strdup(token);
	if (!a->token)
		return -1;
	a->app_secret = secret && *secret ? mem_strdup(secret) : NULL;
	a->token_expires_ms = time_of(o, "token_expires_at");
	a->enabled = !json_is_false(json_object_get(o, "enabled"));
	a->is_default = json_is_true(json_object_get(o, "default"));
	a->region = region && region_is_good(region) ? mem_strdup(region) : NULL;
	set_rate(c, a, o, tenant_tier);
	account_prove(a);
	return 0;
}

static void read_features(struct tenant *t, const json_t *features)
{
	const char *name;
	json_t *v;
	enum feature f;

	json_object_foreach((json_t *)(uintptr_t)features, name, v)
		if (feature_parse(name, &f) == 0 && json_is_false(v))
			t->features_off |= BIT(f);
}

/* A key that cannot be read is none: the others go on. */
static void read_key(struct tenant *t, const json_t *o, struct strbuf *why)
{
	const json_t *scopes = json_object_get(o, "scopes"), *expires = json_object_get(o, "expires");
	const char *id = json_text(o, "id"), *hex = json_text(o, "sha256");
	struct api_key *k = id && *id && tenant_name_is_good(id) && hex ? tenant_add_key(t, id, hex) : NULL;
	enum api_scope s;

	if (k) {
		k->expires_ms = time_of(o, "expires");
		k->scopes = json_is_array(scopes) ? 0 : k->scopes;
		for (size_t i = 0; i < json_array_size(scopes); i++)
			if (json_is_string(json_array_get(scopes, i)) && api_scope_parse(json_string_value(json_array_get(scopes, i)), &s) == 0)
				k->scopes |= BIT(s);
	}
	if (k && expires && !json_is_null(expires) && !k->expires_ms)
		k->scopes = 0;		/* it ends, and nobody can tell when: it has ended */
	if (!k || !k->scopes)
		strbuf_addf(why, "%sapi_keys: allowed {id, sha256, scopes, expires}", why->len ? "; " : "");
}

static void read_keys(struct tenant *t, const json_t *root, struct strbuf *why)
{
	const json_t *keys = json_object_get(root, "api_keys"), *digests = json_object_get(root, "api_keys_sha256");

	for (size_t i = 0; i < json_array_size(keys); i++)
		read_key(t, json_array_get(keys, i), why);
	for (size_t i = 0; i < json_array_size(digests); i++) {
		const char *hex = json_string_value(json_array_get(digests, i));

		if (!hex || !tenant_add_key(t, "-", hex))
			strbuf_addf(why, "%sapi_keys_sha256: allowed 64 hex digits each", why->len ? "; " : "");
	}
}

/* Two of one name cannot be told apart, and two defaults are none. */
static struct tenant *finish(struct tenant *t, struct strbuf *why)
{
	if (tenant_finish(t, why) < 0)
		tenant_free(&t);
	return t;
}

struct tenant *tenant_from_json(const struct conf *c, const char *id, struct tenant_bytes body, struct strbuf *why)
{
	json_t *root = parse(body, why), *accounts;
	const char *status, *portfolio;
	struct tenant *t;

	if (!root)
		return NULL;
	accounts = json_object_get(root, "accounts");
	if (!json_is_array(accounts) || (json_text(root, "tenant_id") && strcmp(json_text(root, "tenant_id"), id) != 0)) {
		why_write(why, json_is_array(accounts) ? "tenant_id: it is another one" : "accounts: found %s, allowed a list",
			  json_kind(accounts));
		json_decref(root);
		return NULL;
	}
	status = json_text(root, "status");
	portfolio = json_text(root, "portfolio");
	t = tenant_new(id, portfolio && tenant_name_is_good(portfolio) ? portfolio : id);
	t->suspended = status && !strcmp(status, "suspended");
	t->rate = rate_of(root);
	read_features(t, json_object_get(root, "features"));
	read_keys(t, root, why);
	for (size_t i = 0; i < json_array_size(accounts); i++)
		if (read_account(c, tenant_add_account(t), json_array_get(accounts, i), json_text(root, "tier"), why) < 0)
			tenant_drop_last_account(t);
	json_decref(root);
	return finish(t, why);
}

struct tenant *tenant_from_credentials(const struct conf *c, const char *id, struct tenant_bytes credentials,
				       struct tenant_bytes number, struct strbuf *why)
{
	json_t *token = parse(credentials, why), *phone = parse(number, why);
	struct tenant *t = NULL;
	struct account *a;
	const char *text = token ? json_text(token, "accessToken") : NULL, *status = token ? json_text(token, "status") : NULL;

	if (!token || !phone)
		goto out;
	t = tenant_new(id, id);
	a = tenant_add_account(t);
	a->phone_number_id = graph_id(phone, "phoneNumberId");
	a->waba_id = graph_id(phone, "wabaId");
	a->id = mem_strdup(a->phone_number_id ? a->phone_number_id : "?");
	if (!text || !access_token_is_good(text) || !a->phone_number_id || !a->waba_id) {
		why_write(why, "%s: is missing, or has other characters than it may",
			  !a->phone_number_id ? "phoneNumberId" : !a->waba_id ? "wabaId" : "accessToken");
		tenant_free(&t);
		goto out;
	}
	a->token = mem_strdup(text);
	a->token_expires_ms = time_of(token, "expiresAt");
	t->suspended = status && !strcmp(status, "suspended");
	set_rate(c, a, token, NULL);
out:
	json_decref(token);
	json_decref(phone);
	return t ? finish(t, why) : NULL;
}
