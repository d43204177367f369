#include "graph/number.h"

#include "base/mem.h"
#include "graph/health.h"

enum { CODE_PARAMETER = 100 };

static const struct { const char *name, *field, *member; bool by_default, watched; const char *words; } facts[] = {
#define FACT(ident, name, field, member, by_default, watched, words) { name, field, member, by_default, watched, words },
#include "tbl/number_facts.h"
#undef FACT
};

struct fetch { struct graph *g; struct graph_for who; bool is_second; };

const char *number_fact_name(enum number_fact f)
{
	return facts[f].name;
}

const char *number_fact_words(enum number_fact f)
{
	return facts[f].words;
}

bool number_fact_is_watched(enum number_fact f)
{
	return facts[f].watched;
}

void number_fields(bool default_only, struct strbuf *out)
{
	strbuf_adds(out, "fields=id");
	for (int f = 0; f < FACTS; f++)
		if (!default_only || facts[f].by_default)
			strbuf_addf(out, ",%s", facts[f].field);
}

json_t *number_document(const json_t *number)
{
	const char *id = json_text(number, "id");
	json_t *out;

	if (!id)
		return NULL;
	out = json_object();
	json_put_text(out, "phone_number_id", id);
	for (int f = 0; f < FACTS; f++) {
		json_t *v = json_object_get(number, facts[f].field);

		if (facts[f].member)
			v = json_object_get(v, facts[f].member);
		if (json_is_string(v) || json_is_boolean(v) || json_is_integer(v))
			json_object_set(out, facts[f].name, v);
	}
	return out;
}

static json_t *shape(const struct account *a, const json_t *answer)
{
	json_t *out = number_document(answer), *health = out ? health_words(json_object_get(answer, "health_status")) : NULL;

	(void)a;
	if (health)
		json_object_set_new(out, "health", health);
	return out;
}

static void on_answer(void *arg, const struct graph_reply *r);

static void ask(struct fetch *f)
{
	struct strbuf query = STRBUF_INIT;

	number_fields(f->is_second, &query);
	strbuf_adds(&query, ",health_status");
	graph_ask(f->g, &(struct graph_call){
		.who = { f->who.account, f->who.patience_ms, on_answer, f }, .name = "number", .method = "GET",
		.path = f->who.account->phone_number_id, .query = query.buf, .shape = shape });
	strbuf_release(&query);
}

static void on_answer(void *arg, const struct graph_reply *r)
{
	struct fetch *f = arg;

	if (r->word == GRAPH_REFUSED && r->code == CODE_PARAMETER && !f->is_second) {
		f->is_second = true;
		ask(f);
		return;
	}
	f->who.done(f->who.arg, r);
	free(f);
}

void number_fetch(struct graph *g, const struct graph_for *who)
{
	struct fetch *f = mem_alloc(sizeof(*f));

	*f = (struct fetch){ .g = g, .who = *who };
	ask(f);
}
