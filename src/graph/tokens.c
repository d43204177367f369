#include "graph/tokens.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/hold.h"
#include "flow/trouble.h"

enum { PATIENCE_MS = 60000, DAY_MS = 86400000, STORE_AGAIN_MS = 1000, BAD_TOKEN = 190 };
static const int64_t LIFE_MS = INT64_C(60) * DAY_MS;	/* of a refreshed token (Meta: "Long-lived access tokens") */
static const char needed_scope[] = "whatsapp_business_messaging";

struct tokens {
	struct tokens_options o;
};

struct work {				/* one run of a job */
	struct tokens *t;
	struct job *job;
	struct account *account;
	unsigned serial;		/* of the token that is looked at */
	char words[160];
};

static struct alert_subject subject(const struct account *a, const char *what)
{
	return (struct alert_subject){ a->tenant->id, a->id, what };
}

static struct work *work_new(struct tokens *t, struct job *j)
{
	struct work *w = mem_alloc(sizeof(*w));

	*w = (struct work){ .t = t, .job = j, .account = job_account(j), .serial = job_account(j)->token_serial };
	return w;
}

static void end(struct work *w, bool ok, int64_t again_ms, const char *words)
{
	struct job *j = w->job;
	char said[160];

	snprintf(said, sizeof(said), "%s", words);
	free(w);
	job_end(j, ok, again_ms, "%s", said);
}

/* ---- is it good? ---- */

static bool has_scope(const json_t *data)
{
	const json_t *scopes = json_object_get(data, "scopes"), *one;
	size_t i;

	if (!json_is_array(scopes))
		return true;		/* not said */
	json_array_foreach(scopes, i, one)
		if (json_is_string(one) && !strcmp(json_string_value(one), needed_scope))
			return true;
	return false;
}

enum token_word token_verdict(const json_t *answer, int64_t *expires_ms, struct strbuf *why)
{
	const json_t *data = json_object_get(answer, "data"), *ends = json_object_get(data, "expires_at"),
		     *error = json_object_get(data, "error"), *is_valid = json_object_get(data, "is_valid");

	*expires_ms = json_is_integer(ends) ? (int64_t)json_integer_value(ends) * 1000 : -1;
	if (!json_is_boolean(is_valid)) {
		why_write(why, "debug_token's answer does not say whether it is valid");
		return TOKEN_UNSAID;
	}
	if (json_is_false(is_valid)) {
		why_write(why, "not valid: %.100s (subcode %d)", json_text(error, "message") ? json_text(error, "message") : "no reason said",
			  (int)json_integer_value(json_object_get(error, "subcode")));
		return TOKEN_BAD;
	}
	if (!has_scope(data)) {
		why_write(why, "it lacks the permission %s", needed_scope);
		return TOKEN_BAD;
	}
	return TOKEN_GOOD;
}

/*
 * Its hold is the one that Graph's answer to a message would set: it ends in the same way, by a message that goes through.
 */
static struct trouble trouble_of(const struct work *w, struct hold_fields *fields)
{
	hold_fields_of(w->account, fields);
	return (struct trouble){ .store = w->t->o.store, .conf = w->t->o.conf, .alerts = w->t->o.alerts, .account = w->account,
				 .field = fields->of[HOLD_ACCOUNT], .code = BAD_TOKEN };
}

static void hold(struct work *w)
{
	struct alert_subject who = subject(w->account, NULL);
	struct hold_fields fields = { .of = { "" } };
	struct trouble t = trouble_of(w, &fields);

	alert_raise(w->t->o.alerts, ALERT_TOKEN_BAD, &who, "%s", w->words);
	trouble_set(&t, w->words);
}

/* The source was asked: another token is looked at soon, the same one is bad. */
static void on_source(void *arg, const struct registry_answer *answer)
{
	struct work *w = arg;

	(void)answer;
	if (w->account->is_gone) {
		end(w, true, -1, "it is no longer known");
		return;
	}
	if (w->account->token_serial != w->serial) {
		end(w, true, 0, "its source has another token, which is looked at next: ask again");
		return;
	}
	hold(w);
	end(w, false, -1, w->words);
}

static void is_bad(struct work *w, const char *words)
{
	snprintf(w->words, sizeof(w->words), "%s", words);
	log_warn("token_bad", "tenant=%s account=%s %s", w->account->tenant->id, w->account->id, w->words);
	registry_get(w->t->o.registry, w->account->tenant->id, true, on_source, w);
}

static void is_good(struct work *w, int64_t expires_ms)
{
	struct account *a = w->account;
	struct alert_subject who = subject(a, NULL);
	struct hold_fields fields = { .of = { "" } };
	struct trouble t = trouble_of(w, &fields);
	char ends[32] = "never";

	if (a->token_serial == w->serial && expires_ms >= 0 && expires_ms != a->token_expires_ms)
		a->token_expires_ms = expires_ms;
	alert_resolve(w->t->o.alerts, ALERT_TOKEN_BAD, &who, "Graph accepts the token");
	trouble_over(&t, "Graph accepts the token");
	if (a->token_expires_ms)
		format_utc_ms(a->token_expires_ms, ends);
	snprintf(w->words, sizeof(w->words), "good, ends %s", expires_ms < 0 && !a->token_expires_ms ? "at a time that is not known" : ends);
	end(w, true, -1, w->words);
}

