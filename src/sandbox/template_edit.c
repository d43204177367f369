/* Graph's nodes that change templates: create, edit, delete, unpause. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "sandbox/account_nodes.h"
#include "sandbox/blueprint.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/fields.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"

enum { NAME_MAX_LEN = 512, NOT_EDITABLE = 2388039, QUOTA = 2388019, DAY_S = 24 * 3600, MONTH_S = 30 * DAY_S, DELETE_MAX = 100 };

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static struct catalogue *catalogue_of(const struct managed *m)
{
	return m->call->sandbox->catalogue;
}

static int fail(struct managed *m, int code, const char *what)
{
	manage_fail(m, code, "%s", what);
	return -1;
}

/* What of the call belongs to a template; of a form, components are JSON in a text. */
static json_t *wanted_members(struct managed *m, const char *const *names, size_t n)
{
	json_t *o = json_object();

	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(call_params(m->call), names[i]);
		json_t *parsed = json_is_string(v) && strcmp(names[i], "components") == 0 ? json_loads(json_string_value(v), 0, NULL) : NULL;
		if (parsed)
			json_object_set_new(o, names[i], parsed);
		else if (v)
			json_object_set(o, names[i], v);
	}
	return o;
}

static int check_category(struct managed *m, const json_t *o)
{
	static const char *const words[] = { "AUTHENTICATION", "MARKETING", "UTILITY" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text_of(o, "category"), words[i]) == 0) {
			json_object_set_new((json_t *)(uintptr_t)o, "category", json_string(words[i]));
			return 0;
		}
	return fail(m, 100, "Param category must be one of {AUTHENTICATION, MARKETING, UTILITY}");
}

static int review(struct managed *m, const json_t *o)
{
	return blueprint_review(o, &m->error);
}

/* ---- create ---- */

static int check_name(struct managed *m, const json_t *o)
{
	const char *name = text_of(o, "name");

	if (!*name || strlen(name) > NAME_MAX_LEN || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return fail(m, 100, "Param name must have from 1 to 512 lowercase letters, digits and underscores");
	if (!*text_of(o, "language"))
		return fail(m, 100, "The parameter language is required.");
	if (catalogue_find(catalogue_of(m), m->waba->id, name, text_of(o, "language")))
		return fail(m, 100, "There is already content in this language for this template");
	if (catalogue_had(catalogue_of(m), m->waba->id, name))
		return fail(m, 100, "The name of a template that was deleted can't be used for 30 days");
	return 0;
}

static int check_quota(struct managed *m)
{
	struct catalogue_list l;

	catalogue_list(catalogue_of(m), m->waba->id, &l);
	free(l.all);
	if ((int64_t)l.n >= catalogue_knobs(catalogue_of(m))->templates_max)
		return fail(m, QUOTA, "The number of templates of this WhatsApp Business account has reached its limit");
	if (!catalogue_may_create(catalogue_of(m), m->waba->id, sandbox_now_us()))
		return fail(m, 80012, "There have been too many templates created in the last hour");
	return 0;
}

static json_t *put(struct managed *m, json_t *o)
{
	struct strbuf why = STRBUF_INIT;
	struct template *t;

	json_object_set_new(o, "waba_id", json_string(m->waba->id));
	json_object_set_new(o, "status", json_string(catalogue_knobs(catalogue_of(m))->review));
	if (strcasecmp(text_of(o, "parameter_format"), "named") == 0)
		json_object_set_new(o, "parameter_format", json_string("NAMED"));
	else
		json_object_set_new(o, "parameter_format", json_string("POSITIONAL"));
	t = catalogue_put(catalogue_of(m), o, &why);
	if (!t)
		manage_fail(m, 100, "%s", why.buf);
	strbuf_release(&why);
	return t ? json_pack("{s:s,s:s,s:s}", "id", t->id, "status", text_of(t->object, "status"), "category", text_of(t->object, "category"))
		 : NULL;
}

static json_t *create(struct managed *m)
{
	static const char *const names[] = { "name", "language", "category", "parameter_format", "components", "message_send_ttl_seconds",
					     "cta_url_link_tracking_opted_out", "sub_category", "library_template_name" };
	json_t *o = wanted_members(m, names, ARRAY_LEN(names)), *out = NULL;

	if (check_name(m, o) == 0 && check_category(m, o) == 0 && review(m, o) == 0 && check_quota(m) == 0)
		out = put(m, o);
	json_decref(o);
	return out;
}

void node_templates_create(struct call *c)
{
	manage(c, MANAGE_WABA, create);
}

/* ---- edit ---- */

static int count_edit(struct managed *m, struct template *t)
{
	int64_t now_s = wall_ms() / 1000, last = t->n_edits ? t->edits_s[(t->n_edits - 1) % CATALOGUE_EDITS] : 0;
	int64_t tenth = t->n_edits >= CATALOGUE_EDITS ? t->edits_s[t->n_edits % CATALOGUE_EDITS] : 0;

	if (t->status == TEMPLATE_APPROVED && (now_s - last < DAY_S || now_s - tenth < MONTH_S))
		return fail(m, NOT_EDITABLE, "An approved template can be edited once a day and 10 times in 30 days");
	t->edits_s[t->n_edits++ % CATALOGUE_EDITS] = now_s;
	return 0;
}

static int check_edit(struct managed *m, const struct template *t, const json_t *o)
{
	const char *status = text_of(t->object, "status");

	if (t->status != TEMPLATE_APPROVED && t->status != TEMPLATE_PAUSED && strcasecmp(status, "REJECTED"))
		return fail(m, NOT_EDITABLE, "A template can be edited when it is approved, rejected or paused");
	if (json_object_get(o, "category") && check_category(m, o) < 0)
		return -1;
	if (t->status == TEMPLATE_APPROVED && json_object_get(o, "category") &&
	    strcasecmp(text_of(o, "category"), text_of(t->object, "category")))
		return fail(m, 100, "The category of an approved template can't be changed");
	return 0;
}

static json_t *edit(struct managed *m)
{
	static const char *const names[] = { "category", "components", "message_send_ttl_seconds", "cta_url_link_tracking_opted_out",
					     "parameter_format" };
	json_t *o = wanted_members(m, names, ARRAY_LEN(names)), *whole = json_copy(m->template->object);
	struct strbuf why = STRBUF_INIT;
	int err = -1;

	json_object_update(whole, o);
	if (!json_object_size(o))
		fail(m, 100, "There is nothing to edit");
	else if (check_edit(m, m->template, o) == 0 && (!json_object_get(o, "components") || review(m, whole) == 0) &&
		 count_edit(m, m->template) == 0)
		err = 0;
	if (err == 0 && json_object_get(o, "components"))
		json_object_set_new(o, "status", json_string(catalogue_knobs(catalogue_of(m))->review));
	if (err == 0 && catalogue_change(m->template, o, &why) < 0)
		err = fail(m, 100, why.buf);
	strbuf_release(&why);
	json_decref(whole);
	json_decref(o);
	return err == 0 ? manage_success() : NULL;
}

void node_template_edit(struct call *c)
{
	manage(c, MANAGE_TEMPLATE, edit);
}

static json_t *unpause(struct managed *m)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o;
	int err;

	if (m->template->status != TEMPLATE_PAUSED)
		return manage_fail(m, 100, "The template is not paused");
	o = json_pack("{s:s}", "status", "APPROVED");
	err = catalogue_change(m->template, o, &why);
	json_decref(o);
	strbuf_release(&why);
	return err == 0 ? manage_success() : manage_fail(m, 1, "The template could not be changed");
}

