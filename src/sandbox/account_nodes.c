#include "sandbox/account_nodes.h"

#include <string.h>

#include "sandbox/call.h"
#include "sandbox/fields.h"
#include "sandbox/manage.h"
#include "sandbox/nodes.h"
#include "sandbox/paging.h"
#include "sandbox/params.h"

enum { CALLBACK_URI_MAX = 200 };

/* ---- fields ---- */

static json_t *asked_fields(struct managed *m, bool is_number)
{
	struct strbuf why = STRBUF_INIT;
	const char *text = param_text(call_params(m->call), "fields");
	json_t *fields = text ? fields_parse(text, &why) : node_default_fields(is_number);

	if (!fields)
		manage_fail(m, 2500, "%s", why.buf);
	strbuf_release(&why);
	return fields;
}

static int add_field(struct managed *m, const struct number *n, const json_t *field, json_t *out)
{
	const char *name = json_string_value(json_object_get(field, "name"));
	json_t *value;

	if (!n && analytics_is(name))
		value = analytics_field(m, name, json_object_get(field, "args"));
	else if (!node_has_field(n != NULL, name))
		value = manage_fail(m, 100, "Tried accessing nonexisting field (%s)", name);
	else
		value = node_field(m->waba, n, name);
	if (value)
		json_object_set_new(out, name, value);
	return m->error.failed ? -1 : 0;
}

/* The node's id is there whatever was asked for. */
static json_t *node_object(struct managed *m, const struct number *n, const json_t *fields)
{
	json_t *out = json_object(), *field;
	size_t i;

	json_array_foreach(fields, i, field)
		if (add_field(m, n, field, out) < 0) {
			json_decref(out);
			return NULL;
		}
	json_object_set_new(out, "id", json_string(n ? n->pnid : m->waba->id));
	return out;
}

static json_t *get_node(struct managed *m)
{
	json_t *fields = asked_fields(m, m->number != NULL);
	json_t *out = fields ? node_object(m, m->number, fields) : NULL;

	json_decref(fields);
	return out;
}

void node_get(struct call *c)
{
	manage(c, MANAGE_EITHER, get_node);
}

static json_t *get_phone_numbers(struct managed *m)
{
	json_t *fields = asked_fields(m, true), *data = json_array(), *out = NULL;
	struct page p;

	if (!fields || paging_find(m, m->waba->n, &p) < 0)
		goto end;
	for (size_t i = p.from; i < p.to; i++) {
		json_t *o = node_object(m, m->waba->numbers[i], fields);
		if (!o)
			goto end;
		json_array_append_new(data, o);
	}
	out = json_pack("{s:O,s:o}", "data", data, "paging", paging_links(m, &p));
end:
	json_decref(data);
	json_decref(fields);
	return out;
}

void phone_numbers_get(struct call *c)
{
	manage(c, MANAGE_WABA, get_phone_numbers);
}

/* ---- subscribed apps: by app id in waba->node.kept ---- */

static const char *app_of(const struct managed *m)
{
	return m->token->grant->numbers[0]->app_id;
}

static json_t *get_subscribed_apps(struct managed *m)
{
	json_t *data = json_array(), *app;
	const char *id;

	json_object_foreach(m->waba->node.kept, id, app)
		json_array_append(data, app);
	return json_pack("{s:o}", "data", data);
}

static json_t *subscribe(struct managed *m)
{
	const char *uri = param_text(call_params(m->call), "override_callback_uri");
	json_t *app;

	if (uri && (strlen(uri) > CALLBACK_URI_MAX || strncmp(uri, "https://", 8)))
		return manage_fail(m, 100, "Param override_callback_uri must be an https URL of at most %d characters", CALLBACK_URI_MAX);
	if (uri && !param_text(call_params(m->call), "verify_token"))
		return manage_fail(m, 100, "Param verify_token is required with override_callback_uri");
	app = json_pack("{s:{s:s,s:s,s:s}}", "whatsapp_business_api_data", "id", app_of(m), "name", "Sandbox",
			"link", "https://www.facebook.com/games/?app_id=0");
	if (uri)
		json_object_set_new(app, "override_callback_uri", json_string(uri));
	if (!m->waba->node.kept)
		m->waba->node.kept = json_object();
	json_object_set_new(m->waba->node.kept, app_of(m), app);
	return manage_success();
}

static json_t *unsubscribe(struct managed *m)
{
	json_object_del(m->waba->node.kept, app_of(m));
	return manage_success();
}

void subscribed_apps_get(struct call *c)
{
	manage(c, MANAGE_WABA, get_subscribed_apps);
}

void subscribed_apps_post(struct call *c)
{
	manage(c, MANAGE_WABA, subscribe);
}

void subscribed_apps_delete(struct call *c)
{
	manage(c, MANAGE_WABA, unsubscribe);
}
