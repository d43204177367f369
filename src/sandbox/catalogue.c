#include "sandbox/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/blueprint.h"
#include "sandbox/ids.h"
#include "sandbox/strmap.h"

enum { ID_SIZE = 24 };
static const int64_t hour_us = INT64_C(3600) * 1000 * 1000;

/* What we count for one business account; "" is what belongs to all of them. */
struct shelf {
	char *waba;
	struct template **all;
	size_t n;
	uint64_t version;
	int64_t hour_began_us, creations;
	struct strmap gone;		/* names of approved templates that were removed */
};

struct catalogue {
	struct catalogue_knobs knobs;
	struct shelf **shelves;
	size_t n_shelves;
	struct template **gone;		/* removed ones: the maps still have their texts */
	size_t n_gone, n;
	struct strmap by_key, by_id, by_waba;
};

struct catalogue *catalogue_new(void)
{
	struct catalogue *c = mem_alloc(sizeof(*c));

	c->knobs = (struct catalogue_knobs){ .page_max = 500, .templates_max = 6000, .creations_per_hour = 100, .review = "PENDING" };
	return c;
}

static void free_template(struct template *t)
{
	blueprint_free(&t->blueprint);
	json_decref(t->object);
	free(t->key);
	free(t->id);
	free(t);
}

static void free_shelf(struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++)
		free_template(s->all[i]);
	strmap_release(&s->gone);
	free(s->all);
	free(s->waba);
	free(s);
}

void catalogue_clear(struct catalogue *c)
{
	struct catalogue_knobs knobs = c->knobs;

	for (size_t i = 0; i < c->n_shelves; i++)
		free_shelf(c->shelves[i]);
	for (size_t i = 0; i < c->n_gone; i++)
		free_template(c->gone[i]);
	free(c->shelves);
	free(c->gone);
	strmap_release(&c->by_key);
	strmap_release(&c->by_id);
	strmap_release(&c->by_waba);
	*c = (struct catalogue){ .knobs = knobs };
}

void catalogue_free(struct catalogue **cp)
{
	if (!*cp)
		return;
	catalogue_clear(*cp);
	free(*cp);
	*cp = NULL;
}

struct catalogue_knobs *catalogue_knobs(struct catalogue *c)
{
	return &c->knobs;
}

/* ---- finding ---- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* Its length, 0 when the three are too long to be anybody's. */
static size_t make_key(char key[CATALOGUE_KEY_MAX], const char *waba, const char *name, const char *language)
{
	int n = snprintf(key, CATALOGUE_KEY_MAX, "%s\n%s\n%s", waba, name, language);

	return n > 0 && n < CATALOGUE_KEY_MAX ? (size_t)n : 0;
}

static struct template *find_exactly(const struct catalogue *c, const char *waba, const char *name, const char *language)
{
	char key[CATALOGUE_KEY_MAX];
	size_t n = make_key(key, waba, name, language);

	return n ? strmap_get(&c->by_key, key, n) : NULL;
}

struct template *catalogue_find(const struct catalogue *c, const char *waba, const char *name, const char *language)
{
	struct template *t = find_exactly(c, waba, name, language);

	return t ? t : find_exactly(c, "", name, language);
}

struct template *catalogue_by_id(const struct catalogue *c, const char *id, size_t len)
{
	return strmap_get(&c->by_id, id, len);
}

static struct shelf *find_shelf(const struct catalogue *c, const char *waba)
{
	return strmap_get(&c->by_waba, waba, strlen(waba));
}

static struct shelf *shelf_of(struct catalogue *c, const char *waba)
{
	struct shelf *s = find_shelf(c, waba);

	if (s)
		return s;
	s = mem_alloc(sizeof(*s));
	s->waba = mem_strdup(waba);
	c->shelves = mem_grow(c->shelves, c->n_shelves + 1, sizeof(*c->shelves));
	c->shelves[c->n_shelves++] = s;
	strmap_put(&c->by_waba, s->waba, s);
	return s;
}

bool catalogue_had(const struct catalogue *c, const char *waba, const char *name)
{
	const struct shelf *s = find_shelf(c, waba);

	return s && strmap_get(&s->gone, name, strlen(name));
}

