/* What operators change: holds and breakers, by src/lua/operate.lua.  Senders notice within 5 s, by themselves. */
#include <inttypes.h>

#include "api/gate_view.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "api/selector.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "msg/identity.h"

static const int64_t day_ms = 86400000;
enum { FOR_MIN_MS = 1000, HOLD_MAX_DAYS = 365, BREAKER_MAX_DAYS = 7, REASON_MAX = 200 };

/* One call, until operate.lua has answered. */
struct operation {
	const struct admin *a;
	struct http_call *call;			/* NULL: the client has gone */
	char who[OPERATOR_MAX];
	const char *verb;
	const struct tenant *tenant;
	const struct account *account;		/* of a breaker; of a hold where one is named */
	enum hold_scope scope;
	char field[HOLD_FIELD_MAX];
	char recipient_key[KEY_TEXT_MAX];
	bool is_known;
	int64_t for_ms;				/* 0: for ever */
	char reason[REASON_MAX + 1];
};

static void on_client_gone(void *arg)
{
	((struct operation *)arg)->call = NULL;
}

static void end(struct operation *o)
{
	free(o);
}

static void fail(struct operation *o, int status, const char *code, const char *detail)
{
	if (o->call)
		reply_problem(o->call, status, code, detail);
	end(o);
}

static void answer(struct operation *o, json_t *body)
{
	if (o->call)
		reply_json(o->call, 200, body);
	else
		json_decref(body);
	end(o);
}

/* Neither the operator's words nor a recipient, by whatever name, go to the log. */
static void tell(const struct operation *o, const char *result)
{
	char span[32] = "-";

	if (o->for_ms)
		format_msec(o->for_ms, span);
	log_notice("operator", "%s command=%s tenant=%s account=%s what=%s for=%s result=%s", o->who, o->verb, o->tenant->id,
		   o->account ? o->account->id : "-", o->scope == HOLD_RECIPIENT ? "recipient" : *o->field ? o->field : "breaker",
		   span, result);
}

/* Graph's hold is gone, and no message will go through that ends its alert.  The subject is that of settle.c. */
static void resolve_held(const struct operation *o, const char *words)
{
	struct alert_subject who = { o->tenant->id, NULL, o->field };

	if (o->scope == HOLD_TENANT || o->scope == HOLD_PRIORITY || o->scope == HOLD_RECIPIENT)	/* never Graph's | never told */
		return;
	if (o->account && (o->scope == HOLD_ACCOUNT || o->scope == HOLD_NUMBER))
		who.account_id = o->account->id;
	alert_resolve(o->a->alerts, ALERT_HELD, &who, "%s", words);
}

/* ---- asking ---- */

static int ask(struct operation *o, store_reply_f *done)
{
	char holds[KEY_TEXT_MAX], account[KEY_TEXT_MAX], ms[24];
	bool is_breaker = !*o->field;
	struct store_arg args[7];
	int n = 0;

	key_holds(o->a->conf, o->tenant, holds);
	if (is_breaker)
		key_account(o->a->conf, o->account, account);
	snprintf(ms, sizeof(ms), "%" PRId64, o->for_ms);
	args[n++] = is_breaker ? STORE_ARG(account) : STORE_ARG(holds);
	args[n++] = STORE_ARG(holds);
	args[n++] = *o->recipient_key ? STORE_ARG(o->recipient_key) : STORE_ARG(holds);	/* or any of the domain */
	args[n++] = STORE_ARG(o->verb);
	if (!is_breaker)
		args[n++] = STORE_ARG(o->field);
	if (!strcmp(o->verb, "hold") || !strcmp(o->verb, "trip"))
		args[n++] = STORE_ARG(ms);
	if (!strcmp(o->verb, "hold"))
		args[n++] = STORE_ARG(o->reason);
	return store_script(o->a->store, SCRIPT_OPERATE, 3, args, n, done, o);
}

/* false: the problem is answered. */
static bool has_answer(struct operation *o, const struct store_reply *r, int n)
{
	if (r && !r->error && r->n >= 1 && (r->n >= n || strcmp(r->v[0].s, "ok")))
		return true;
	if (r && r->error)
		log_error("script_failed", "script=operate %s", r->error);
	tell(o, "unknown");
	fail(o, 503, "store_away", "Redis did not answer: nobody knows whether it was done; doing it again does no harm");
	return false;
}