void node_template_unpause(struct call *c)
{
	manage(c, MANAGE_TEMPLATE, unpause);
}

/* ---- delete: by name, by id and name, or by ids ---- */

static bool is_listed(const json_t *ids, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach(ids, i, v)
		if (strcmp(json_string_value(v), id) == 0)
			return true;
	return false;
}

static bool is_meant(const struct managed *m, const struct template *t, const json_t *ids)
{
	const char *name = param_text(call_params(m->call), "name"), *id = param_text(call_params(m->call), "hsm_id");

	if (strcmp(t->waba, m->waba->id) && *t->waba)
		return false;
	if (ids)
		return is_listed(ids, t->id);
	return strcmp(t->name, name) == 0 && (!id || strcmp(t->id, id) == 0);
}

static json_t *remove_meant(struct managed *m, const json_t *ids)
{
	struct catalogue_list l;
	size_t n = 0;

	catalogue_list(catalogue_of(m), m->waba->id, &l);
	for (size_t i = 0; i < l.n && !m->error.failed; i++)
		if (is_meant(m, l.all[i], ids)) {
			n++;
			if (l.all[i]->status == TEMPLATE_DISABLED)
				manage_fail(m, 100, "A disabled template can't be deleted");
		}
	for (size_t i = 0; i < l.n && !m->error.failed; i++)
		if (is_meant(m, l.all[i], ids))
			catalogue_remove(catalogue_of(m), l.all[i]);
	free(l.all);
	if (!n)
		manage_fail(m, 100, "The message template was not found");
	return m->error.failed ? NULL : manage_success();
}

static json_t *delete_templates(struct managed *m)
{
	const char *list = param_text(call_params(m->call), "hsm_ids");
	json_t *ids = list ? fields_list(list) : NULL, *out = NULL;

	if (ids && json_array_size(ids) > DELETE_MAX)
		manage_fail(m, 100, "Param hsm_ids must have at most %d ids", DELETE_MAX);
	else if (!ids && !param_text(call_params(m->call), "name"))
		manage_fail(m, 100, "The parameter name is required.");
	else
		out = remove_meant(m, ids);
	json_decref(ids);
	return out;
}

void node_templates_delete(struct call *c)
{
	manage(c, MANAGE_WABA, delete_templates);
}
