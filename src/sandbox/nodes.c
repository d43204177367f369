#include "sandbox/nodes.h"

#include <string.h>

#include "base/str.h"

enum node_kind { NUMBER, WABA };

static const char *const entity_types[] = { "PHONE_NUMBER", "WABA", "BUSINESS", "APP" };

/* ---- what is computed ---- */

static json_t *number_id(const struct waba *w, const struct number *n)
{
	(void)w;
	return json_string(n->pnid);
}

static json_t *waba_id(const struct waba *w, const struct number *n)
{
	(void)n;
	return json_string(w->id);
}

static json_t *display_phone_number(const struct waba *w, const struct number *n)
{
	size_t len = strlen(n->pnid);

	(void)w;
	return json_sprintf("+1 555-%.4s", len > 4 ? n->pnid + len - 4 : n->pnid);
}

/* What was ordered for the number goes before what was for its business account. */
static json_t *entity(const struct waba *w, const struct number *n, const char *type, const char *id)
{
	const json_t *ordered = n ? json_object_get(n->node.health, type) : NULL;
	json_t *e = json_pack("{s:s,s:s,s:s}", "entity_type", type, "id", id, "can_send_message", "AVAILABLE");

	if (!ordered)
		ordered = json_object_get(w->node.health, type);
	json_object_update(e, (json_t *)(uintptr_t)ordered);
	return e;
}

static int badness(const json_t *e)
{
	const char *s = json_string_value(json_object_get(e, "can_send_message"));

	return !s || strcmp(s, "AVAILABLE") == 0 ? 0 : strcmp(s, "LIMITED") == 0 ? 1 : 2;
}

static json_t *health(const struct waba *w, const struct number *n)
{
	static const char *const words[] = { "AVAILABLE", "LIMITED", "BLOCKED" };
	const char *ids[] = { n ? n->pnid : "", w->id, "1", w->n ? w->numbers[0]->app_id : "" };
	json_t *entities = json_array();
	int worst = 0;

	for (size_t i = n ? 0 : 1; i < ARRAY_LEN(entity_types); i++) {
		json_t *e = entity(w, n, entity_types[i], ids[i]);
		if (badness(e) > worst)
			worst = badness(e);
		json_array_append_new(entities, e);
	}
	return json_pack("{s:s,s:o}", "can_send_message", words[worst], "entities", entities);
}

static json_t *number_health(const struct waba *w, const struct number *n)
{
	return health(w, n);
}

static json_t *waba_health(const struct waba *w, const struct number *n)
{
	(void)n;
	return health(w, NULL);
}

/* ---- the table ---- */

static const struct field {
	enum node_kind node;
	const char *name;
	bool listed;
	const char *json;		/* NULL: nothing, or computed */
	json_t *(*compute)(const struct waba *w, const struct number *n);
} table[] = {
#define NUMBER_FIELD(name, listed, json) { NUMBER, name, listed, json, NULL },
#define WABA_FIELD(name, listed, json) { WABA, name, listed, json, NULL },
#define COMPUTED_FIELD(node, name, listed, function) { node, name, listed, NULL, function },
#include "sandbox/tbl_nodes.h"
#undef NUMBER_FIELD
#undef WABA_FIELD
#undef COMPUTED_FIELD
};

static const struct field *find(enum node_kind node, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].node == node && strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

bool node_has_field(bool is_number, const char *name)
{
	return find(is_number ? NUMBER : WABA, name) != NULL;
}

json_t *node_field(const struct waba *w, const struct number *n, const char *name)
{
	const struct field *f = find(n ? NUMBER : WABA, name);
	json_t *ordered = json_object_get(n ? n->node.fields : w->node.fields, name);

	if (ordered)
		return json_incref(ordered);
	if (!f)
		return NULL;
	if (f->compute)
		return f->compute(w, n);
	return f->json ? json_loads(f->json, JSON_DECODE_ANY, NULL) : NULL;
}

json_t *node_default_fields(bool is_number)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].listed && table[i].node == (is_number ? NUMBER : WABA))
			json_array_append_new(list, json_pack("{s:s,s:{}}", "name", table[i].name, "args"));
	return list;
}

/* ---- orders ---- */

static bool is_entity(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(entity_types); i++)
		if (strcmp(entity_types[i], type) == 0)
			return true;
	return false;
}

static int check(const json_t *fields, const json_t *health_of, bool is_number, struct strbuf *why)
{
	const char *name;
	json_t *v;

	if ((fields && !json_is_object(fields)) || (health_of && !json_is_object(health_of)))
		return why_set(why, "\"fields\" or \"health\" is not an object");
	json_object_foreach((json_t *)(uintptr_t)fields, name, v)
		if (!node_has_field(is_number, name))
			return why_set(why, "there is no field \"%s\"", name);
	json_object_foreach((json_t *)(uintptr_t)health_of, name, v)
		if (!is_entity(name) || (!json_is_null(v) && !json_is_object(v)))
			return why_set(why, "\"health\".\"%s\" is no entity, or not an object", name);
	return 0;
}

static void merge(json_t **to, const json_t *from)
{
	const char *name;
	json_t *v;

	if (from && !*to)
		*to = json_object();
	json_object_foreach((json_t *)(uintptr_t)from, name, v) {
		if (json_is_null(v))
			json_object_del(*to, name);
		else
			json_object_set(*to, name, v);
	}
}

int node_order(struct node *node, bool is_number, const json_t *order, struct strbuf *why)
{
	const json_t *fields = json_object_get(order, "fields"), *health_of = json_object_get(order, "health");

	if (check(fields, health_of, is_number, why) < 0)
		return -1;
	merge(&node->fields, fields);
	merge(&node->health, health_of);
	return 0;
}