static void start(struct operation *o, store_reply_f *done)
{
	http_call_on_gone(o->call, on_client_gone, o);
	if (ask(o, done) < 0)
		fail(o, 503, "store_away", "Redis does not answer; nothing was changed");
}

static struct operation *operation_new(const struct admin *a, struct http_call *c, const char *verb, const struct tenant *t)
{
	struct operation *o = mem_alloc(sizeof(*o));

	*o = (struct operation){ .a = a, .call = c, .verb = verb, .tenant = t };
	call_operator(c, o->who);
	return o;
}

/* ---- holds ---- */

static json_t *hold_json(const struct operation *o, const char *text, int64_t now_ms)
{
	struct gate_hold h;

	return gate_hold_read(o->field, text, &h) < 0 ? json_object() : gate_hold(&h, o->account, now_ms);
}

static void on_held(void *arg, const struct store_reply *r)
{
	struct operation *o = arg;

	if (!has_answer(o, r, 3))
		return;
	tell(o, "held");
	resolve_held(o, "an operator holds it now");
	answer(o, hold_json(o, r->v[2].s, r->v[1].i));
}

static json_t *released_json(const struct operation *o)
{
	json_t *body = json_object();
	char first[80], second[HOLD_FIELD_MAX];
	enum hold_scope scope;

	json_put_text(body, "tenant_id", o->tenant->id);
	json_put_text(body, "scope", hold_scope_name(o->scope));
	json_put_text(body, "account_id", o->account ? o->account->id : NULL);
	if (hold_field_read(o->field, &scope, first, second) == 0)
		json_put_text(body, "what", *second ? second : first);
	return body;
}

static void on_released(void *arg, const struct store_reply *r)
{
	struct operation *o = arg;

	if (!has_answer(o, r, 1))
		return;
	if (strcmp(r->v[0].s, "ok")) {
		fail(o, 404, o->is_known ? "no_hold" : "unknown_account",
		     o->is_known ? "this is not on hold" : "this tenant has no such account, number or business account, and it is not on hold");
		return;
	}
	tell(o, "released");
	resolve_held(o, "an operator released it");
	answer(o, released_json(o));
}

/* A recipient is known by its keyed hash only, and the key is the installation's. */
static int find_recipient(struct operation *o, const struct recipient *r, struct strbuf *why)
{
	char who[WHO_LEN + 1];
	struct strbuf file = STRBUF_INIT;
	struct identity *i;

	strbuf_addf(&file, "%s/installation.key", o->a->conf->state_dir);
	i = identity_load(file.buf, false, why);
	strbuf_release(&file);
	if (!i)
		return -1;
	identity_who(i, r, who);
	identity_free(&i);
	hold_recipient_field(o->account, who, o->field);
	key_recipient_hold(o->a->conf, o->account, who, o->recipient_key);
	return 0;
}

/* NULL, or the code of a problem with its reason in why. */
static const char *take_selector(struct operation *o, struct strbuf *why)
{
	struct selector_options options = {
		http_call_query(o->call, "account"), http_call_query(o->call, "number"), http_call_query(o->call, "waba"),
		http_call_query(o->call, "template"), http_call_query(o->call, "recipient"), http_call_query(o->call, "priority"),
	};
	struct selector s;
	const char *code = selector_read(&s, o->tenant, &options, why);

	if (code)
		return code;
	o->scope = s.scope;
	o->account = s.account;
	o->is_known = s.is_known;
	memcpy(o->field, s.field, sizeof(o->field));
	return s.scope == HOLD_RECIPIENT && find_recipient(o, &s.recipient, why) < 0 ? "no_installation_key" : NULL;
}

static int take_reason(struct operation *o, struct strbuf *why)
{
	const char *reason = http_call_query(o->call, "reason");
	size_t len = reason ? strlen(reason) : 0;

	if (!len || len > REASON_MAX || !str_is_utf8(reason, len))
		return why_set(why, "reason: found %zu bytes, allowed 1 to %d of UTF-8: say why, for those who find it", len, REASON_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)reason[i] < 0x20)
			return why_set(why, "reason: found a control character, allowed one line of text");
	memcpy(o->reason, reason, len + 1);
	return 0;
}

