/* What a test orders of the catalogue, and asks it: whole definitions, many at once, changes, counts, knobs. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/blueprint.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/control.h"
#include "sandbox/json_out.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

enum { MANY_MAX = 100000 };

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* ---- adding: all is checked before anything is kept ---- */

static int check_one(const json_t *o, size_t i, struct strbuf *why)
{
	const json_t *count = json_object_get(o, "count");
	struct blueprint *b;

	if (!*text_of(o, "name") || !*text_of(o, "language"))
		return why_set(why, "template %zu needs \"name\" and \"language\"", i);
	if (count && (!json_is_integer(count) || json_integer_value(count) < 1 || json_integer_value(count) > MANY_MAX ||
		      !strstr(text_of(o, "name"), "%d") || json_object_get(o, "id")))
		return why_set(why, "template %zu: \"count\" is from 1 to %d, \"name\" has %%d in it then, and there is no \"id\"", i, MANY_MAX);
	if (!json_object_get(o, "components"))
		return 0;
	b = blueprint_new(o, why);
	if (!b)
		return -1;
	blueprint_free(&b);
	return 0;
}

static int put_many(struct catalogue *c, json_t *o, struct strbuf *why)
{
	const char *name = text_of(o, "name"), *at = strstr(name, "%d");
	json_int_t count = json_integer_value(json_object_get(o, "count"));
	json_t *one = json_copy(o);
	int err = 0;

	json_object_del(one, "count");
	for (json_int_t i = 1; i <= count && err == 0; i++) {
		json_object_set_new(one, "name", json_sprintf("%.*s%lld%s", (int)(at - name), name, (long long)i, at + 2));
		err = catalogue_put(c, one, why) ? 0 : -1;
	}
	json_decref(one);
	return err;
}

static int put_all(struct catalogue *c, const json_t *list, struct strbuf *why)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
		if (check_one(o, i, why) < 0)
			return -1;
	json_array_foreach(list, i, o)
		if (json_object_get(o, "count") ? put_many(c, o, why) < 0 : !catalogue_put(c, o, why))
			return -1;
	return 0;
}

/* ---- knobs ---- */

static int set_knobs(struct catalogue_knobs *k, const json_t *o, struct strbuf *why)
{
	const struct { const char *name; int64_t *value; } numbers[] = {
		{ "page_max", &k->page_max }, { "templates_max", &k->templates_max }, { "creations_per_hour", &k->creations_per_hour },
		{ "stale_after", &k->stale_after }, { "stale_cursors", &k->stale_cursors },
	};
	const char *review = json_string_value(json_object_get(o, "review"));

	if (review && strlen(review) >= sizeof(k->review))
		return why_set(why, "\"review\" is no status");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (json_object_get(o, numbers[i].name) && param_number(o, numbers[i].name, -1) < 0)
			return why_set(why, "\"%s\" is not a number", numbers[i].name);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i].value = param_number(o, numbers[i].name, *numbers[i].value);
	if (review)
		memcpy(k->review, review, strlen(review) + 1);
	return 0;
}

static int add(struct call *c, const json_t *o, struct strbuf *why)
{
	struct catalogue *catalogue = c->sandbox->catalogue;
	json_t *list;
	int err;

	if (json_object_get(o, "knobs"))
		return set_knobs(catalogue_knobs(catalogue), json_object_get(o, "knobs"), why);
	list = json_is_array(o) ? json_incref((json_t *)(uintptr_t)o) : json_pack("[O]", o);
	err = put_all(catalogue, list, why);
	json_decref(list);
	return err;
}

void control_templates_add(struct call *c)
{
	control_obey(c, add);
}

/* ---- those that an order means ---- */

static bool is_meant(const struct template *t, const json_t *o)
{
	const struct { const char *name, *value; } members[] = {
		{ "waba_id", t->waba }, { "name", t->name }, { "language", t->language }, { "id", t->id },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *wanted = json_string_value(json_object_get(o, members[i].name));
		if (wanted && strcmp(wanted, members[i].value))
			return false;
	}
	return true;
}

typedef int template_f(struct catalogue *c, struct template *t, const json_t *order, struct strbuf *why);

/* How many there were, or -1. */
static int for_each_meant(struct catalogue *c, const json_t *o, template_f *f, struct strbuf *why)
{
	struct catalogue_list l;
	int n = 0;

	catalogue_list(c, NULL, &l);
	for (size_t i = 0; i < l.n && n >= 0; i++)
		if (is_meant(l.all[i], o))
			n = f(c, l.all[i], o, why) < 0 ? -1 : n + 1;
	free(l.all);
	return n;
}

static int change(struct catalogue *c, struct template *t, const json_t *order, struct strbuf *why)
{
	(void)c;
	return catalogue_change(t, order, why);
}

static int change_meant(struct call *c, const json_t *o, struct strbuf *why)
{
	int n = for_each_meant(c->sandbox->catalogue, o, change, why);

	return n == 0 ? why_set(why, "there is no such template") : n;
}

void control_templates_change(struct call *c)
{
	control_obey(c, change_meant);
}

static int drop(struct catalogue *c, struct template *t, const json_t *order, struct strbuf *why)
{
	(void)order;
	(void)why;
	catalogue_remove(c, t);
	return 0;
}

void control_templates_clear(struct call *c)
{
	struct strbuf why = STRBUF_INIT;

	if (json_object_size(call_params(c)))
		for_each_meant(c->sandbox->catalogue, call_params(c), drop, &why);
	else
		catalogue_clear(c->sandbox->catalogue);
	control_answer(c, 0, &why);
}

/* ---- what has become of them ---- */

static void print(const struct template *t, struct strbuf *out)
{
	const struct { const char *name, *value; } texts[] = {
		{ "{\"id\":", t->id }, { ",\"waba_id\":", t->waba }, { ",\"name\":", t->name }, { ",\"language\":", t->language },
		{ ",\"status\":", text_of(t->object, "status") }, { ",\"category\":", text_of(t->object, "category") },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		strbuf_adds(out, texts[i].name);
		json_out_cstring(out, texts[i].value);
	}
	strbuf_addf(out, ",\"accepted\":%llu,\"refused\":%llu}", (unsigned long long)t->accepted, (unsigned long long)t->refused);
}

void control_templates_list(struct call *c)
{
	struct catalogue_list l;
	const char *comma = "";

	catalogue_list(c->sandbox->catalogue, NULL, &l);
	strbuf_adds(&c->out, "[");
	for (size_t i = 0; i < l.n; i++) {
		if (!is_meant(l.all[i], call_params(c)))
			continue;
		strbuf_adds(&c->out, comma);
		print(l.all[i], &c->out);
		comma = ",\n";
	}
	strbuf_adds(&c->out, "]\n");
	free(l.all);
	call_answer_json(c, 200);
}