/*
 * Of Graph's errors only those about the token itself say something of it.  A permission that looking lacks, sending may have: codes 10
 * and 200 are no reason to hold the account.
 */
static bool is_about_token(const struct graph_reply *r)
{
	return r->word == GRAPH_REFUSED && (r->code == BAD_TOKEN || r->code == 102 || r->code == 0);
}

static void on_debug(void *arg, const struct graph_reply *r)
{
	struct work *w = arg;
	struct strbuf why = STRBUF_INIT;
	int64_t expires;

	if (is_about_token(r)) {
		is_bad(w, r->text);
	} else if (r->word != GRAPH_OK) {
		end(w, false, r->retry_after_ms, r->text);
	} else {
		switch (token_verdict(r->json, &expires, &why)) {
		case TOKEN_GOOD:
			is_good(w, expires);
			break;
		case TOKEN_BAD:
			is_bad(w, why.buf);
			break;
		case TOKEN_UNSAID:
			end(w, false, -1, why.buf);
			break;
		}
	}
	strbuf_release(&why);
}

static void on_number(void *arg, const struct graph_reply *r)
{
	struct work *w = arg;

	if (is_about_token(r))
		is_bad(w, r->text);
	else if (r->word != GRAPH_OK)
		end(w, false, r->retry_after_ms, r->text);
	else
		is_good(w, -1);
}

static void check(void *arg, struct job *j)
{
	struct work *w = work_new(arg, j);
	const struct account *a = w->account;
	struct strbuf query = STRBUF_INIT;
	struct graph_call call = { .who = { .account = a, .patience_ms = PATIENCE_MS, .arg = w }, .method = "GET" };

	if (a->app_id && a->app_secret) {
		strbuf_reserve(&query, 4 * strlen(a->token) + 32);
		strbuf_adds(&query, "input_token=");
		graph_add_encoded(&query, a->token);
		call.name = "debug_token";
		call.path = "debug_token";
		call.who.done = on_debug;
	} else {
		strbuf_adds(&query, "fields=id");
		call.name = "number";
		call.path = a->phone_number_id;
		call.who.done = on_number;
	}
	call.query = query.buf;
	graph_ask(w->t->o.graph, &call);
	mem_wipe(query.buf, query.len);
	strbuf_release(&query);
}

/* ---- a new one in time ---- */

int64_t token_due_ms(int64_t since_ms, int64_t expires_ms, uint64_t share)
{
	int64_t life = expires_ms - since_ms;

	if (since_ms <= 0 || life <= 0 || life > 2 * LIFE_MS) {
		life = LIFE_MS;
		since_ms = expires_ms - life;
	}
	return since_ms + life / 2 + life / 4 * (int64_t)(share % 1000) / 1000;
}

/* The same for each host and run, different for each account. */
static uint64_t share_of(const struct account *a)
{
	uint8_t digest[SHA256_LEN];
	uint64_t v;

	sha256(a->phone_number_id, strlen(a->phone_number_id), digest);
	memcpy(&v, digest, sizeof(v));
	return v;
}

static void warn_of_end(struct work *w, int64_t left_ms)
{
	static const int days[] = { 1, 3, 7 };

	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		char what[16], ends[32];
		struct alert_subject who = subject(w->account, what);

		snprintf(what, sizeof(what), "%dd", days[i]);
		if (left_ms > (int64_t)days[i] * DAY_MS)
			continue;
		format_utc_ms(w->account->token_expires_ms, ends);
		alert_raise(w->t->o.alerts, ALERT_TOKEN_EXPIRING, &who, "the token ends at %s and cannot be refreshed here", ends);
		return;
	}
}

static void resolve_end(struct work *w)
{
	static const char *const what[] = { "1d", "3d", "7d" };

	for (size_t i = 0; i < ARRAY_LEN(what); i++)
		alert_resolve(w->t->o.alerts, ALERT_TOKEN_EXPIRING, &(struct alert_subject){ w->account->tenant->id, w->account->id, what[i] },
			      "there is a new token");
}

static void refresh_failed(struct work *w, int64_t again_ms, const char *words)
{
	struct alert_subject who = subject(w->account, NULL);

	log_warn("token_refresh", "tenant=%s account=%s %s", w->account->tenant->id, w->account->id, words);
	alert_raise(w->t->o.alerts, ALERT_TOKEN_REFRESH, &who, "%s", words);
	end(w, false, again_ms, words);
}

static void refreshed(struct work *w)
{
	struct alert_subject who = subject(w->account, NULL);

	mem_free_secret(w->account->replaced);
	w->account->replaced = NULL;
	alert_resolve(w->t->o.alerts, ALERT_TOKEN_REFRESH, &who, "the new token is stored");
	resolve_end(w);
	end(w, true, -1, "refreshed and stored");
}

