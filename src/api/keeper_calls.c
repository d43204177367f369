#include "api/keeper_calls.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"
#include "graph/analytics.h"
#include "graph/profile.h"
#include "graph/watch.h"
#include "msg/keeper_wire.h"

enum { PATIENCE_MS = 5000 };		/* for the limit; the api waits that much longer than for an answer of Graph's */

struct keeper_calls {
	struct admin *a;
	struct list flights;
};

struct asker { struct list list; int port; char id[UUID_LEN + 1]; };

struct flight {				/* one question, whoever asked it */
	struct list list;
	struct keeper_calls *k;
	enum keeper_call call;
	char tenant[TENANT_NAME_MAX + 1], account_id[TENANT_NAME_MAX + 1];
	struct strbuf args;
	const struct account *account;
	struct list askers;
};

/* ---- the answer ---- */

static void tell(const struct flight *f, const struct asker *who, int status, const struct strbuf *document)
{
	struct keeper_told t = { .status = status, .total = document->len };
	struct strbuf packet = STRBUF_INIT;

	snprintf(t.id, sizeof(t.id), "%s", who->id);
	strbuf_reserve(&packet, KEEPER_PART_MAX + 256);
	do {
		t.part = document->buf + t.offset;
		t.len = t.total - t.offset < KEEPER_PART_MAX ? t.total - t.offset : KEEPER_PART_MAX;
		strbuf_reset(&packet);
		keeper_told_write(&t, &packet);
		registry_say(f->k->a->registry, who->port, packet.buf, packet.len);
		t.offset += t.len;
	} while (t.offset < t.total);
	strbuf_release(&packet);
}

/* The end of a flight.  Takes the document over. */
static void answer(struct flight *f, int status, json_t *document)
{
	struct strbuf text = STRBUF_INIT;

	json_dump_to(document, JSON_COMPACT, &text);
	json_decref(document);
	if (text.len > KEEPER_ANSWER_MAX) {
		status = 502;
		strbuf_setf(&text, "{\"code\":\"answer_too_large\",\"detail\":\"Graph's answer is larger than is passed on; ask for less\"}");
	}
	while (!list_is_empty(&f->askers)) {
		struct asker *who = CONTAINER_OF(list_pop(&f->askers), struct asker, list);

		tell(f, who, status, &text);
		free(who);
	}
	list_del(&f->list);
	strbuf_release(&f->args);
	strbuf_release(&text);
	free(f);
}

static void refuse(struct flight *f, int status, const char *code, const char *detail, int64_t retry_after_ms)
{
	json_t *o = json_object();

	json_put_text(o, "code", code);
	json_put_text(o, "detail", detail);
	if (retry_after_ms > 0)
		json_put_int(o, "retry_after_s", (retry_after_ms + 999) / 1000);
	answer(f, status, o);
}

static void refuse_graphs(struct flight *f, const struct graph_reply *r)
{
	struct strbuf words = STRBUF_INIT;

	switch (r->word) {
	case GRAPH_OK:
		BUG("a good answer is refused");
	case GRAPH_REFUSED:
		strbuf_addf(&words, "Graph says %d: %s", r->code, r->text);
		refuse(f, 502, "graph_refused", words.buf, r->retry_after_ms);
		break;
	case GRAPH_LIMITED:
		refuse(f, 503, "graph_limited", r->text, r->retry_after_ms > 0 ? r->retry_after_ms : 1000);
		break;
	case GRAPH_INVALID:
		refuse(f, 422, "bad_field", r->text, -1);
		break;
	case GRAPH_AWAY:
		refuse(f, 504, "graph_away", r->text, -1);
		break;
	}
	strbuf_release(&words);
}

static void on_graph(void *arg, const struct graph_reply *r)
{
	struct flight *f = arg;
	json_t *o;

	if (r->word != GRAPH_OK) {
		refuse_graphs(f, r);
		return;
	}
	o = json_copy(r->json);
	json_put_text(o, "tenant_id", f->account->tenant->id);
	json_put_text(o, "account_id", f->account->id);
	answer(f, 200, o);
}

/* ---- the calls ---- */

static void run_PROFILE(struct flight *f, const struct graph_for *who, const json_t *args UNUSED)
{
	profile_fetch(f->k->a->graph, who);
}

static void run_PROFILE_SET(struct flight *f, const struct graph_for *who, const json_t *args)
{
	log_notice("tenant", "tenant=%s account=%s command=profile", f->tenant, f->account->id);
	profile_change(f->k->a->graph, who, args, &(struct picture){ NULL, 0 });
}

static void on_watched(void *arg, const struct graph_reply *r)
{
	struct flight *f = arg;
	const struct admin *a = f->k->a;

	if (r->word == GRAPH_OK) {
		watch_apply_rate(a->conf, a->registry, f->account, r->json);
		json_put_int(r->json, "rate", f->account->rate);
	}
	on_graph(f, r);
}

static void run_HEALTH(struct flight *f, const struct graph_for *who, const json_t *args UNUSED)
{
	struct graph_for watched = *who;

	watched.done = on_watched;
	watch_run(f->k->a->graph, f->k->a->alerts, &watched);
}

static void on_number(void *arg, const struct graph_reply *r)
{
	if (r->word == GRAPH_OK)
		json_object_del(r->json, "health");
	on_graph(arg, r);
}

