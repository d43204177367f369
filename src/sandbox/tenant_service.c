#include "sandbox/tenant_service.h"

#include <string.h>

#include "base/crypto.h"
#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/tenants.h"
#include "sandbox/tokens.h"

enum { OWN_ID = 3, OWN_ACCOUNT = 5, FIELD_ID = 2, FIELD_PHONE = 3 };	/* segments of the two shapes' paths */

static void refuse(struct call *c, int status, const char *error)
{
	strbuf_adds(&c->out, "{\"error\":");
	json_out_cstring(&c->out, error);
	strbuf_adds(&c->out, "}\n");
	call_answer_json(c, status);
}

/* False: it is answered. */
static bool admit(struct call *c)
{
	const struct strbuf *want = &c->sandbox->tenant_token;

	if (!want->len || (c->has_token && c->token.len == want->len && crypto_equal(c->token.buf, want->buf, want->len)))
		return true;
	call_header(c, "www-authenticate", "Bearer");
	refuse(c, 401, "a valid bearer token is needed");
	return false;
}

static struct tenant *tenant_by_phone(const struct call *c)
{
	return tenants_by_phone(c->sandbox->tenants, c->seg[FIELD_PHONE].s, c->seg[FIELD_PHONE].len);
}

void tenant_service_count(struct call *c)
{
	int segment = call_seg_is(c, 1, "v1") ? OWN_ID : FIELD_ID;
	struct tenant *t = NULL;

	if (call_seg_is(c, FIELD_ID, "by-phone"))
		t = tenant_by_phone(c);
	else if (strcmp(c->method, "GET") == 0)
		t = tenants_know(c->sandbox->tenants, c->seg[segment].s, c->seg[segment].len);
	if (t)
		t->calls++;
}

/* The tenant in this segment; NULL: it is answered. */
static struct tenant *look_up(struct call *c, int segment)
{
	struct tenant *t;

	if (!admit(c))
		return NULL;
	t = tenants_find(c->sandbox->tenants, c->seg[segment].s, c->seg[segment].len);
	if (t)
		return t;
	refuse(c, 404, "unknown tenant");
	return NULL;
}

void tenant_get(struct call *c)
{
	const struct tenant *t = look_up(c, OWN_ID);

	if (!t)
		return;
	call_header(c, "etag", "%s", t->etag);
	call_header(c, "cache-control", "private, no-cache");
	if (strstr(c->if_none_match, t->etag)) {
		call_answer(c, 304, NULL);
		return;
	}
	strbuf_adds(&c->out, t->body);
	call_answer_json(c, 200);
}

/* ---- a refreshed token is stored ---- */

static int store_token(struct call *c, struct tenant *t, const json_t *params, struct strbuf *why)
{
	const char *token = param_text(params, "access_token");
	json_t *expires = json_object_get(params, "token_expires_at"), *patch;
	int64_t unix_s;
	int result;

	if (!token || !*token || strlen(token) > CALL_TOKEN_MAX)
		return why_set(why, "access_token is missing or too long");
	if (expires && !json_is_null(expires) && token_time_parse(expires, &unix_s) < 0)
		return why_set(why, "token_expires_at is neither Unix seconds nor a time in UTC");
	patch = json_pack("{s:[{s:s%,s:s,s:O}]}", "accounts", "account_id", c->seg[OWN_ACCOUNT].s, c->seg[OWN_ACCOUNT].len,
			  "access_token", token, "token_expires_at", expires ? expires : json_null());
	result = tenants_patch(c->sandbox->tenants, t, patch, why);
	json_decref(patch);
	return result;
}

void tenant_put_token(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	struct tenant *t;

	if (!admit(c))
		return;
	t = tenants_find(c->sandbox->tenants, c->seg[OWN_ID].s, c->seg[OWN_ID].len);
	if (!t || !tenant_find_account(t, c->seg[OWN_ACCOUNT].s, c->seg[OWN_ACCOUNT].len)) {
		refuse(c, 404, t ? "unknown account" : "unknown tenant");
	} else if (store_token(c, t, call_params(c), &why) < 0) {
		refuse(c, 400, why.buf);
	} else {
		call_header(c, "etag", "%s", t->etag);
		strbuf_adds(&c->out, "{\"success\":true}\n");
		call_answer_json(c, 200);
	}
	strbuf_release(&why);
}

/* ---- the field's shape: one account a tenant, the first ---- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void member(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s\"%s\":", out->len ? "," : "{", name);
	json_out_cstring(out, value);
}

void tenant_get_credentials(struct call *c)
{
	const struct tenant *t = look_up(c, FIELD_ID);

	if (!t)
		return;
	member(&c->out, "accessToken", text_of(json_array_get(json_object_get(t->doc, "accounts"), 0), "access_token"));
	strbuf_addc(&c->out, '}');
	call_answer_json(c, 200);
}

static void masked_token(struct strbuf *out, const char *token)
{
	size_t n = strlen(token);
	struct strbuf masked = STRBUF_INIT;

	strbuf_addf(&masked, "%.4s****%s", token, n > 12 ? token + n - 4 : "");
	member(out, "accessToken", masked.buf);
	strbuf_release(&masked);
}

void tenant_get_whatsapp(struct call *c)
{
	const struct tenant *t = look_up(c, FIELD_ID);
	const json_t *account;

	if (!t)
		return;
	account = json_array_get(json_object_get(t->doc, "accounts"), 0);
	member(&c->out, "wabaId", text_of(account, "waba_id"));
	member(&c->out, "phoneNumberId", text_of(account, "phone_number_id"));
	member(&c->out, "businessId", text_of(account, "app_id"));
	member(&c->out, "qualityRating", "GREEN");
	masked_token(&c->out, text_of(account, "access_token"));
	strbuf_addc(&c->out, '}');
	call_answer_json(c, 200);
}

void tenant_get_by_phone(struct call *c)
{
	struct tenant *t;

	if (!admit(c))
		return;
	t = tenant_by_phone(c);
	if (!t) {
		refuse(c, 404, "unknown phone number");
		return;
	}
	member(&c->out, "tenantId", t->id);
	strbuf_addc(&c->out, '}');
	call_answer_json(c, 200);
}
