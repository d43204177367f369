#include "sandbox/oauth.h"

#include <string.h>

#include "base/clock.h"
#include "sandbox/call.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

static const char *const scopes[] = { "whatsapp_business_management", "whatsapp_business_messaging" };

static const char *text(const struct managed *m, const char *name)
{
	const char *s = param_text(call_params(m->call), name);

	return s ? s : "";
}

static const struct token *find(const struct managed *m, const char *name)
{
	return tokens_find(&m->call->sandbox->accounts.tokens, text(m, name), strlen(text(m, name)));
}

static const char *app_of(const struct token *t)
{
	return t->grant->n ? t->grant->numbers[0]->app_id : "";
}

static void finish(struct managed *m, json_t *out)
{
	manage_answer(m->call, &m->error, out, NULL);
}

/* An app by its id and secret. */
static bool is_app(const struct managed *m, const char *id, size_t len, const char *secret)
{
	const struct number *n = strmap_get(&m->call->sandbox->accounts.by_app, id, len);

	return n && *n->app_secret && strcmp(n->app_secret, secret) == 0;
}

/* ---- debug_token ---- */

/* The app's own token is "<id>|<secret>"; *app is whose token it is. */
static int admit_inspector(struct managed *m, struct strbuf *app)
{
	const char *given = m->call->has_token ? m->call->token.buf : text(m, "access_token"), *bar = strchr(given, '|');

	if (bar && is_app(m, given, (size_t)(bar - given), bar + 1)) {
		strbuf_add(app, given, (size_t)(bar - given));
		return graph_admit_version(m->call, &m->error);
	}
	if (graph_admit_token(m->call, &m->token, &m->error) < 0)
		return -1;
	strbuf_adds(app, app_of(m->token));
	return 0;
}

static json_t *granular_scopes(const struct grant *g)
{
	json_t *list = json_array();

	for (size_t s = 0; s < ARRAY_LEN(scopes); s++) {
		json_t *targets = json_array();
		for (size_t i = 0; i < g->n; i++)
			if (i == 0 || g->numbers[i]->waba != g->numbers[i - 1]->waba)
				json_array_append_new(targets, json_string(g->numbers[i]->waba->id));
		json_array_append_new(list, json_pack("{s:s,s:o}", "scope", scopes[s], "target_ids", targets));
	}
	return list;
}

static void add_error(json_t *data, int subcode)
{
	json_t *e = json_pack("{s:i,s:s}", "code", 190, "message", subcode ? token_subcode_words(subcode)
			      : "Invalid OAuth access token - Cannot parse access token");

	if (subcode)
		json_object_set_new(e, "subcode", json_integer(subcode));
	json_object_set_new(data, "error", e);
}

static json_t *describe(const struct token *t)
{
	int64_t now_s = wall_ms() / 1000;
	json_t *data = json_pack("{s:s,s:s,s:s,s:i,s:I,s:b,s:I,s:[s,s],s:o,s:s}", "app_id", app_of(t), "type", "SYSTEM_USER",
				 "application", "Sandbox", "data_access_expires_at", 0, "expires_at", (json_int_t)t->expires_s,
				 "is_valid", token_state_at(t, now_s) == TOKEN_VALID, "issued_at", (json_int_t)t->issued_s,
				 "scopes", scopes[0], scopes[1], "granular_scopes", granular_scopes(t->grant), "user_id", "1");

	if (token_state_at(t, now_s) != TOKEN_VALID)
		add_error(data, token_subcode_at(t, now_s));
	return data;
}

static json_t *debug(struct managed *m, const struct strbuf *app)
{
	const struct token *t = find(m, "input_token");
	json_t *data;

	if (!*text(m, "input_token"))
		return manage_fail(m, 100, "The parameter input_token is required");
	if (t && strcmp(app_of(t), app->buf))
		return manage_fail(m, 100, "The App_id in the input_token did not match the Viewing App");
	if (t)
		return json_pack("{s:o}", "data", describe(t));
	data = json_pack("{s:b,s:[]}", "is_valid", 0, "scopes");
	add_error(data, 0);
	return json_pack("{s:o}", "data", data);
}

void oauth_debug_token(struct call *c)
{
	struct managed m = { .call = c, .error = GRAPH_ERROR_INIT };
	struct strbuf app = STRBUF_INIT;

	finish(&m, admit_inspector(&m, &app) == 0 ? debug(&m, &app) : NULL);
	strbuf_release(&app);
}

/* ---- exchange and revoke ---- */

static int admit_client(struct managed *m)
{
	if (graph_admit_version(m->call, &m->error) < 0)
		return -1;
	if (!*text(m, "client_id"))
		return manage_fail(m, 101, "Missing client_id parameter."), -1;
	if (is_app(m, text(m, "client_id"), strlen(text(m, "client_id")), text(m, "client_secret")))
		return 0;
	return manage_fail(m, 1, "Error validating client secret."), -1;
}

/* The token that a parameter names, if it is this app's. */
static struct token *client_token(struct managed *m, const char *name)
{
	const struct accounts *a = &m->call->sandbox->accounts;
	struct token *t = tokens_find(&a->tokens, text(m, name), strlen(text(m, name)));

	if (t && strcmp(app_of(t), text(m, "client_id")) == 0)
		return t;
	graph_error_set(&m->error, 190, "Invalid OAuth access token - Cannot parse access token");
	m->error.bare = true;
	return NULL;
}

/* The old one stays as good as it is; a token that has ended buys nothing. */
static json_t *exchange(struct managed *m)
{
	const int64_t now_s = wall_ms() / 1000, life_s = m->call->sandbox->opt->token_life_s;
	const struct token *old, *issued;

	if (strcmp(text(m, "grant_type"), "fb_exchange_token"))
		return manage_fail(m, 100, "Param grant_type must be fb_exchange_token");
	old = client_token(m, "fb_exchange_token");
	if (!old || token_check(old, now_s, &m->error) < 0)
		return NULL;
	issued = tokens_issue(&m->call->sandbox->accounts.tokens, old->grant, NULL, now_s, now_s + life_s);
	return json_pack("{s:s,s:s,s:I}", "access_token", issued->text, "token_type", "bearer", "expires_in", (json_int_t)life_s);
}

void oauth_exchange(struct call *c)
{
	struct managed m = { .call = c, .error = GRAPH_ERROR_INIT };

	finish(&m, admit_client(&m) == 0 ? exchange(&m) : NULL);
}

static json_t *revoke_token(struct managed *m)
{
	struct token *t = client_token(m, "revoke_token");

	if (!t)
		return NULL;
	t->state = TOKEN_REVOKED;
	t->subcode = 0;
	return manage_success();
}

void oauth_revoke(struct call *c)
{
	struct managed m = { .call = c, .error = GRAPH_ERROR_INIT };

	finish(&m, admit_client(&m) == 0 ? revoke_token(&m) : NULL);
}
