#include "sandbox/catalogue.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct catalogue { json_t *list; };	/* the objects as they were posted, in order; the last of a name counts */

struct catalogue *catalogue_new(void)
{
	struct catalogue *c = mem_alloc(sizeof(*c));

	c->list = json_array();
	return c;
}

void catalogue_free(struct catalogue **cp)
{
	if (!*cp)
		return;
	json_decref((*cp)->list);
	free(*cp);
	*cp = NULL;
}

void catalogue_clear(struct catalogue *c)
{
	json_array_clear(c->list);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

int catalogue_add(struct catalogue *c, const char *json, size_t len, struct strbuf *why)
{
	json_error_t err;
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &err), *list, *t;
	size_t i;
	int result = 0;

	if (!o)
		return why_set(why, "not JSON: line %d: %s", err.line, err.text);
	list = json_is_array(o) ? json_incref(o) : json_pack("[O]", o);
	json_array_foreach(list, i, t)
		if (!*text_of(t, "name") || !*text_of(t, "language"))
			result = why_set(why, "template %zu needs \"name\" and \"language\"", i);
	if (result == 0)
		json_array_extend(c->list, list);
	json_decref(list);
	json_decref(o);
	return result;
}

static const json_t *find(const struct catalogue *c, const char *waba, const char *name, const char *language)
{
	for (size_t i = json_array_size(c->list); i-- > 0;) {
		const json_t *t = json_array_get(c->list, i);
		if (strcmp(text_of(t, "name"), name) == 0 && strcmp(text_of(t, "language"), language) == 0 &&
		    (!*text_of(t, "waba_id") || strcmp(text_of(t, "waba_id"), waba) == 0))
			return t;
	}
	return NULL;
}

static size_t count_body_parameters(const json_t *template)
{
	size_t i;
	json_t *component;

	json_array_foreach(json_object_get(template, "components"), i, component)
		if (strcasecmp(text_of(component, "type"), "body") == 0)
			return json_array_size(json_object_get(component, "parameters"));
	return 0;
}

int catalogue_check(const struct catalogue *c, const char *waba, const json_t *template, struct graph_error *e)
{
	const char *name = text_of(template, "name"), *language = text_of(json_object_get(template, "language"), "code");
	const json_t *t, *wanted;
	size_t given;

	if (json_array_size(c->list) == 0)
		return 0;
	t = find(c, waba, name, language);
	if (t && strcasecmp(text_of(t, "status"), "PAUSED") == 0)
		return graph_error_set(e, 132015, "template %s (%s) is paused", name, language);
	if (t && strcasecmp(text_of(t, "status"), "DISABLED") == 0)
		return graph_error_set(e, 132016, "template %s (%s) is disabled", name, language);
	if (!t || (*text_of(t, "status") && strcasecmp(text_of(t, "status"), "APPROVED")))
		return graph_error_set(e, 132001, "template name (%s) does not exist in %s", name, language);
	wanted = json_object_get(t, "body_parameters");
	given = count_body_parameters(template);
	if (json_is_integer(wanted) && (size_t)json_integer_value(wanted) != given)
		return graph_error_set(e, 132000, "body: number of localizable_params (%zu) does not match the expected number of "
				       "params (%lld)", given, (long long)json_integer_value(wanted));
	return 0;
}