static void on_stored(void *arg, bool ok, const char *why)
{
	struct work *w = arg;

	if (ok) {
		refreshed(w);
		return;
	}
	snprintf(w->words, sizeof(w->words), "the new token is in use, but was not stored: %.100s", why);
	refresh_failed(w, STORE_AGAIN_MS, w->words);
}

static void store_it(struct work *w)
{
	struct strbuf why = STRBUF_INIT;

	if (registry_store_token(w->t->o.registry, w->account, on_stored, w))
		return;
	if (*w->t->o.conf->service_url)
		on_stored(w, false, "the tenant service takes no tokens (tenant_service.token_path)");
	else if (conf_store_token(w->t->o.conf, w->account, &why) < 0)
		on_stored(w, false, why.buf);
	else
		refreshed(w);
	strbuf_release(&why);
}

static void on_exchanged(void *arg, const struct graph_reply *r)
{
	struct work *w = arg;
	struct account *a = w->account;
	const char *token = r->json ? json_text(r->json, "access_token") : NULL;
	int64_t life_s = r->json ? (int64_t)json_integer_value(json_object_get(r->json, "expires_in")) : 0;

	if (r->word != GRAPH_OK) {
		refresh_failed(w, r->retry_after_ms, r->text);
	} else if (!token || !access_token_is_good(token)) {
		refresh_failed(w, -1, "Graph's answer has no access token");
	} else if (a->token_serial != w->serial || a->is_gone) {
		end(w, true, 0, "its source had another token meanwhile");
	} else {
		mem_free_secret(a->replaced);
		a->replaced = mem_strdup(a->token);
		account_set_token(a, token, wall_ms(), life_s > 0 ? wall_ms() + life_s * 1000 : 0);
		log_notice("token_refreshed", "tenant=%s account=%s life_s=%" PRId64, a->tenant->id, a->id, life_s);
		registry_changed(w->t->o.registry);
		store_it(w);
	}
}

static void exchange(struct work *w)
{
	const struct account *a = w->account;
	struct strbuf query = STRBUF_INIT;

	strbuf_reserve(&query, 4 * (strlen(a->token) + strlen(a->app_secret)) + 256);
	strbuf_addf(&query, "grant_type=fb_exchange_token&set_token_expires_in_60_days=true&client_id=%s&client_secret=", a->app_id);
	graph_add_encoded(&query, a->app_secret);
	strbuf_adds(&query, "&fb_exchange_token=");
	graph_add_encoded(&query, a->token);
	graph_ask(w->t->o.graph, &(struct graph_call){
		.who = { .account = a, .patience_ms = PATIENCE_MS, .done = on_exchanged, .arg = w }, .name = "exchange", .method = "GET",
		.path = "oauth/access_token", .query = query.buf });
	mem_wipe(query.buf, query.len);
	strbuf_release(&query);
}

/* Another host may have done it by now: the tenant service is asked first. */
static void on_source_before(void *arg, const struct registry_answer *answer)
{
	struct work *w = arg;

	if (w->account->is_gone)
		end(w, true, -1, "it is no longer known");
	else if (w->account->token_serial != w->serial)
		end(w, true, 0, "the tenant service has a new token");
	else if (answer->word != TENANT_FOUND || !answer->is_fresh)
		end(w, false, -1, "the tenant service does not answer");
	else
		exchange(w);
}

static bool can_refresh(const struct work *w)
{
	return w->t->o.conf->token_refresh && w->account->app_id && w->account->app_secret &&
	       (!*w->t->o.conf->service_url || registry_stores_tokens(w->t->o.registry));
}

static void look(void *arg, struct job *j)
{
	struct work *w = work_new(arg, j);
	struct account *a = w->account;
	int64_t now = wall_ms(), due;

	if (a->replaced) {
		store_it(w);
		return;
	}
	if (!a->token_expires_ms) {
		end(w, true, -1, "it does not end, as far as is known");
		return;
	}
	if (!a->token_since_ms)
		a->token_since_ms = now;	/* of a tenant service's: when it was seen first */
	due = token_due_ms(a->token_since_ms, a->token_expires_ms, share_of(a));
	if (!can_refresh(w)) {
		warn_of_end(w, a->token_expires_ms - now);
		end(w, true, -1, "it ends, and is not refreshed here");
	} else if (now < due || now >= a->token_expires_ms) {
		end(w, true, now < due && due - now < w->t->o.conf->token_look ? due - now : -1, now < due ? "not due" : "it has ended");
	} else if (*w->t->o.conf->service_url) {
		registry_get(w->t->o.registry, a->tenant->id, true, on_source_before, w);
	} else {
		exchange(w);
	}
}

struct tokens *tokens_new(const struct tokens_options *o)
{
	struct tokens *t = mem_alloc(sizeof(*t));

	t->o = *o;
	jobs_add(o->jobs, JOB_TOKEN_CHECK, true, check, t);
	/* Files are each machine's own. */
	jobs_add(o->jobs, JOB_TOKEN_REFRESH, *o->conf->service_url != 0, look, t);
	return t;
}

void tokens_free(struct tokens **tp)
{
	free(*tp);
	*tp = NULL;
}
