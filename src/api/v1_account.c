/* What Graph says of a tenant's accounts: the keeper has the tokens and asks. */
#include <strings.h>

#include "api/v1_call.h"

/* NULL: it is answered. */
static const struct account *account_of(struct v1_call *q)
{
	const struct account *a = tenant_account(q->tenant, q->id);

	if (!a)
		v1_problem(q, 404, "unknown_account", "no account of this tenant has this id or phone number id");
	return a;
}

static void ask(struct v1_call *q, enum keeper_call call)
{
	const struct account *a = account_of(q);

	if (a)
		v1_keeper_ask(q, call, a, NULL);
}

void on_v1_account_profile(struct v1_call *q)
{
	ask(q, KEEPER_PROFILE);
}

void on_v1_account_health(struct v1_call *q)
{
	ask(q, KEEPER_HEALTH);
}

void on_v1_account_verification(struct v1_call *q)
{
	ask(q, KEEPER_VERIFICATION);
}

void on_v1_account_analytics(struct v1_call *q)
{
	static const char *const names[] = { "kind", "from", "to", "granularity", "template" };
	const struct account *a = account_of(q);
	json_t *args;

	if (!a)
		return;
	args = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		json_put_text(args, names[i], http_call_query(q->http, names[i]));
	v1_keeper_ask(q, KEEPER_ANALYTICS, a, args);
}

/* NULL: the problem is answered. */
static json_t *read_object(struct v1_call *q)
{
	const char *type = http_call_header(q->http, "Content-Type");
	struct strbuf why = STRBUF_INIT;
	json_t *o = NULL;
	size_t len;
	const char *body = http_call_body(q->http, &len);

	if (type && strncasecmp(type, "application/json", 16) != 0) {
		v1_problem(q, 415, "media_type", "the body must be application/json");
	} else if (json_parse(body, len, &o, &why) != JSON_OK) {
		v1_problem(q, 400, "not_json", why.buf);
	} else if (!json_is_object(o)) {
		json_decref(o);
		o = NULL;
		v1_problem(q, 422, "bad_field", "the body must be an object");
	}
	strbuf_release(&why);
	return o;
}

void on_v1_account_profile_set(struct v1_call *q)
{
	const struct account *a = account_of(q);
	json_t *changes = a ? read_object(q) : NULL;

	if (changes)
		v1_keeper_ask(q, KEEPER_PROFILE_SET, a, changes);
}

void on_v1_templates_refresh(struct v1_call *q)
{
	const char *account = http_call_query(q->http, "account");
	const struct account *a = account ? tenant_account(q->tenant, account) : tenant_default_account(q->tenant);

	if (a)
		v1_keeper_ask(q, KEEPER_TEMPLATES, a, NULL);
	else if (account)
		v1_problem(q, 404, "unknown_account", "no account of this tenant has this id or phone number id");
	else
		v1_bad_field(q, 422, "no_account", "account: is missing in the query, and the tenant has no default account");
}