static void list_shelf(const struct shelf *s, struct catalogue_list *l)
{
	if (!s)
		return;
	l->version += s->version;
	l->all = mem_grow(l->all, l->n + s->n + 1, sizeof(struct template *));
	for (size_t i = 0; i < s->n; i++)
		l->all[l->n++] = s->all[i];
}

void catalogue_list(const struct catalogue *c, const char *waba, struct catalogue_list *l)
{
	*l = (struct catalogue_list){ 0 };
	for (size_t i = 0; !waba && i < c->n_shelves; i++)
		list_shelf(c->shelves[i], l);
	if (!waba)
		return;
	if (*waba)
		list_shelf(find_shelf(c, waba), l);
	list_shelf(find_shelf(c, ""), l);
}

bool catalogue_may_create(struct catalogue *c, const char *waba, int64_t now_us)
{
	struct shelf *s = shelf_of(c, waba);

	if (!s->creations || now_us - s->hour_began_us >= hour_us) {
		s->hour_began_us = now_us;
		s->creations = 0;
	}
	return s->creations < c->knobs.creations_per_hour && ++s->creations;
}

void catalogue_reset_counts(struct catalogue *c)
{
	for (size_t i = 0; i < c->n_shelves; i++)
		for (size_t k = 0; k < c->shelves[i]->n; k++)
			c->shelves[i]->all[k]->accepted = c->shelves[i]->all[k]->refused = 0;
}

/* ---- changing ---- */

static enum template_status status_of(const json_t *object)
{
	static const char *const words[] = { [TEMPLATE_APPROVED] = "APPROVED", [TEMPLATE_PAUSED] = "PAUSED", [TEMPLATE_DISABLED] = "DISABLED" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text_of(object, "status"), words[i]) == 0)
			return (enum template_status)i;
	return *text_of(object, "status") ? TEMPLATE_OTHER : TEMPLATE_APPROVED;
}

/* The object becomes t's, if its components can be understood. */
static int set_object(struct template *t, json_t *object, struct strbuf *why)
{
	struct blueprint *b = NULL;
	const json_t *n = json_object_get(object, "body_parameters");

	if (json_object_get(object, "components") && !(b = blueprint_new(object, why)))
		return -1;
	blueprint_free(&t->blueprint);
	json_decref(t->object);
	t->object = json_incref(object);
	t->blueprint = b;
	t->body_parameters = json_is_integer(n) ? json_integer_value(n) : -1;
	t->status = status_of(object);
	t->waba = text_of(object, "waba_id");
	t->name = text_of(object, "name");
	t->language = text_of(object, "language");
	return 0;
}

static void set_default(json_t *o, const char *name, const char *value)
{
	if (!*text_of(o, name))
		json_object_set_new(o, name, json_string(value));
}

/* Whoever is put again keeps the id: the maps know it by that. */
static json_t *complete(const json_t *from, const struct template *old)
{
	json_t *o = json_copy((json_t *)(uintptr_t)from);
	char id[ID_SIZE];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)(UINT64_C(1000000000000000) + ids_next() % UINT64_C(8000000000000000)));
	if (old)
		json_object_set_new(o, "id", json_string(old->id));
	set_default(o, "id", id);
	set_default(o, "status", "APPROVED");
	set_default(o, "category", "UTILITY");
	set_default(o, "parameter_format", "POSITIONAL");
	if (!json_object_get(o, "last_updated_time"))
		json_object_set_new(o, "last_updated_time", json_integer(wall_ms() / 1000));
	return o;
}

static void enter(struct catalogue *c, struct template *t)
{
	struct shelf *s = shelf_of(c, t->waba);

	if ((s->n & (s->n - 1)) == 0)
		s->all = mem_grow(s->all, s->n ? s->n * 2 : 1, sizeof(struct template *));
	s->all[s->n++] = t;
	s->version++;
	c->n++;
	strmap_put(&c->by_key, t->key, t);
	strmap_put(&c->by_id, t->id, t);
}

static struct template *add(struct catalogue *c, json_t *o, struct strbuf *why)
{
	char key[CATALOGUE_KEY_MAX];
	struct template *t;

