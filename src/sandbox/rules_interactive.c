#include "sandbox/rules.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { HEADER_TEXT = 1, HEADER_IMAGE = 2, HEADER_VIDEO = 4, HEADER_DOCUMENT = 8, HEADER_REQUIRED = 16 };
enum { LIST_ROWS_MAX = 10, PRODUCTS_MAX = 30 };

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

/* ---- the frame: type decides what else there may be ---- */

static const struct interactive_type {
	const char *name;
	enum shape action;
	unsigned headers;
	bool body;
	size_t body_max;
	bool footer;
} types[] = {
#define INTERACTIVE_TYPE(name, shape, headers, body, body_max, footer) { name, SHAPE_##shape, headers, body, body_max, footer },
#include "sandbox/tbl_interactive.h"
#undef INTERACTIVE_TYPE
};

static const struct interactive_type *find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static unsigned header_bit(const char *type)
{
	static const char *const names[] = { "text", "image", "video", "document" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], type) == 0)
			return BIT(i);
	return 0;
}

static int check_surroundings(const struct interactive_type *t, const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *body = text_of(json_object_get(o, "body"), "text");

	if (has(o, "header") && !(t->headers & header_bit(text_of(json_object_get(o, "header"), "type"))))
		return validate_fail(e, 131009, at, "header", "has a type that this interactive type cannot have.");
	if (!has(o, "header") && (t->headers & HEADER_REQUIRED))
		return validate_fail(e, 131008, at, "header", "is required for this interactive type.");
	if (!has(o, "body") && t->body)
		return validate_fail(e, 131008, at, "body", "is required for this interactive type.");
	if (utf8_count(body, strlen(body)) > t->body_max)
		return validate_fail(e, 131009, at, "body", "has a text that is too long.");
	if (has(o, "footer") && !t->footer)
		return validate_fail(e, 131009, at, "footer", "is not allowed for this interactive type.");
	return 0;
}

int rule_interactive(const json_t *o, const struct place *at, struct graph_error *e)
{
	const struct interactive_type *t = find_type(text_of(o, "type"));
	struct place action = { at, "action", 0 };

	if (!t)
		return validate_fail(e, 100, at, "type", "is not a known interactive type.");
	if (check_surroundings(t, o, at, e) < 0)
		return -1;
	return validate_shape(t->action, json_object_get(o, "action"), &action, e);
}

int rule_header(const json_t *o, const struct place *at, struct graph_error *e)
{
	static const char *const names[] = { "text", "image", "video", "document" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool wanted = strcasecmp(names[i], text_of(o, "type")) == 0;
		if (wanted && !has(o, names[i]))
			return validate_fail(e, 131008, at, names[i], "is required for a header of this type.");
		if (!wanted && has(o, names[i]))
			return validate_fail(e, 100, at, names[i], "does not fit the header's type.");
	}
	return 0;
}

/* ---- buttons and lists ---- */

int rule_reply_id(const json_t *o, const struct place *at, struct graph_error *e)
{
	const char *id = text_of(o, "id");
	size_t n = strlen(id);

	if (n && (strchr(" \t\n", id[0]) || strchr(" \t\n", id[n - 1])))
		return validate_fail(e, 131009, at, "id", "must not begin or end with a blank.");
	return 0;
}

int rule_reply_buttons(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *list = json_object_get(o, "buttons");

	for (size_t i = 0; i < json_array_size(list); i++)
		for (size_t k = 0; k < i; k++) {
			const json_t *a = json_object_get(json_array_get(list, i), "reply");
			const json_t *b = json_object_get(json_array_get(list, k), "reply");
			if (strcmp(text_of(a, "id"), text_of(b, "id")) == 0)
				return validate_fail(e, 131009, at, "buttons", "have a duplicated id.");
			if (strcmp(text_of(a, "title"), text_of(b, "title")) == 0)
				return validate_fail(e, 131009, at, "buttons", "have a duplicated title.");
		}
	return 0;
}

static int check_titles(const json_t *sections, const struct place *at, struct graph_error *e)
{
	size_t i;
	json_t *s;

	json_array_foreach(sections, i, s)
		if (json_array_size(sections) > 1 && !*text_of(s, "title"))
			return validate_fail(e, 131008, at, "sections", "need a title when there is more than one.");
	return 0;
}

int rule_list(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *sections = json_object_get(o, "sections");
	const char *ids[LIST_ROWS_MAX];
	size_t n = 0, i, k;
	json_t *s, *row;

	json_array_foreach(sections, i, s) {
		json_array_foreach(json_object_get(s, "rows"), k, row) {
			if (n == LIST_ROWS_MAX)
				return validate_fail(e, 131009, at, "sections", "have more than 10 rows in total.");
			ids[n++] = text_of(row, "id");
			for (size_t j = 0; j + 1 < n; j++)
				if (strcmp(ids[j], ids[n - 1]) == 0)
					return validate_fail(e, 131009, at, "sections", "have a duplicated row id.");
		}
	}
	return check_titles(sections, at, e);
}

