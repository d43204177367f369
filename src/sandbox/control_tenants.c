/* Orders for tenants and tokens: POST /_sandbox/tokens, and all below /_sandbox/tenants. */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/call.h"
#include "sandbox/control.h"
#include "sandbox/json_out.h"
#include "sandbox/sandbox.h"
#include "sandbox/tenants.h"

enum { ID = 2, ACCOUNT = 4 };		/* segments of the path */

/* ---- tokens ---- */

struct token_order {
	struct grant *grant;		/* of the account, or of the token */
	struct token *token;		/* NULL: all of the grant */
	const char *new_token;		/* "": one that is made up; NULL: none */
	const char *state;		/* NULL: as it is */
	enum token_state to;
	int64_t subcode, expires_in;	/* -1: as it is */
	bool expires;			/* expires_in was said; null: never */
};

static int find_whose(struct call *c, const json_t *o, struct token_order *order, struct strbuf *why)
{
	const char *account = json_string_value(json_object_get(o, "account")), *token = json_string_value(json_object_get(o, "token"));
	const struct accounts *a = &c->sandbox->accounts;
	struct number *n = account ? accounts_find_by_name(a, account) : NULL;

	if (!account == !token)
		return why_set(why, "either \"account\" or \"token\" is needed");
	order->token = token ? tokens_find(&a->tokens, token, strlen(token)) : NULL;
	if (account && !n)
		return why_set(why, "account %s is unknown", account);
	if (token && !order->token)
		return why_set(why, "this token is unknown");
	if (n)
		order->grant = n->grant;
	else if (order->token)
		order->grant = order->token->grant;
	return 0;
}

static int read_order(struct call *c, const json_t *o, struct token_order *order, struct strbuf *why)
{
	const json_t *subcode = json_object_get(o, "subcode"), *expires = json_object_get(o, "expires_in");
	const json_t *new_token = json_object_get(o, "new_token");

	if (find_whose(c, o, order, why) < 0)
		return -1;
	order->state = json_string_value(json_object_get(o, "state"));
	if (order->state && token_state_parse(order->state, &order->to) < 0)
		return why_set(why, "\"state\": %s is no state of a token", order->state);
	if ((subcode && !json_is_integer(subcode)) || (expires && !json_is_integer(expires) && !json_is_null(expires)))
		return why_set(why, "\"subcode\" or \"expires_in\" is no number");
	order->subcode = subcode ? json_integer_value(subcode) : -1;
	order->expires = expires != NULL;
	order->expires_in = json_is_integer(expires) ? json_integer_value(expires) : -1;
	order->new_token = json_is_true(new_token) ? "" : json_string_value(new_token);
	if (new_token && !order->new_token)
		return why_set(why, "\"new_token\" is neither a text nor true");
	return 0;
}

static int64_t expiry(const struct token_order *order, int64_t now_s)
{
	if (order->expires_in < 0)
		return 0;
	return order->expires_in > 0 ? now_s + order->expires_in : now_s;
}

static void change(struct token *t, const struct token_order *order, int64_t now_s)
{
	if (order->state) {
		t->state = order->to;
		t->subcode = 0;
		if (order->to == TOKEN_VALID && t->expires_s && t->expires_s <= now_s)
			t->expires_s = 0;
	}
	if (order->subcode >= 0)
		t->subcode = (int)order->subcode;
	if (order->expires && !order->new_token)
		t->expires_s = expiry(order, now_s);
}

/* What is there changes first; the new token begins as a good one, and expires_in is its own. */
static const struct token *carry_out(struct call *c, const struct token_order *order)
{
	struct tokens *ts = &c->sandbox->accounts.tokens;
	int64_t now_s = wall_ms() / 1000;

	for (size_t i = 0; i < ts->n; i++)
		if ((order->token && ts->all[i] == order->token) || (!order->token && ts->all[i]->grant == order->grant && ts->all[i]->known))
			change(ts->all[i], order, now_s);
	if (!order->new_token)
		return NULL;
	return tokens_issue(ts, order->grant, *order->new_token ? order->new_token : NULL, now_s, expiry(order, now_s));
}

void control_tokens(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	struct token_order order = { 0 };
	json_error_t err;
	json_t *o = json_loadb(c->body.buf, c->body.len, 0, &err);
	int result = o ? read_order(c, o, &order, &why) : why_set(&why, "not JSON: %s", err.text);
	const struct token *issued = result == 0 ? carry_out(c, &order) : NULL;

	if (issued) {
		strbuf_adds(&c->out, "{\"ok\":true,\"access_token\":");
		json_out_cstring(&c->out, issued->text);
		strbuf_addf(&c->out, ",\"expires_at\":%lld}\n", (long long)issued->expires_s);
		call_answer_json(c, 200);
		strbuf_release(&why);
	} else {
		control_answer(c, result, &why);
	}
	json_decref(o);
}

/* ---- tenants ---- */

void control_tenant_calls(struct call *c)
{
	tenants_print_calls(c->sandbox->tenants, &c->out);
	call_answer_json(c, 200);
}

static struct tenant *tenant_of(struct call *c, struct strbuf *why)
{
	struct tenant *t = tenants_find(c->sandbox->tenants, c->seg[ID].s, c->seg[ID].len);

	if (!t)
		why_write(why, "no such tenant");
	return t;
}

void control_tenant_put(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	json_error_t err;
	json_t *doc = json_loadb(c->body.buf, c->body.len, JSON_REJECT_DUPLICATES, &err);

	control_answer(c, doc ? tenants_put(c->sandbox->tenants, c->seg[ID].s, c->seg[ID].len, doc, &why)
			      : why_set(&why, "not JSON: %s", err.text), &why);
}

void control_tenant_patch(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	json_error_t err;
	json_t *patch = json_loadb(c->body.buf, c->body.len, JSON_REJECT_DUPLICATES, &err);
	struct tenant *t = patch ? tenant_of(c, &why) : NULL;
	int result = -1;

	if (t)
		result = tenants_patch(c->sandbox->tenants, t, patch, &why);
	else if (!patch)
		why_write(&why, "not JSON: %s", err.text);
	json_decref(patch);
	control_answer(c, result, &why);
}

void control_tenant_delete(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	struct tenant *t = tenant_of(c, &why);

	if (t)
		tenants_remove(c->sandbox->tenants, t);
	control_answer(c, t ? 0 : -1, &why);
}

void control_account_delete(struct call *c)
{
	struct strbuf why = STRBUF_INIT;
	struct tenant *t = tenant_of(c, &why);

	control_answer(c, t ? tenants_remove_account(c->sandbox->tenants, t, c->seg[ACCOUNT].s, c->seg[ACCOUNT].len, &why) : -1, &why);
}
