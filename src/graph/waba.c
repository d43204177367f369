#include "graph/waba.h"

#include "base/mem.h"
#include "graph/health.h"
#include "graph/number.h"
#include "graph/pages.h"

static const struct { const char *name, *field; } facts[] = {
	{ "name", "name" }, { "status", "status" }, { "review", "account_review_status" },
	{ "business_verification", "business_verification_status" }, { "currency", "currency" }, { "country", "country" },
	{ "messaging_limit", "whatsapp_business_manager_messaging_limit" }, { "template_namespace", "message_template_namespace" },
	{ "marketing_messages", "marketing_messages_onboarding_status" }, { "has_insights", "is_enabled_for_insights" },
};

struct fetch { struct graph *g; struct graph_for who; json_t *waba; };

static void end(struct fetch *f, const struct graph_reply *r)
{
	f->who.done(f->who.arg, r);
	json_decref(f->waba);
	free(f);
}

static json_t *waba_shape(const struct account *a, const json_t *answer)
{
	json_t *out, *health;

	(void)a;
	if (!json_text(answer, "id"))
		return NULL;
	out = json_object();
	json_put_text(out, "waba_id", json_text(answer, "id"));
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		json_t *v = json_object_get(answer, facts[i].field);

		if (json_is_string(v) || json_is_boolean(v))
			json_object_set(out, facts[i].name, v);
	}
	health = health_words(json_object_get(answer, "health_status"));
	if (health)
		json_object_set_new(out, "health", health);
	return out;
}

static json_t *numbers_shape(const struct account *a, const json_t *answer)
{
	json_t *numbers = json_array(), *number;
	size_t i;

	(void)a;
	json_array_foreach(json_object_get(answer, "data"), i, number) {
		json_t *o = number_document(number);

		if (o)
			json_array_append_new(numbers, o);
	}
	number = json_object();
	json_object_set_new(number, "numbers", numbers);
	json_object_set(number, "is_cut", json_object_get(answer, "is_cut"));
	return number;
}

static void on_numbers(void *arg, const struct graph_reply *r)
{
	struct fetch *f = arg;
	struct graph_reply whole = *r;

	if (r->word == GRAPH_OK) {
		json_object_update(f->waba, r->json);
		whole.json = f->waba;
	}
	end(f, &whole);
}

static void on_waba(void *arg, const struct graph_reply *r)
{
	struct fetch *f = arg;
	struct strbuf path = STRBUF_INIT, query = STRBUF_INIT;

	if (r->word != GRAPH_OK) {
		end(f, r);
		return;
	}
	f->waba = json_incref(r->json);
	strbuf_addf(&path, "%s/phone_numbers", f->who.account->waba_id);
	number_fields(false, &query);
	pages_fetch(f->g, &(struct graph_listing){
		.who = { f->who.account, f->who.patience_ms, on_numbers, f }, .name = "numbers", .path = path.buf, .query = query.buf,
		.shape = numbers_shape });
	strbuf_release(&path);
	strbuf_release(&query);
}

void waba_fetch(struct graph *g, const struct graph_for *who)
{
	struct fetch *f = mem_alloc(sizeof(*f));
	struct strbuf query = STRBUF_INIT;

	*f = (struct fetch){ .g = g, .who = *who };
	strbuf_adds(&query, "fields=id");
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		strbuf_addf(&query, ",%s", facts[i].field);
	strbuf_adds(&query, ",health_status");
	graph_ask(g, &(struct graph_call){ .who = { who->account, who->patience_ms, on_waba, f }, .name = "waba", .method = "GET",
					   .path = who->account->waba_id, .query = query.buf, .shape = waba_shape });
	strbuf_release(&query);
}
