#include "graph/health.h"

#include <string.h>

static const struct { int code; const char *what_to_do; } known[] = {
#define HEALTH_ERROR(code, what_to_do) { code, what_to_do },
#include "tbl/health_errors.h"
#undef HEALTH_ERROR
};

static const struct { const char *graph, *ours; } entities[] = {
	{ "PHONE_NUMBER", "number" }, { "WABA", "waba" }, { "BUSINESS", "business" }, { "APP", "app" }, { "MESSAGE_TEMPLATE", "template" },
};

static const char *entity_name(const char *graph)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (!strcmp(entities[i].graph, graph))
			return entities[i].ours;
	return graph;
}

static const char *what_to_do(const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "error_code"));

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].code == code)
			return known[i].what_to_do;
	return json_text(error, "possible_solution");
}

static json_t *line(const json_t *entity)
{
	json_t *o = json_object();

	json_put_text(o, "entity", entity_name(json_text(entity, "entity_type")));
	json_put_text(o, "id", json_text(entity, "id"));
	json_put_text(o, "state", json_text(entity, "can_send_message"));
	return o;
}

static void add_error(json_t *out, const json_t *entity, const json_t *error)
{
	json_t *o = line(entity);

	json_put_int(o, "code", json_integer_value(json_object_get(error, "error_code")));
	json_put_text(o, "description", json_text(error, "error_description"));
	json_put_text(o, "what_to_do", what_to_do(error));
	json_array_append_new(out, o);
}

/* Texts of a number that is LIMITED come without a code. */
static void add_info(json_t *out, const json_t *entity)
{
	const json_t *info = json_array_get(json_object_get(entity, "additional_info"), 0);
	json_t *o = line(entity);

	json_put_text(o, "description", json_string_value(info));
	json_array_append_new(out, o);
}

static void add_entity(json_t *out, const json_t *entity)
{
	const json_t *errors = json_object_get(entity, "errors"), *error;
	size_t i;

	if (!json_text(entity, "entity_type") || !json_text(entity, "can_send_message"))
		return;
	if (!json_array_size(errors))
		add_info(out, entity);
	json_array_foreach(errors, i, error)
		add_error(out, entity, error);
}

json_t *health_words(const json_t *health_status)
{
	const char *state = json_text(health_status, "can_send_message");
	json_t *out, *list;
	const json_t *entity;
	size_t i;

	if (!state)
		return NULL;
	out = json_object();
	list = json_array();
	json_put_text(out, "can_send", state);
	json_object_set_new(out, "entities", list);
	json_array_foreach(json_object_get(health_status, "entities"), i, entity)
		add_entity(list, entity);
	return out;
}