int rule_product_list(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *sections = json_object_get(o, "sections");
	size_t n = 0, i;
	json_t *s;

	json_array_foreach(sections, i, s)
		n += json_array_size(json_object_get(s, "product_items"));
	if (n > PRODUCTS_MAX)
		return validate_fail(e, 131009, at, "sections", "have more than 30 products in total.");
	return check_titles(sections, at, e);
}

/* ---- flows ---- */

int rule_flow(const json_t *o, const struct place *at, struct graph_error *e)
{
	bool exchange = strcasecmp(text_of(o, "flow_action"), "data_exchange") == 0;
	const char *cta = text_of(o, "flow_cta");

	if (has(o, "flow_id") == has(o, "flow_name"))
		return validate_fail(e, has(o, "flow_id") ? 100 : 131008, at, NULL, "must have exactly one of 'flow_id' and 'flow_name'.");
	if (exchange && has(o, "flow_action_payload"))
		return validate_fail(e, 131009, at, "flow_action_payload", "is only allowed with flow_action 'navigate'.");
	for (const unsigned char *p = (const unsigned char *)cta; *p; p++)
		if (*p >= 0xf0)		/* beyond the basic plane: emoji, in practice */
			return validate_fail(e, 131009, at, "flow_cta", "must not have emoji.");
	return 0;
}

int rule_flow_payload(const json_t *o, const struct place *at, struct graph_error *e)
{
	if (has(o, "data") && json_object_size(json_object_get(o, "data")) == 0)
		return validate_fail(e, 131009, at, "data", "must not be empty.");
	return 0;
}

/* ---- carousels ---- */

int rule_card_body(const json_t *o, const struct place *at, struct graph_error *e)
{
	int breaks = 0;

	for (const char *p = text_of(o, "text"); *p; p++)
		breaks += *p == '\n';
	return breaks > 2 ? validate_fail(e, 131009, at, "text", "must have at most 2 line breaks.") : 0;
}

static int check_product_card(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *action = json_object_get(o, "action");

	if (!has(action, "product_retailer_id") || !has(action, "catalog_id"))
		return validate_fail(e, 131008, at, "action", "must have product_retailer_id and catalog_id.");
	if (has(o, "header") || has(o, "body"))
		return validate_fail(e, 100, at, NULL, "of type product has neither header nor body.");
	return 0;
}

int rule_card(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *action = json_object_get(o, "action");
	const char *header = text_of(json_object_get(o, "header"), "type");

	if (strcasecmp(text_of(o, "type"), "product") == 0)
		return check_product_card(o, at, e);
	if (strcasecmp(header, "image") && strcasecmp(header, "video"))
		return validate_fail(e, 131008, at, "header", "of a card must be an image or a video.");
	if (has(action, "parameters") == has(action, "buttons"))
		return validate_fail(e, 131008, at, "action", "must have either parameters or buttons.");
	return 0;
}

static unsigned index_bit(const json_t *index)		/* a number, or digits in a string */
{
	const char *s = json_string_value(index);

	return BIT((s ? (unsigned)s[0] - '0' : (unsigned)json_number_value(index)) & 15);
}

/* Cards of one carousel look alike: same type, same kind and number of buttons, products of one catalogue. */
int rule_carousel(const json_t *o, const struct place *at, struct graph_error *e)
{
	const json_t *cards = json_object_get(o, "cards"), *first = json_array_get(cards, 0);
	const json_t *first_action = json_object_get(first, "action");
	unsigned seen = 0;
	size_t i;
	json_t *card;

	json_array_foreach(cards, i, card) {
		const json_t *action = json_object_get(card, "action");
		unsigned bit = index_bit(json_object_get(card, "card_index"));
		if (seen & bit)
			return validate_fail(e, 131009, at, "cards", "have a duplicated card_index.");
		seen |= bit;
		if (strcasecmp(text_of(card, "type"), text_of(first, "type")) ||
		    json_array_size(json_object_get(action, "buttons")) != json_array_size(json_object_get(first_action, "buttons")))
			return validate_fail(e, 131009, at, "cards", "must all have the same type and buttons.");
		if (strcmp(text_of(action, "catalog_id"), text_of(first_action, "catalog_id")))
			return validate_fail(e, 131009, at, "cards", "must all be of one catalog.");
	}
	return 0;
}