	if (!make_key(key, text_of(o, "waba_id"), text_of(o, "name"), text_of(o, "language"))) {
		why_write(why, "waba_id, name and language are too long");
		return NULL;
	}
	if (catalogue_by_id(c, text_of(o, "id"), strlen(text_of(o, "id")))) {
		why_write(why, "id %s is another template's", text_of(o, "id"));
		return NULL;
	}
	t = mem_alloc(sizeof(*t));
	if (set_object(t, o, why) < 0) {
		free(t);
		return NULL;
	}
	t->key = mem_strdup(key);
	t->id = mem_strdup(text_of(o, "id"));
	enter(c, t);
	return t;
}

struct template *catalogue_put(struct catalogue *c, const json_t *from, struct strbuf *why)
{
	struct template *t;
	json_t *o;

	if (!*text_of(from, "name") || !*text_of(from, "language")) {
		why_write(why, "a template needs \"name\" and \"language\"");
		return NULL;
	}
	t = find_exactly(c, text_of(from, "waba_id"), text_of(from, "name"), text_of(from, "language"));
	o = complete(from, t);
	if (!t)
		t = add(c, o, why);
	else if (set_object(t, o, why) < 0)
		t = NULL;
	json_decref(o);
	return t;
}

int catalogue_change(struct template *t, const json_t *members, struct strbuf *why)
{
	static const char *const fixed[] = { "id", "waba_id", "name", "language" };
	json_t *o = json_copy(t->object);
	int err;

	json_object_update(o, (json_t *)(uintptr_t)members);
	json_object_set_new(o, "last_updated_time", json_integer(wall_ms() / 1000));
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (json_object_get(t->object, fixed[i]))
			json_object_set(o, fixed[i], json_object_get(t->object, fixed[i]));
		else
			json_object_del(o, fixed[i]);
	err = set_object(t, o, why);
	json_decref(o);
	return err;
}

void catalogue_remove(struct catalogue *c, struct template *t)
{
	struct shelf *s = shelf_of(c, t->waba);
	size_t i = 0;

	while (s->all[i] != t)
		i++;
	memmove(&s->all[i], &s->all[i + 1], (s->n - i - 1) * sizeof(struct template *));
	s->n--;
	s->version++;
	c->n--;
	strmap_put(&c->by_key, t->key, NULL);
	strmap_put(&c->by_id, t->id, NULL);
	if (t->status == TEMPLATE_APPROVED)
		strmap_put(&s->gone, t->name, t);
	c->gone = mem_grow(c->gone, c->n_gone + 1, sizeof(struct template *));
	c->gone[c->n_gone++] = t;
}

/* ---- sends ---- */

static int check_state(const struct template *t, const char *name, const char *language, struct graph_error *e)
{
	if (!t)
		return graph_error_set(e, 132001, "template name (%s) does not exist in %s", name, language);
	switch (t->status) {
	case TEMPLATE_APPROVED: return 0;
	case TEMPLATE_PAUSED:   return graph_error_set(e, 132015, "template %s (%s) is paused", name, language);
	case TEMPLATE_DISABLED: return graph_error_set(e, 132016, "template %s (%s) is disabled", name, language);
	case TEMPLATE_OTHER:    return graph_error_set(e, 132001, "template %s (%s) is not approved", name, language);
	}
	BUG("template status %d", (int)t->status);
}

static int check_body_parameters(const struct template *t, const json_t *payload, struct graph_error *e)
{
	size_t given = 0, i;
	json_t *component;

	json_array_foreach(json_object_get(payload, "components"), i, component)
		if (strcasecmp(text_of(component, "type"), "body") == 0)
			given = json_array_size(json_object_get(component, "parameters"));
	if (t->body_parameters < 0 || (size_t)t->body_parameters == given)
		return 0;
	return graph_error_set(e, 132000, "body: number of localizable_params (%zu) does not match the expected number of params (%lld)", given,
			       (long long)t->body_parameters);
}

int catalogue_check(const struct catalogue *c, const char *waba, const json_t *payload, struct template **t, struct graph_error *e)
{
	const char *name = text_of(payload, "name"), *language = text_of(json_object_get(payload, "language"), "code");

	*t = c->n ? catalogue_find(c, waba, name, language) : NULL;
	if (!c->n)
		return 0;
	if (check_state(*t, name, language, e) < 0 || !*t)
		return -1;
	return (*t)->blueprint ? blueprint_check((*t)->blueprint, payload, e) : check_body_parameters(*t, payload, e);
}