static void run_VERIFICATION(struct flight *f, const struct graph_for *who, const json_t *args UNUSED)
{
	struct graph_for number = *who;

	number.done = on_number;
	number_fetch(f->k->a->graph, &number);
}

static void run_ANALYTICS(struct flight *f, const struct graph_for *who, const json_t *args)
{
	struct analytics_words words = { json_text(args, "kind"), json_text(args, "from"), json_text(args, "to"),
					 json_text(args, "granularity"), json_text(args, "template") };
	struct strbuf why = STRBUF_INIT;
	struct analytics_query query;

	if (analytics_read(&query, &words, wall_ms(), &why) < 0)
		refuse(f, 422, "bad_field", why.buf, -1);
	else
		analytics_fetch(f->k->a->graph, who, &query);
	strbuf_release(&why);
}

static void on_crawled(void *arg, const struct graph_reply *r)
{
	struct flight *f = arg;
	struct graph_reply told = *r;

	if (r->word == GRAPH_OK) {
		told.json = json_object();
		json_object_set(told.json, "fetched", json_object_get(r->json, "templates"));
	}
	on_graph(f, &told);
	if (r->word == GRAPH_OK)
		json_decref(told.json);
}

static void run_TEMPLATES(struct flight *f, const struct graph_for *who, const json_t *args UNUSED)
{
	struct graph_for crawled = *who;

	crawled.done = on_crawled;
	crawl_fetch(f->k->a->crawl, &crawled, NULL);
}

static void run_SPOOLED(struct flight *f, const struct graph_for *who UNUSED, const json_t *args UNUSED)
{
	BUG("%s: the spool is no business of Graph's", f->tenant);
}

static void run(struct flight *f)
{
	static void (*const runs[])(struct flight *f, const struct graph_for *who, const json_t *args) = {
#define KEEPER_CALL(ident, ...) run_##ident,
#include "tbl/keeper_calls.h"
#undef KEEPER_CALL
	};
	struct graph_for who = { f->account, PATIENCE_MS, on_graph, f };
	json_t *args = NULL;

	if (f->args.len && json_parse(f->args.buf, f->args.len, &args, NULL) != JSON_OK)
		refuse(f, 400, "not_json", "the arguments are no JSON", -1);
	else
		runs[f->call](f, &who, args);
	json_decref(args);
}

/* ---- questions ---- */

static void on_tenant(void *arg, const struct registry_answer *got)
{
	struct flight *f = arg;

	f->account = got->tenant ? tenant_account(got->tenant, f->account_id) : NULL;
	if (f->account)
		run(f);
	else if (got->word == TENANT_AWAY)
		refuse(f, 503, "tenants_away", "the tenant service does not answer", got->ms);
	else
		refuse(f, 404, "unknown_account", "no account of this tenant has this id or phone number id", -1);
}

static struct flight *flight_like(const struct keeper_calls *k, const struct keeper_ask *q)
{
	for (struct list *i = k->flights.next; keeper_call_is_shared(q->call) && i != &k->flights; i = i->next) {
		struct flight *f = CONTAINER_OF(i, struct flight, list);

		if (f->call == q->call && !strcmp(f->tenant, q->tenant) && !strcmp(f->account_id, q->account) && f->args.len == q->len &&
		    !memcmp(f->args.buf, q->args, q->len))
			return f;
	}
	return NULL;
}

static void add_asker(struct flight *f, int port, const char *id)
{
	struct asker *who = mem_alloc(sizeof(*who));

	who->port = port;
	snprintf(who->id, sizeof(who->id), "%s", id);
	list_add_tail(&f->askers, &who->list);
}

static void take_spooled(struct admin *a, const struct keeper_ask *q)
{
	json_t *o = NULL;

	if (json_parse(q->args, q->len, &o, NULL) == JSON_OK)
		spool_grew(a->spool, json_integer_value(json_object_get(o, "bytes")));
	json_decref(o);
	a->spooled(a->arg);
}

static bool on_question(void *arg, int port, const char *data, size_t len)
{
	struct keeper_calls *k = arg;
	struct keeper_ask q;
	struct flight *f;

	if (keeper_ask_read(data, len, &q) < 0)
		return false;
	if (q.call == KEEPER_SPOOLED) {
		take_spooled(k->a, &q);
		return true;
	}
	f = flight_like(k, &q);
	if (f) {
		add_asker(f, port, q.id);
		return true;
	}
	f = mem_alloc(sizeof(*f));
	*f = (struct flight){ .k = k, .call = q.call, .args = STRBUF_INIT };
	snprintf(f->tenant, sizeof(f->tenant), "%s", q.tenant);
	snprintf(f->account_id, sizeof(f->account_id), "%s", q.account);
	strbuf_add(&f->args, q.args, q.len);
	list_init(&f->askers);
	add_asker(f, port, q.id);
	list_add_tail(&k->flights, &f->list);
	registry_get(k->a->registry, f->tenant, false, on_tenant, f);
	return true;
}

bool keeper_calls_are_over(const struct keeper_calls *k)
{
	return list_is_empty(&k->flights);
}

struct keeper_calls *keeper_calls_new(struct admin *a)
{
	struct keeper_calls *k = mem_alloc(sizeof(*k));

	k->a = a;
	list_init(&k->flights);
	registry_on_other(a->registry, on_question, k);
	return k;
}

void keeper_calls_free(struct keeper_calls **kp)
{
	free(*kp);
	*kp = NULL;
}
