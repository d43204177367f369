/* Tenants as this machine knows them.  No secret leaves: of a token only its age and end. */
#include "api/handlers.h"
#include "api/reply.h"
#include "base/mem.h"
#include "base/str.h"

static json_t *account_json(const struct account *a)
{
	json_t *o = json_object();

	json_put_text(o, "account_id", a->id);
	json_put_text(o, "phone_number_id", a->phone_number_id);
	json_put_text(o, "waba_id", a->waba_id);
	json_put_text(o, "app_id", a->app_id);
	json_put_text(o, "tier", a->tier);
	json_put_int(o, "rate", a->rate);
	json_object_set_new(o, "enabled", json_boolean(a->enabled));
	json_object_set_new(o, "default", json_boolean(a->is_default));
	json_object_set_new(o, "app_secret", json_boolean(a->app_secret != NULL));
	json_put_time(o, "token_expires_at", a->token_expires_ms);
	return o;
}

static json_t *tenant_json(const struct tenant *t)
{
	json_t *o = json_object();

	json_put_text(o, "tenant_id", t->id);
	json_put_text(o, "portfolio", strcmp(t->domain, t->id) != 0 ? t->domain : NULL);
	json_put_text(o, "status", t->suspended ? "suspended" : "active");
	json_put_int(o, "accounts", t->n_accounts);
	return o;
}

static json_t *source_json(const struct admin *a)
{
	struct registry_view v;
	json_t *o = json_object();

	registry_look(a->registry, &v);
	json_put_text(o, "kind", v.is_service ? "tenant_service" : "files");
	if (!v.is_service)
		return o;
	json_put_text(o, "url", a->conf->service_url);
	json_object_set_new(o, "away", json_boolean(v.is_away));
	json_put_int(o, "calls", (int64_t)v.calls);
	json_put_int(o, "failures", (int64_t)v.failures);
	json_put_int(o, "waiting", v.waiting);
	json_put_text(o, "last_failure", *v.why ? v.why : NULL);
	return o;
}

void on_tenant_list(struct admin *a, struct http_call *c)
{
	json_t *o = json_object(), *list = json_array();

	for (int i = 0; i < tenant_set_size(a->conf->tenants); i++)
		json_array_append_new(list, tenant_json(tenant_set_at(a->conf->tenants, i)));
	json_object_set_new(o, "source", source_json(a));
	json_object_set_new(o, "tenants", list);
	reply_json(c, 200, o);
}

void on_tenant_show(struct admin *a, struct http_call *c)
{
	const struct tenant *t = call_tenant(a, c);
	json_t *o, *accounts, *features;

	if (!t)
		return;
	o = tenant_json(t);
	accounts = json_array();
	features = json_object();
	for (int i = 0; i < t->n_accounts; i++)
		json_array_append_new(accounts, account_json(t->accounts[i]));
	for (int f = 0; f < FEATURES; f++)
		json_object_set_new(features, feature_name((enum feature)f), json_boolean(conf_feature_is_on(a->conf, t, (enum feature)f)));
	if (t->rate)
		json_put_int(o, "rate", t->rate);
	json_object_set_new(o, "features", features);
	json_object_set_new(o, "accounts", accounts);
	reply_json(c, 200, o);
}

/* ---- refresh: of one tenant, its answer is waited for ---- */

static void on_client_gone(void *arg)
{
	*(struct http_call **)arg = NULL;
}

static void answer_refresh(struct http_call *c, int n)
{
	json_t *o = json_object();

	json_put_int(o, "tenants", n);
	reply_json(c, 200, o);
}

static void on_answer(void *arg, const struct registry_answer *got)
{
	struct http_call **call = arg;

	if (*call)
		http_call_on_gone(*call, NULL, NULL);
	if (*call && got->word == TENANT_UNKNOWN)
		reply_problem(*call, 404, "unknown_tenant", "no tenant has this id");
	else if (*call && (got->word == TENANT_AWAY || !got->is_fresh))
		reply_problem(*call, 503, "tenants_away", "the tenant service does not answer");
	else if (*call)
		answer_refresh(*call, 1);
	free(call);
}

void on_tenant_refresh(struct admin *a, struct http_call *c)
{
	const char *tenant = http_call_query(c, "tenant");
	int n = registry_expire(a->registry, tenant);
	struct http_call **call;

	if (!tenant) {
		answer_refresh(c, n);
		return;
	}
	call = mem_alloc(sizeof(struct http_call *));
	*call = c;
	http_call_on_gone(c, on_client_gone, call);
	registry_get(a->registry, tenant, false, on_answer, call);
}
