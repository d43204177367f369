/* Graph's nodes that read templates: the list of a business account, and one by its id. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "sandbox/account_nodes.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/fields.h"
#include "sandbox/manage.h"
#include "sandbox/paging.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

enum { CURSORS_SINCE = 24 };	/* from this version on a stale cursor has a code of its own */

static const struct { const char *name; bool listed; const char *json; } known[] = {
#define TEMPLATE_FIELD(name, listed, json) { name, listed, json },
#include "sandbox/tbl_template_fields.h"
#undef TEMPLATE_FIELD
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* ---- fields ---- */

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return true;
	return false;
}

/* The names that are asked for; NULL with m->error set. */
static json_t *asked_fields(struct managed *m)
{
	const char *text = param_text(call_params(m->call), "fields");
	json_t *fields = text ? fields_list(text) : json_array(), *name;
	size_t i;

	for (i = 0; !text && i < ARRAY_LEN(known); i++)
		if (known[i].listed)
			json_array_append_new(fields, json_string(known[i].name));
	json_array_foreach(fields, i, name) {
		if (is_known(json_string_value(name)))
			continue;
		manage_fail(m, 100, "Tried accessing nonexisting field (%s) on node type (MessageTemplate)", json_string_value(name));
		json_decref(fields);
		return NULL;
	}
	return fields;
}

static json_t *default_value(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].name, name) == 0 && known[i].json)
			return json_loads(known[i].json, JSON_DECODE_ANY, NULL);
	return NULL;
}

/* What the short form says of a body, so that a client which reads it comes to the same verdict as we do. */
static json_t *made_up_components(const struct template *t)
{
	struct strbuf text = STRBUF_INIT;
	json_t *list;

	strbuf_adds(&text, "Text");
	for (int64_t i = 1; i <= t->body_parameters; i++)
		strbuf_addf(&text, " {{%lld}}", (long long)i);
	strbuf_addc(&text, '.');
	list = json_pack("[{s:s,s:s}]", "type", "BODY", "text", text.buf);
	strbuf_release(&text);
	return list;
}

static json_t *field_of(const struct template *t, const char *name)
{
	json_t *v = json_object_get(t->object, name);

	if (v)
		return json_incref(v);
	if (t->body_parameters >= 0 && strcmp(name, "components") == 0)
		return made_up_components(t);
	return default_value(name);
}

/* The id is there whatever was asked for. */
static json_t *template_object(const struct template *t, const json_t *fields)
{
	json_t *o = json_object(), *name;
	size_t i;

	json_array_foreach(fields, i, name) {
		json_t *v = field_of(t, json_string_value(name));
		if (v)
			json_object_set_new(o, json_string_value(name), v);
	}
	json_object_set_new(o, "id", json_string(t->id));
	return o;
}

static json_t *get_template(struct managed *m)
{
	json_t *fields = asked_fields(m);
	json_t *out = fields ? template_object(m->template, fields) : NULL;

	json_decref(fields);
	return out;
}

void node_template_get(struct call *c)
{
	manage(c, MANAGE_TEMPLATE, get_template);
}

/* ---- filters ---- */

static bool has_text(const json_t *v, const char *part)
{
	const char *name;
	size_t i;
	json_t *o;

	if (json_is_string(v))
		return strcasestr(json_string_value(v), part) != NULL;
	json_array_foreach(v, i, o)
		if (has_text(o, part))
			return true;
	json_object_foreach((json_t *)(uintptr_t)v, name, o)
		if ((!strcmp(name, "text") || !strcmp(name, "buttons") || !strcmp(name, "cards") || !strcmp(name, "components")) &&
		    has_text(o, part))
			return true;
	return false;
}

static bool is_content(const struct template *t, const char *part)
{
	return has_text(json_object_get(t->object, "components"), part);
}

/* "APPROVED", "approved,paused", ["APPROVED"] */
static bool is_one_of(const char *value, const char *words)
{
	json_t *list = fields_list(words), *word;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, word)
		found = found || strcasecmp(value, json_string_value(word)) == 0;
	json_decref(list);
	return found;
}

