#include "api/handlers.h"

#include "api/reply.h"
#include "base/str.h"

const struct tenant *call_tenant(const struct admin *a, struct http_call *c)
{
	const char *id = http_call_query(c, "tenant");
	const struct tenant *t = id ? conf_tenant(a->conf, id) : NULL;

	if (a->asked)
		return a->asked->tenant;
	if (!id)
		reply_problem(c, 400, "bad_request", "tenant: is missing");
	else if (!t && registry_word(a->registry, id) == TENANT_AWAY)
		reply_problem(c, 503, "tenants_away", "the tenant service does not answer, and the tenant is not known here");
	else if (!t)
		reply_problem(c, 404, "unknown_tenant", "no tenant has this id");
	return t;
}

const struct account *call_account(const struct admin *a, struct http_call *c)
{
	const struct tenant *t = call_tenant(a, c);
	const char *id = a->asked ? a->asked->account : http_call_query(c, "account");
	const struct account *account = t && id ? tenant_account(t, id) : NULL;

	if (t && !id)
		reply_problem(c, 400, "bad_request", "account: is missing");
	else if (t && !account)
		reply_problem(c, 404, "unknown_account", "no account of this tenant has this id or phone number id");
	return account;
}

int call_duration(struct http_call *c, const char *name, int64_t fallback, int64_t min_ms, int64_t max_ms, int64_t *ms,
		  struct strbuf *why)
{
	const char *text = http_call_query(c, name);
	char min[32], max[32];

	*ms = fallback;
	if (!text)
		return fallback < 0 ? why_set(why, "%s: is missing", name) : 0;
	if (parse_msec(text, ms) == 0 && *ms >= min_ms && *ms <= max_ms)
		return 0;
	format_msec(min_ms, min);
	format_msec(max_ms, max);
	return why_set(why, "%s: found %.32s, allowed %s to %s, as in 30s, 15m, 2h or 3d", name, text, min, max);
}
