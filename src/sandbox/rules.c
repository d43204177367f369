#include "sandbox/rules.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static bool has(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return v && !json_is_null(v);
}

int rule_none(const json_t *o, const struct place *at, struct graph_error *e)
{
	(void)o;
	(void)at;
	(void)e;
	return 0;
}

/* ---- the frame ---- */

static bool is_payload(const char *name)
{
	static const char *const names[] = {
#define MESSAGE_TYPE(name, shape, list, most) name,
#include "sandbox/tbl_types.h"
#undef MESSAGE_TYPE
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_frame_member(const char *name)
{
	static const char *const names[] = { "messaging_product", "recipient_type", "to", "recipient", "type", "context",
					     "biz_opaque_callback_data", "recipient_identity_key_hash" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return is_payload(name);
}

int rule_frame(const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *name;
	json_t *v;

	(void)at;
	json_object_foreach((json_t *)(uintptr_t)o, name, v) {
		if (is_frame_member(name))
			continue;
		if (!strcmp(name, "category") || !strcmp(name, "ttl_seconds") || !strcmp(name, "direct_send_config"))
			return validate_fail(e, 100, NULL, name, "needs Direct Send, which is not enabled for this account.");
		graph_error_set(e, 100, "Unexpected key \"%s\".", name);
		return -1;
	}
	if (has(o, "context") && strcasecmp(text_of(o, "type"), "reaction") == 0)
		return validate_fail(e, 131009, NULL, "context", "is not allowed for reactions.");
	return 0;
}

/* ---- plain types ---- */

int rule_media(const json_t *o, const struct place *at, struct graph_error *e)
{
	if (has(o, "id") == has(o, "link"))
		return validate_fail(e, has(o, "id") ? 100 : 131008, at, NULL, "must have exactly one of 'id' and 'link'.");
	return 0;
}

int rule_reaction(const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *emoji = text_of(o, "emoji");

	/* Every emoji has something beyond ASCII in it; the letters and blanks of a text are what to keep out. */
	for (const char *p = emoji; *p; p++)
		if ((*p >= 'A' && *p <= 'z') || *p == ' ')
			return validate_fail(e, 131009, at, "emoji", "must be one emoji.");
	if (*emoji && strlen(emoji) == utf8_count(emoji, strlen(emoji)))
		return validate_fail(e, 131009, at, "emoji", "must be one emoji.");
	return 0;
}

int rule_contact_name(const json_t *o, const struct place *at, struct graph_error *e)
{
	static const char *const parts[] = { "first_name", "last_name", "middle_name", "suffix", "prefix" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (*text_of(o, parts[i]))
			return 0;
	return validate_fail(e, 131008, at, NULL, "must have another part of the name beside formatted_name.");
}

/* ---- templates ---- */

static bool has_bad_blanks(const char *s)
{
	return strpbrk(s, "\n\t\r") || strstr(s, "     ");
}

int rule_parameter(const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *type = text_of(o, "type");
	char member[64];
	size_t i = 0;

	for (; i < sizeof(member) - 1 && type[i]; i++)
		member[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + 32 : type[i]);
	member[i] = 0;
	if (!has(o, member) && strcmp(member, "action"))	/* a flow button without data has no action */
		return validate_fail(e, 131008, at, member, "is required for a parameter of this type.");
	if (has_bad_blanks(text_of(o, "text")))
		return validate_fail(e, 132018, at, "text", "cannot have new-line/tab characters or more than 4 consecutive spaces");
	return 0;
}

int rule_parameter_action(const json_t *o, const struct place *at, struct graph_error *e)
{
	size_t products = 0, i;
	json_t *s;

	json_array_foreach(json_object_get(o, "sections"), i, s)
		products += json_array_size(json_object_get(s, "product_items"));
	return products > 30 ? validate_fail(e, 131009, at, "sections", "must have at most 30 products in total.") : 0;
}

static int check_parameter_types(const json_t *o, const struct place *at, struct graph_error *e, const char *words)
{
	size_t i;
	json_t *p;

	json_array_foreach(json_object_get(o, "parameters"), i, p) {
		const char *type = text_of(p, "type"), *hit = strcasestr(words, type);
		if (!hit || (hit != words && hit[-1] != ' ') || (hit[strlen(type)] && hit[strlen(type)] != ' '))
			return validate_fail(e, 132012, at, "parameters", "have a type that this component cannot take.");
	}
	return 0;
}

static int check_button(const json_t *o, const struct place *at, struct graph_error *e)
{
	if (!has(o, "sub_type"))
		return validate_fail(e, 131008, at, "sub_type", "is required for a button.");
	if (!has(o, "index"))
		return validate_fail(e, 131008, at, "index", "is required for a button.");
	return check_parameter_types(o, at, e, "text payload coupon_code action order_status");
}

int rule_component(const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *type = text_of(o, "type");

	if (strcasecmp(type, "button") == 0)
		return check_button(o, at, e);
	if (strcasecmp(type, "carousel") == 0)
		return has(o, "cards") ? 0 : validate_fail(e, 131008, at, "cards", "is required for a carousel.");
	if (strcasecmp(type, "body") == 0)
		return check_parameter_types(o, at, e, "text currency date_time");
	if (strcasecmp(type, "limited_time_offer") == 0)
		return check_parameter_types(o, at, e, "limited_time_offer");
	if (strcasecmp(type, "header") != 0)
		return 0;
	if (json_array_size(json_object_get(o, "parameters")) > 1)
		return validate_fail(e, 132000, at, "parameters", "of a header must be one.");
	return check_parameter_types(o, at, e, "text currency date_time image video gif document location product");
}
