/* The business profile of a number: a JSON object in number->node.kept, within Meta's limits. */
#include <string.h>

#include "base/str.h"
#include "sandbox/account_nodes.h"
#include "sandbox/call.h"
#include "sandbox/fields.h"
#include "sandbox/manage.h"
#include "sandbox/params.h"
#include "sandbox/sandbox.h"
#include "sandbox/uploads.h"

enum { WEBSITES_MAX = 2, WEBSITE_MAX = 256 };

static const struct { const char *name; size_t min, max; } texts[] = {
#define PROFILE_FIELD(name, min, max) { name, min, max },
#include "sandbox/tbl_profile.h"
#undef PROFILE_FIELD
};

static const char *const verticals[] = {
#define VERTICAL(word) word,
#include "sandbox/tbl_verticals.h"
#undef VERTICAL
};

static json_t *get_profile(struct managed *m)
{
	const char *asked = param_text(call_params(m->call), "fields");
	json_t *fields = fields_list(asked ? asked : "about address description email profile_picture_url websites vertical"), *name;
	json_t *profile = json_pack("{s:s}", "messaging_product", "whatsapp");
	size_t i;

	json_array_foreach(fields, i, name) {
		json_t *v = json_object_get(m->number->node.kept, json_string_value(name));
		if (v)
			json_object_set(profile, json_string_value(name), v);
	}
	json_decref(fields);
	return json_pack("{s:[o]}", "data", profile);
}

void profile_get(struct call *c)
{
	manage(c, MANAGE_NUMBER, get_profile);
}

/* ---- changing: all is checked before anything is kept ---- */

static int fail(struct managed *m, const char *name, const char *what)
{
	manage_fail(m, 100, "Param %s %s", name, what);
	return -1;
}

static int check_texts(struct managed *m, const json_t *params)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const json_t *v = json_object_get(params, texts[i].name);
		const char *s = json_string_value(v);
		size_t n = s ? utf8_count(s, strlen(s)) : 0;
		if (v && (!s || n < texts[i].min || n > texts[i].max))
			return fail(m, texts[i].name, "is not a text of an allowed length");
	}
	return 0;
}

static int check_websites(struct managed *m, const json_t *sites)
{
	size_t i;
	json_t *site;

	if (sites && (!json_is_array(sites) || json_array_size(sites) > WEBSITES_MAX))
		return fail(m, "websites", "is not an array of at most 2 URLs");
	json_array_foreach(sites, i, site) {
		const char *s = json_string_value(site);
		if (!s || strlen(s) > WEBSITE_MAX || (strncmp(s, "http://", 7) && strncmp(s, "https://", 8)))
			return fail(m, "websites", "has one that is not a URL with http:// or https:// of at most 256 characters");
	}
	return 0;
}

static int check_vertical(struct managed *m, const char *vertical)
{
	for (size_t i = 0; vertical && i < ARRAY_LEN(verticals); i++)
		if (strcmp(vertical, verticals[i]) == 0)
			return 0;
	return vertical ? fail(m, "vertical", "is none of the known ones") : 0;
}

static int check_profile(struct managed *m, const json_t *params)
{
	const char *product = param_text(params, "messaging_product"), *handle = param_text(params, "profile_picture_handle");

	if (!product || strcmp(product, "whatsapp"))
		return fail(m, "messaging_product", "must be whatsapp");
	if (check_texts(m, params) < 0 || check_websites(m, json_object_get(params, "websites")) < 0 ||
	    check_vertical(m, param_text(params, "vertical")) < 0)
		return -1;
	if (handle && !uploads_know_handle(m->call->sandbox, handle))
		return fail(m, "profile_picture_handle", "is not the handle of an upload");
	return 0;
}

static json_t *set_profile(struct managed *m)
{
	const json_t *params = call_params(m->call);
	json_t *kept = m->number->node.kept;

	if (check_profile(m, params) < 0)
		return NULL;
	if (!kept)
		kept = m->number->node.kept = json_object();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (json_object_get(params, texts[i].name))
			json_object_set(kept, texts[i].name, json_object_get(params, texts[i].name));
	if (json_object_get(params, "websites"))
		json_object_set(kept, "websites", json_object_get(params, "websites"));
	if (param_text(params, "vertical"))
		json_object_set(kept, "vertical", json_object_get(params, "vertical"));
	if (param_text(params, "profile_picture_handle"))
		json_object_set_new(kept, "profile_picture_url",
				    json_sprintf("https://pps.whatsapp.net/v/t61/%s.jpg", m->number->pnid));
	return manage_success();
}

void profile_post(struct call *c)
{
	manage(c, MANAGE_NUMBER, set_profile);
}