static const char *take_hold(struct operation *o, struct strbuf *why)
{
	const char *code = take_selector(o, why);

	if (code)
		return code;
	if (!o->is_known) {
		why_write(why, "this tenant has no such account, number or business account");
		return "unknown_account";
	}
	return take_reason(o, why) < 0 || call_duration(o->call, "for", 0, FOR_MIN_MS, HOLD_MAX_DAYS * day_ms, &o->for_ms, why) < 0 ?
		"bad_request" : NULL;
}

static int status_of(const char *code)
{
	return !strcmp(code, "bad_request") ? 400 : !strcmp(code, "unknown_account") ? 404 : 500;
}

static void change_hold(struct admin *a, struct http_call *c, const char *verb, const char *(*take)(struct operation *, struct strbuf *),
			store_reply_f *done)
{
	const struct tenant *t = call_tenant(a, c);
	struct strbuf why = STRBUF_INIT;
	struct operation *o;
	const char *code;

	if (!t)
		return;
	o = operation_new(a, c, verb, t);
	code = take(o, &why);
	if (code)
		fail(o, status_of(code), code, why.buf);
	else
		start(o, done);
	strbuf_release(&why);
}

void on_hold_set(struct admin *a, struct http_call *c)
{
	change_hold(a, c, "hold", take_hold, on_held);
}

void on_hold_release(struct admin *a, struct http_call *c)
{
	change_hold(a, c, "release", take_selector, on_released);
}

void on_pause(struct admin *a, struct http_call *c)
{
	on_hold_set(a, c);
}

void on_resume(struct admin *a, struct http_call *c)
{
	on_hold_release(a, c);
}

void on_account_hold(struct admin *a, struct http_call *c)
{
	if (call_account(a, c))
		on_hold_set(a, c);
}

void on_account_release(struct admin *a, struct http_call *c)
{
	if (call_account(a, c))
		on_hold_release(a, c);
}

/* ---- breakers ---- */

static json_t *breaker_json(const struct operation *o)
{
	json_t *body = json_object();

	json_put_text(body, "tenant_id", o->tenant->id);
	json_put_text(body, "account_id", o->account->id);
	return body;
}

static void on_tripped(void *arg, const struct store_reply *r)
{
	struct operation *o = arg;
	json_t *body;

	if (!has_answer(o, r, 2))
		return;
	tell(o, "open");
	body = breaker_json(o);
	json_put_time(body, "until", r->v[1].i + o->for_ms);
	answer(o, body);
}

static void on_reset(void *arg, const struct store_reply *r)
{
	struct operation *o = arg;
	json_t *body;

	if (!has_answer(o, r, 1))
		return;
	tell(o, "closed");
	alert_resolve(o->a->alerts, ALERT_BREAKER_OPEN, &(struct alert_subject){ o->tenant->id, o->account->id, NULL }, "an operator closed it");
	body = breaker_json(o);
	json_object_set_new(body, "was_closed", json_boolean(strcmp(r->v[0].s, "ok")));
	answer(o, body);
}

void on_breaker_trip(struct admin *a, struct http_call *c)
{
	const struct account *account = call_account(a, c);
	struct strbuf why = STRBUF_INIT;
	struct operation *o;

	if (!account)
		return;
	o = operation_new(a, c, "trip", account->tenant);
	o->account = account;
	if (call_duration(c, "for", a->conf->breaker_open, FOR_MIN_MS, BREAKER_MAX_DAYS * day_ms, &o->for_ms, &why) < 0)
		fail(o, 400, "bad_request", why.buf);
	else
		start(o, on_tripped);
	strbuf_release(&why);
}

void on_breaker_reset(struct admin *a, struct http_call *c)
{
	const struct account *account = call_account(a, c);
	struct operation *o;

	if (!account)
		return;
	o = operation_new(a, c, "reset", account->tenant);
	o->account = account;
	start(o, on_reset);
}