static bool passes(const struct template *t, const json_t *params)
{
	const char *name = param_text(params, "name"), *either = param_text(params, "name_or_content");
	const char *content = param_text(params, "content"), *quality = param_text(params, "quality_score");
	static const char *const members[] = { "category", "language", "status" };

	/* As Meta's: a part of the name is enough. */
	if ((name && !strcasestr(t->name, name)) || (content && !is_content(t, content)) ||
	    (either && !strcasestr(t->name, either) && !is_content(t, either)))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *wanted = param_text(params, members[i]);
		if (wanted && !is_one_of(text_of(t->object, members[i]), wanted))
			return false;
	}
	if (quality) {
		const char *score = text_of(json_object_get(t->object, "quality_score"), "score");
		return is_one_of(*score ? score : "UNKNOWN", quality);
	}
	return true;
}

/* ---- the list ---- */

static int version_of(const struct call *c)
{
	return c->seg[0].len > 1 ? (int)strtol(c->seg[0].s + 1, NULL, 10) : 0;
}

static int find_page(struct managed *m, const struct catalogue_list *l, struct page *p)
{
	struct catalogue_knobs *k = catalogue_knobs(m->call->sandbox->catalogue);
	const json_t *params = call_params(m->call);
	struct paging_rules rules = { .size_max = (size_t)k->page_max, .version = l->version,
				      .invalid_cursor = version_of(m->call) >= CURSORS_SINCE ? 131059 : 100 };

	if (param_number(params, "limit", 0) > k->page_max) {
		manage_fail(m, 1, "Please reduce the amount of data you're asking for, then retry your request");
		return -1;
	}
	if (param_text(params, "after") && k->stale_after > 0) {
		k->stale_after--;
	} else if (param_text(params, "after") && k->stale_cursors > 0) {
		k->stale_cursors--;
		manage_fail(m, rules.invalid_cursor, "Invalid cursors values, please specify valid cursors values for paging");
		return -1;
	}
	return paging_find_by(m, l->n, &rules, p);
}

static json_t *summary(struct managed *m, size_t found, size_t all)
{
	json_t *names = fields_list(param_text(call_params(m->call), "summary")), *name;
	json_t *numbers = json_pack("{s:I,s:I,s:I,s:b}", "total_count", (json_int_t)found, "message_template_count", (json_int_t)all,
				    "message_template_limit", (json_int_t)catalogue_knobs(m->call->sandbox->catalogue)->templates_max,
				    "are_translations_complete", 1);
	json_t *out = json_object();
	size_t i;

	json_array_foreach(names, i, name)
		if (json_object_get(numbers, json_string_value(name)))
			json_object_set(out, json_string_value(name), json_object_get(numbers, json_string_value(name)));
	json_decref(numbers);
	json_decref(names);
	return out;
}

static json_t *list_page(struct managed *m, const struct catalogue_list *l, const struct page *p, const json_t *fields)
{
	json_t *data = json_array();

	for (size_t i = p->from; i < p->to; i++)
		json_array_append_new(data, template_object(l->all[i], fields));
	return json_pack("{s:o,s:o}", "data", data, "paging", paging_links(m, p));
}

static json_t *get_templates(struct managed *m)
{
	json_t *fields = asked_fields(m), *out = NULL;
	struct catalogue_list l;
	size_t all, n = 0;
	struct page p;

	catalogue_list(m->call->sandbox->catalogue, m->waba->id, &l);
	all = l.n;
	for (size_t i = 0; i < l.n; i++)
		if (passes(l.all[i], call_params(m->call)))
			l.all[n++] = l.all[i];
	l.n = n;
	if (fields && find_page(m, &l, &p) == 0)
		out = list_page(m, &l, &p, fields);
	if (out && param_text(call_params(m->call), "summary"))
		json_object_set_new(out, "summary", summary(m, n, all));
	free(l.all);
	json_decref(fields);
	return out;
}

void node_templates_list(struct call *c)
{
	manage(c, MANAGE_WABA, get_templates);
}
