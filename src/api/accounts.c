/* What Graph says of accounts, and what is changed there: the answers of src/graph. */
#include <inttypes.h>

#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "graph/analytics.h"
#include "graph/profile.h"
#include "graph/subscription.h"
#include "graph/waba.h"
#include "graph/watch.h"

enum { PATIENCE_MS = 10000 };		/* an operator's, for the limit of calls */

struct question {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct account *account;
	bool wants_csv;
};

static void on_client_gone(void *arg)
{
	((struct question *)arg)->call = NULL;
}

/* NULL: the problem is answered. */
static struct question *question_new(struct admin *a, struct http_call *c)
{
	const struct account *account = call_account(a, c);
	struct question *q;

	if (!account)
		return NULL;
	q = mem_alloc(sizeof(*q));
	*q = (struct question){ .a = a, .call = c, .account = account };
	http_call_on_gone(c, on_client_gone, q);
	return q;
}

static struct graph_for for_question(struct question *q, graph_done_f *done)
{
	return (struct graph_for){ q->account, PATIENCE_MS, done, q };
}

/* ---- answers ---- */

void reply_graph_problem(struct http_call *c, const struct graph_reply *r)
{
	struct strbuf words = STRBUF_INIT;

	if (r->word == GRAPH_REFUSED)
		strbuf_addf(&words, "Graph says %d: %s", r->code, r->text);
	else
		strbuf_adds(&words, r->text);
	if (r->retry_after_ms > 0)
		strbuf_addf(&words, "; again in %" PRId64 " s", (r->retry_after_ms + 999) / 1000);
	switch (r->word) {
	case GRAPH_OK:
	case GRAPH_AWAY:
		reply_problem(c, 503, "graph_away", words.buf);
		break;
	case GRAPH_REFUSED:
		reply_problem(c, 502, "graph_refused", words.buf);
		break;
	case GRAPH_LIMITED:
		reply_problem(c, 503, "graph_limited", words.buf);
		break;
	case GRAPH_INVALID:
		reply_problem(c, 400, "bad_request", words.buf);
		break;
	}
	strbuf_release(&words);
}

static void reply_csv(struct http_call *c, const json_t *document)
{
	struct strbuf text = STRBUF_INIT;

	analytics_csv(document, &text);
	http_answer(c, 200, "text/csv; charset=utf-8", text.buf, text.len);
	strbuf_release(&text);
}

static void reply_document(const struct question *q, const json_t *document)
{
	json_t *o = json_copy((json_t *)(uintptr_t)document);

	json_put_text(o, "tenant_id", q->account->tenant->id);
	json_put_text(o, "account_id", q->account->id);
	reply_json(q->call, 200, o);
}

static void on_document(void *arg, const struct graph_reply *r)
{
	struct question *q = arg;

	if (q->call && r->word != GRAPH_OK)
		reply_graph_problem(q->call, r);
	else if (q->call && q->wants_csv)
		reply_csv(q->call, r->json);
	else if (q->call)
		reply_document(q, r->json);
	free(q);
}

/* For those that need nothing but the account. */
static void ask(struct admin *a, struct http_call *c, void (*fetch)(struct graph *g, const struct graph_for *who))
{
	struct question *q = question_new(a, c);
	struct graph_for who;

	if (!q)
		return;
	who = for_question(q, on_document);
	fetch(a->graph, &who);
}

void on_account_phone(struct admin *a, struct http_call *c)
{
	ask(a, c, number_fetch);
}

void on_account_waba(struct admin *a, struct http_call *c)
{
	ask(a, c, waba_fetch);
}

void on_account_profile(struct admin *a, struct http_call *c)
{
	ask(a, c, profile_fetch);
}

void on_account_subscription(struct admin *a, struct http_call *c)
{
	ask(a, c, subscription_fetch);
}

/* ---- what changes something ---- */

static void tell_operator(const struct question *q, const char *command)
{
	char who[OPERATOR_MAX];

	call_operator(q->call, who);
	log_notice("operator", "%s command=%s tenant=%s account=%s", who, command, q->account->tenant->id, q->account->id);
}

static void on_watched(void *arg, const struct graph_reply *r)
{
	struct question *q = arg;

	if (r->word == GRAPH_OK) {
		watch_apply_rate(q->a->conf, q->a->registry, q->account, r->json);
		json_put_int(r->json, "rate", q->account->rate);
	}
	on_document(q, r);
}

void on_account_health(struct admin *a, struct http_call *c)
{
	struct question *q = question_new(a, c);
	struct graph_for who;

	if (!q)
		return;
	who = for_question(q, on_watched);
	watch_run(a->graph, a->alerts, &who);
}

void on_account_subscribe(struct admin *a, struct http_call *c)
{
	struct question *q = question_new(a, c);
	struct graph_for who;

	if (!q)
		return;
	tell_operator(q, "subscribe");
	who = for_question(q, on_document);
	subscription_make(a->graph, &who);
}

/* An empty website takes all away. */
static void take_websites(const struct http_call *c, json_t *changes)
{
	json_t *sites;
	const char *site;

	if (!http_call_query(c, "website"))
		return;
	sites = json_array();
	for (int i = 0; (site = http_call_query_at(c, "website", i)); i++)
		if (*site)
			json_array_append_new(sites, json_string(site));
	json_object_set_new(changes, "websites", sites);
}

void on_account_profile_set(struct admin *a, struct http_call *c)
{
	static const char *const texts[] = { "about", "address", "description", "email", "vertical" };
	struct question *q = question_new(a, c);
	struct picture picture;
	struct graph_for who;
	json_t *changes;

	if (!q)
		return;
	changes = json_object();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_put_text(changes, texts[i], http_call_query(c, texts[i]));
	take_websites(c, changes);
	picture.bytes = http_call_body(c, &picture.len);
	tell_operator(q, "profile");
	who = for_question(q, on_document);
	profile_change(a->graph, &who, changes, &picture);
	json_decref(changes);
}

/* ---- figures ---- */

void on_account_analytics(struct admin *a, struct http_call *c)
{
	struct analytics_words words = { http_call_query(c, "kind"), http_call_query(c, "from"), http_call_query(c, "to"),
					 http_call_query(c, "granularity"), http_call_query(c, "template") };
	struct question *q = question_new(a, c);
	struct strbuf why = STRBUF_INIT;
	struct analytics_query query;
	struct graph_for who;

	if (!q)
		return;
	q->wants_csv = http_call_query(c, "csv") != NULL;
	who = for_question(q, on_document);
	if (analytics_read(&query, &words, wall_ms(), &why) < 0)
		on_document(q, &(struct graph_reply){ .word = GRAPH_INVALID, .retry_after_ms = -1, .text = why.buf });
	else
		analytics_fetch(a->graph, &who, &query);
	strbuf_release(&why);
}
