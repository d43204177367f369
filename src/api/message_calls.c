/* message why, show and cancel: one message, for operators. */
#include "api/handlers.h"
#include "api/reply.h"
#include "api/take_back.h"
#include "api/why_ask.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/mark.h"

/* One call, until the tenant service, Redis and the broker have answered. */
struct question {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct tenant *tenant;
	char *tenant_id, *id, *account, *digest;	/* the last two: NULL: not named */
	char who[OPERATOR_MAX];
};

static void on_client_gone(void *arg)
{
	((struct question *)arg)->call = NULL;
}

static void question_free(struct question *q)
{
	free(q->tenant_id);
	free(q->id);
	free(q->account);
	free(q->digest);
	free(q);
}

/* NULL: the problem is answered. */
static struct question *question_new(struct admin *a, struct http_call *c)
{
	const char *tenant = http_call_query(c, "tenant"), *id = http_call_query(c, "id"), *account = http_call_query(c, "account");
	struct question *q;

	if (!tenant || !id) {
		reply_problem(c, 400, "bad_request", tenant ? "id: is missing" : "tenant: is missing");
		return NULL;
	}
	q = mem_alloc(sizeof(*q));
	*q = (struct question){ .a = a, .call = c, .tenant_id = mem_strdup(tenant), .id = mem_strdup(id),
				.account = mem_strdup(account), .digest = mem_strdup(http_call_query(c, "digest")) };
	call_operator(c, q->who);
	http_call_on_gone(c, on_client_gone, q);
	return q;
}

static void fail(struct question *q, int status, const char *code, const char *detail)
{
	if (q->call)
		reply_problem(q->call, status, code, detail);
	question_free(q);
}

/* ---- why ---- */

static void on_told(void *arg, enum look_word word, json_t *answer)
{
	struct question *q = arg;

	if (!q->call)
		json_decref(answer);
	else if (word == LOOK_AWAY)
		reply_problem_with(q->call, 503, "store_away", answer);
	else if (word == LOOK_NONE)
		reply_problem_with(q->call, 404, "no_record", answer);
	else
		reply_json(q->call, 200, answer);
	question_free(q);
}

static void ask(struct question *q, const struct tenant *t)
{
	const struct admin *a = q->a;
	const struct account *account = q->account ? tenant_account(t, q->account) : NULL;

	if (q->account && !account) {
		fail(q, 404, "unknown_account", "no account of this tenant has this id or phone number id");
		return;
	}
	why_ask(&(struct why_ask){ .loop = a->loop, .conf = a->conf, .store = a->store, .board = a->board, .fleet = a->fleet,
			     .digest = q->digest }, t, account, q->id,
		on_told, q);
}

/* A tenant that only its service knows, and that does not answer: whatever waits for this tenant waits for that. */
static void say_tenant_away(struct question *q)
{
	const char *cause = wait_cause_word(WAIT_TENANT_AWAY);
	struct strbuf words = STRBUF_INIT;
	json_t *o = json_object(), *one = json_object();
	struct registry_view v;

	registry_look(q->a->registry, &v);
	strbuf_adds(&words, "the tenant service does not answer, and the tenant is not known here: its messages wait in delay queues and use no attempt");
	if (*v.why)
		strbuf_addf(&words, "; the last failure was: %s", v.why);
	json_put_text(one, "cause", cause);
	json_put_time(one, "since", v.failing_since_ms);
	json_put_text(one, "why", words.buf);
	json_put_text(o, "cause", cause);
	json_object_set_new(o, "causes", json_pack("[o]", one));
	json_put_text(o, "detail", words.buf);
	if (q->call)
		reply_problem_with(q->call, 503, "tenants_away", o);
	else
		json_decref(o);
	strbuf_release(&words);
	question_free(q);
}

static void on_tenant(void *arg, const struct registry_answer *r)
{
	struct question *q = arg;

	switch (r->word) {
	case TENANT_FOUND:
	case TENANT_SAME:
		ask(q, r->tenant);
		return;
	case TENANT_UNKNOWN:
		fail(q, 404, "unknown_tenant", "no tenant has this id");
		return;
	case TENANT_AWAY:
		say_tenant_away(q);
		return;
	}
}

/* Nobody may have asked for the tenant yet: then its service is asked. */
static void ask_about(struct admin *a, struct http_call *c)
{
	struct question *q = question_new(a, c);
	const struct tenant *t = q ? conf_tenant(a->conf, q->tenant_id) : NULL;

	if (t)
		ask(q, t);
	else if (q && tenant_name_is_good(q->tenant_id))
		registry_get(a->registry, q->tenant_id, false, on_tenant, q);
	else if (q)
		fail(q, 404, "unknown_tenant", "no tenant has this id");
}

void on_message_why(struct admin *a, struct http_call *c)
{
	ask_about(a, c);
}

void on_message_show(struct admin *a, struct http_call *c)
{
	ask_about(a, c);
}

/* ---- cancel ---- */

static void on_taken_back(void *arg, enum take_back_word word, const char *why)
{
	struct question *q = arg;

	if (word == TAKE_BACK_DONE)
		log_notice("operator", "%s command=message_cancel tenant=%s id=%s", q->who, q->tenant->id, q->id);
	if (!q->call)
		log_debug("cancel", "the client has gone");
	else if (word == TAKE_BACK_DONE)
		reply_json(q->call, 200, json_pack("{s:s, s:s}", "id", q->id, "status", "cancelled"));
	else if (word == TAKE_BACK_LATE)
		reply_problem(q->call, 409, "too_late", why);
	else if (word == TAKE_BACK_NONE)
		reply_problem(q->call, 404, "no_record", "no record: it was not taken from the queue yet, or it was refused before anything was sent "
			      "(then it is in the dead-letter queue), or its record has ended");
	else
		reply_problem(q->call, 503, "store_away", "Redis does not answer");
	question_free(q);
}

void on_message_cancel(struct admin *a, struct http_call *c)
{
	const struct tenant *t = call_tenant(a, c);
	struct question *q = t ? question_new(a, c) : NULL;

	if (!q)
		return;
	q->tenant = t;
	take_back(a->store, a->conf, t, q->id, on_taken_back, q);
}
