#include "msg/template_inside.h"

#include <strings.h>

#include "base/str.h"

static const struct { const char *name; enum reason reason; const char *meaning; } statuses[] = {
#define TEMPLATE_STATUS(ident, name, reason, meaning) { name, REASON_##reason, meaning },
#include "tbl/template_statuses.h"
#undef TEMPLATE_STATUS
	[TEMPLATE_STATUS_OTHER] = { NULL, REASON_TEMPLATE_NOT_APPROVED, "this version does not know this status" },
};

const char *const template_header_parameters[] = {
#define TEMPLATE_HEADER(ident, format, parameter) [TEMPLATE_HEADER_##ident] = parameter,
#include "tbl/template_headers.h"
#undef TEMPLATE_HEADER
	[TEMPLATE_HEADER_OTHER] = NULL,
};

const struct template_button_rule template_button_rules[] = {
#define TEMPLATE_BUTTON(ident, type, sub_type, parameter, need) { type, sub_type, parameter, TEMPLATE_NEED_##need },
#include "tbl/template_buttons.h"
#undef TEMPLATE_BUTTON
};

size_t template_bytes(const struct template_def *t)
{
	return t->bytes;
}

const char *template_name(const struct template_def *t)
{
	return t->name;
}

const char *template_language(const struct template_def *t)
{
	return t->language;
}

const char *template_id(const struct template_def *t)
{
	return t->id;
}

const char *template_category(const struct template_def *t)
{
	return t->category;
}

const char *template_status_text(const struct template_def *t)
{
	return t->status_text;
}

enum template_status template_status(const struct template_def *t)
{
	return t->status;
}

bool template_is_authentication(const struct template_def *t)
{
	return t->is_authentication;
}

enum template_status template_status_of(const char *text)
{
	for (unsigned s = 0; text && s < TEMPLATE_STATUS_OTHER; s++)
		if (!strcasecmp(text, statuses[s].name))
			return (enum template_status)s;
	return TEMPLATE_STATUS_OTHER;
}

const char *template_status_meaning(enum template_status s)
{
	return statuses[s].meaning;
}

enum reason template_status_reason(enum template_status s)
{
	return statuses[s].reason;
}

/* A member that only the short form has; NULL: none.  Looking through a payload is cheaper than looking each of them up. */
static const char *short_member(const json_t *payload)
{
	static const char *const short_members[] = { "header", "body", "buttons", "limited_time_offer", "cards", "code" };
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)payload, key, v)
		for (size_t i = 0; !json_is_null(v) && i < ARRAY_LEN(short_members); i++)
			if (!strcmp(key, short_members[i]))
				return short_members[i];
	return NULL;
}

bool template_is_short(const json_t *payload)
{
	return short_member(payload) || json_is_string(json_object_get(payload, "language"));
}

const char *template_language_of(const json_t *payload)
{
	const json_t *language = json_object_get(payload, "language");

	return json_is_string(language) ? json_string_value(language) : json_text(language, "code");
}

/* Name and language of the payload are those the definition was found by, or somebody has mixed them up. */
static enum reason check_names(const struct template_def *t, const json_t *payload, struct strbuf *why)
{
	const char *name = json_text(payload, "name"), *language = template_language_of(payload), *other;
	const json_t *components = json_object_get(payload, "components");

	if (!name) {
		why_set(why, "name: found %s, expected a string", json_kind(json_object_get(payload, "name")));
		return REASON_BAD_FIELD;
	}
	if (!language) {
		why_set(why, "language: found %s, expected an object with code", json_kind(json_object_get(payload, "language")));
		return REASON_BAD_FIELD;
	}
	if (strcmp(name, t->name) != 0) {
		why_set(why, "name: found %s, expected %s", template_shown(name), template_shown(t->name));
		return REASON_TEMPLATE_UNKNOWN;
	}
	if (strcmp(language, t->language) != 0) {
		why_set(why, "language: found %s, expected %s", template_shown(language), template_shown(t->language));
		return REASON_TEMPLATE_UNKNOWN;
	}
	other = short_member(payload);
	if (other && components && !json_is_null(components)) {
		why_set(why, "components: found %s too, expected one of them", other);
		return REASON_BAD_FIELD;
	}
	return REASON_NONE;
}

static enum reason refuse_status(const struct template_def *t, struct strbuf *why)
{
	why_set(why, "status: found %s, expected APPROVED: %s", template_shown(*t->status_text ? t->status_text : NULL),
		statuses[t->status].meaning);
	return statuses[t->status].reason;
}

enum reason template_make(const struct template_def *t, const json_t *payload, const struct template_rules *r, json_t **out,
			  struct strbuf *why, struct strbuf *warnings)
{
	struct template_check c = { .t = t, .rules = r, .why = why, .warnings = warnings, .card = -1, .component = -1, .button = -1,
				    .parameter = -1 };
	enum reason reason = check_names(t, payload, why), status = statuses[t->status].reason;
	json_t *made = NULL;

	*out = NULL;
	if (reason != REASON_NONE)
		return reason;
	if (status != REASON_NONE && status != REASON_TEMPLATE_PAUSED && status != REASON_TEMPLATE_DISABLED)
		return refuse_status(t, why);
	if (template_is_short(payload)) {
		made = template_expand(&c, payload);
		if (!made)
			return REASON_TEMPLATE_PARAMETERS;
	}
	if (template_check(&c, made ? made : payload) < 0) {
		json_decref(made);
		return REASON_TEMPLATE_PARAMETERS;
	}
	if (c.must_flatten) {
		made = made ? made : json_deep_copy(payload);
		template_flatten(made);
	}
	*out = made;
	return status == REASON_NONE ? REASON_NONE : refuse_status(t, why);
}
