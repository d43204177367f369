/* A send against its definition.  Shapes and limits of the send by itself were tbl_fields.h's business. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "sandbox/blueprint.h"

static const struct { const char *format, *parameter; } headers[] = {
	[HEADER_NONE] = { "UNKNOWN", "" },
#define TEMPLATE_HEADER(ident, format, type) [HEADER_OF_##ident] = { format, type },
#include "sandbox/tbl_template_headers.h"
#undef TEMPLATE_HEADER
};

static const struct { const char *sub_type, *parameter; bool needed; } button_rules[] = {
#define TEMPLATE_BUTTON(ident, type, sub_type, parameter, needed) [BUTTON_##ident] = { sub_type, parameter, needed },
#include "sandbox/tbl_template_buttons.h"
#undef TEMPLATE_BUTTON
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static bool is_type(const json_t *o, const char *type)
{
	return strcasecmp(text_of(o, "type"), type) == 0;
}

static size_t n_parameters(const json_t *component)
{
	return json_array_size(json_object_get(component, "parameters"));
}

const json_t *blueprint_parameter(const json_t *component)
{
	return json_array_get(json_object_get(component, "parameters"), 0);
}

size_t blueprint_index(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	int64_t n;

	if (json_is_string(v))
		return parse_i64(json_string_value(v), &n) < 0 || n < 0 ? SIZE_MAX : (size_t)n;
	return json_is_number(v) && json_number_value(v) >= 0 ? (size_t)json_number_value(v) : SIZE_MAX;
}

/* ---- which component is which ---- */

static int sort_button(const json_t *o, struct blueprint_given *g, struct graph_error *e)
{
	size_t at = blueprint_index(o, "index");

	if (at >= BLUEPRINT_BUTTONS)
		return graph_error_set(e, 132018, "buttons: there can be no button at this index");
	if (g->buttons[at])
		return graph_error_set(e, 132018, "buttons: Button at index %zu is there twice", at);
	g->buttons[at] = o;
	return 0;
}

static int sort_one(const json_t *o, struct blueprint_given *g, struct graph_error *e)
{
	const struct { const char *type; const json_t **place; } places[] = {
		{ "header", &g->header }, { "body", &g->body }, { "limited_time_offer", &g->offer }, { "carousel", &g->carousel },
	};

	if (is_type(o, "button"))
		return sort_button(o, g, e);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!is_type(o, places[i].type))
			continue;
		if (*places[i].place)
			return graph_error_set(e, 132012, "%s: there is more than one component of this type", places[i].type);
		*places[i].place = o;
	}
	return 0;
}

int blueprint_sort(const json_t *components, struct blueprint_given *g, struct graph_error *e)
{
	size_t i;
	json_t *o;

	*g = (struct blueprint_given){ 0 };
	json_array_foreach(components, i, o)
		if (sort_one(o, g, e) < 0)
			return -1;
	return 0;
}

/* ---- texts ---- */

static const char *parameter_text(const json_t *p)
{
	if (is_type(p, "currency"))
		return text_of(json_object_get(p, "currency"), "fallback_value");
	if (is_type(p, "date_time"))
		return text_of(json_object_get(p, "date_time"), "fallback_value");
	return text_of(p, "text");
}

static int fail_count(struct graph_error *e, const char *where, size_t given, size_t wants)
{
	return graph_error_set(e, 132000, "%s: number of localizable_params (%zu) does not match the expected number of params (%zu)", where,
			       given, wants);
}

/* The place of one parameter among the values, or SIZE_MAX with e set. */
static size_t place_of(const struct stencil *s, const json_t *p, size_t i, const char *where, struct graph_error *e)
{
	const char *name = text_of(p, "parameter_name");
	size_t at = *name ? stencil_find(s, name) : SIZE_MAX;

	if (!s->names && !*name)
		return i;
	if (!s->names)
		graph_error_set(e, 132012, "%s: Parameter name %s is given, but the template has positional parameters", where, name);
	else if (!*name)
		graph_error_set(e, 132012, "%s: Parameter name is missing or empty", where);
	else if (at == SIZE_MAX)
		graph_error_set(e, 132012, "%s: Parameter name %s is not in the template", where, name);
	return at;
}

int blueprint_gather(const struct stencil *s, const json_t *component, const char *where, const char *values[STENCIL_WANTS_MAX],
		     struct graph_error *e)
{
	size_t given = n_parameters(component), i, at;
	json_t *p;

	if (given != s->wants)
		return fail_count(e, where, given, s->wants);
	for (i = 0; i < s->wants; i++)
		values[i] = NULL;
	json_array_foreach(json_object_get(component, "parameters"), i, p) {
		at = place_of(s, p, i, where, e);
		if (at >= s->wants)
			return -1;
		if (values[at])
			return graph_error_set(e, 132012, "%s: Parameter name %s is given twice", where, text_of(p, "parameter_name"));
		values[at] = parameter_text(p);
	}
	return 0;
}

static int check_text(const struct stencil *s, const json_t *component, const char *where, size_t max, struct graph_error *e)
{
	const char *values[STENCIL_WANTS_MAX];
	size_t n;

	if (blueprint_gather(s, component, where, values, e) < 0)
		return -1;
	n = s->text ? stencil_length(s, values) : 0;
	return n > max ? graph_error_set(e, 132005, "%s: the text with its parameters has %zu characters, %zu are allowed", where, n, max) : 0;
}

/* ---- the header ---- */

static bool is_header_parameter(enum blueprint_header h, const json_t *p)
{
	return is_type(p, headers[h].parameter) || (h == HEADER_OF_GIF && is_type(p, "video"));	/* Meta's samples have both */
}

static int check_header(const struct blueprint *b, const json_t *given, struct graph_error *e)
{
	const json_t *p = blueprint_parameter(given);

	if (b->header == HEADER_UNKNOWN)
		return 0;
	if (b->header == HEADER_NONE && p && !is_type(p, "text"))
		return graph_error_set(e, 132012, "header: Format mismatch, expected UNKNOWN, received %s", text_of(p, "type"));
	if (b->header == HEADER_NONE)
		return p ? fail_count(e, "header", n_parameters(given), 0) : 0;
	if (p ? !is_header_parameter(b->header, p) : b->header != HEADER_OF_TEXT)
		return graph_error_set(e, 132012, "header: Format mismatch, expected %s, received %s", headers[b->header].format,
				       p ? text_of(p, "type") : "UNKNOWN");
	return b->header == HEADER_OF_TEXT ? check_text(&b->header_text, given, "header", BLUEPRINT_HEADER_MAX, e) : 0;
}

/* ---- buttons ---- */

static bool is_needed(const struct blueprint_button *b)
{
	return b->kind == BUTTON_URL ? b->url.wants > 0 : button_rules[b->kind].needed;
}

static int check_url(const struct blueprint_button *b, size_t at, const char *suffix, struct graph_error *e)
{
	const char *values[] = { suffix };

	if (b->kind == BUTTON_OTP && utf8_count(suffix, strlen(suffix)) > BLUEPRINT_OTP_MAX)
		return graph_error_set(e, 132018, "buttons: the code at index %zu has more than %d characters", at, BLUEPRINT_OTP_MAX);
	if (b->url.wants == 1 && stencil_length(&b->url, values) > BLUEPRINT_URL_MAX)
		return graph_error_set(e, 132018, "buttons: the URL at index %zu has more than %d characters", at, BLUEPRINT_URL_MAX);
	return 0;
}

static int check_coupon(const char *code, size_t at, struct graph_error *e)
{
	for (const char *p = code; *p; p++)
		if (!((*p >= '0' && *p <= '9') || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')))
			return graph_error_set(e, 132018, "buttons: the coupon code at index %zu is not alphanumeric", at);
	return 0;
}

static int check_action(const json_t *p, size_t at, struct graph_error *e)
{
	const json_t *action = json_object_get(p, "action");

	if (!*text_of(action, "thumbnail_product_retailer_id") || !json_array_size(json_object_get(action, "sections")))
		return graph_error_set(e, 131008, "buttons: Button at index %zu requires thumbnail_product_retailer_id and sections", at);
	return 0;
}

static int check_parameter(const struct blueprint_button *b, size_t at, const json_t *p, struct graph_error *e)
{
	switch (b->kind) {
	case BUTTON_URL:
	case BUTTON_OTP:       return check_url(b, at, text_of(p, "text"), e);
	case BUTTON_COPY_CODE: return check_coupon(text_of(p, "coupon_code"), at, e);
	case BUTTON_MPM:       return check_action(p, at, e);
	case BUTTON_QUICK_REPLY:
	case BUTTON_FLOW:
	case BUTTON_CATALOG:
	case BUTTON_SPM:
	case BUTTON_PHONE_NUMBER:
	case BUTTON_REQUEST_CONTACT_INFO:
	case BUTTON_UNKNOWN:   return 0;
	}
	BUG("button kind %d", (int)b->kind);
}

static int check_button(const struct blueprint_button *b, size_t at, const json_t *given, struct graph_error *e)
{
	const json_t *p = blueprint_parameter(given);
	const char *sub_type = button_rules[b->kind].sub_type;

	if (!p)
		return is_needed(b) ? graph_error_set(e, 131008, "buttons: Button at index %zu of type %s requires a parameter", at, b->type) : 0;
	if (!sub_type || (b->kind == BUTTON_URL && !b->url.wants))
		return graph_error_set(e, 132018, "buttons: Button at index %zu of type %s takes no parameters", at, b->type);
	if (strcasecmp(text_of(given, "sub_type"), sub_type))
		return graph_error_set(e, 132012, "buttons: Button at index %zu is of type %s, not %s", at, b->type, text_of(given, "sub_type"));
	if (n_parameters(given) > 1)
		return graph_error_set(e, 132018, "buttons: Button at index %zu takes one parameter", at);
	if (!is_type(p, button_rules[b->kind].parameter))
		return graph_error_set(e, 132012, "buttons: Button at index %zu takes a parameter of type %s, not %s", at,
				       button_rules[b->kind].parameter, text_of(p, "type"));
	return check_parameter(b, at, p, e);
}

static int check_buttons(const struct blueprint *b, const struct blueprint_given *g, struct graph_error *e)
{
	for (size_t i = 0; i < BLUEPRINT_BUTTONS; i++) {
		if (i >= b->n_buttons && g->buttons[i])
			return graph_error_set(e, 132018, "buttons: the template has no button at index %zu", i);
		if (i < b->n_buttons && b->buttons[i].kind != BUTTON_UNKNOWN && check_button(&b->buttons[i], i, g->buttons[i], e) < 0)
			return -1;
	}
	return 0;
}

/* ---- offer and carousel ---- */

static int check_offer(const struct blueprint *b, const json_t *given, struct graph_error *e)
{
	bool wanted = b->offer && b->offer_expires;

	if (wanted && !n_parameters(given))
		return graph_error_set(e, 131008, "limited_time_offer: expiration_time_ms is required");
	if (!wanted && n_parameters(given))
		return graph_error_set(e, 132012, "limited_time_offer: the template has no offer that expires");
	return 0;
}

static int check_components(const struct blueprint *b, const json_t *components, struct graph_error *e);

static int check_card(const struct blueprint *b, const json_t *card, size_t n, unsigned *seen, struct graph_error *e)
{
	size_t at = blueprint_index(card, "card_index");

	if (at >= n)
		return graph_error_set(e, 132012, "carousel: card_index is not below the number of cards (%zu)", n);
	if (*seen & BIT(at))
		return graph_error_set(e, 132012, "carousel: card_index %zu is there twice", at);
	*seen |= BIT(at);
	return check_components(&b->cards[b->product_cards ? 0 : at], json_object_get(card, "components"), e);
}

/* Cards with products may be more or fewer than the definition has: all look alike. */
static int check_cards(const struct blueprint *b, const json_t *given, struct graph_error *e)
{
	const json_t *cards = json_object_get(given, "cards");
	size_t n = json_array_size(cards), i;
	unsigned seen = 0;
	json_t *card;

	if (given && !b->n_cards)
		return graph_error_set(e, 132012, "carousel: the template has no cards");
	if (b->product_cards ? n < 2 : n != b->n_cards)
		return fail_count(e, "carousel", n, b->n_cards);
	json_array_foreach(cards, i, card)
		if (check_card(b, card, n, &seen, e) < 0)
			return -1;
	return 0;
}

/* ---- all of it ---- */

static int check_components(const struct blueprint *b, const json_t *components, struct graph_error *e)
{
	struct blueprint_given g;

	if (blueprint_sort(components, &g, e) < 0 || check_header(b, g.header, e) < 0 ||
	    check_text(&b->body, g.body, "body", b->body_max, e) < 0 || check_offer(b, g.offer, e) < 0 || check_buttons(b, &g, e) < 0)
		return -1;
	return check_cards(b, g.carousel, e);
}

int blueprint_check(const struct blueprint *b, const json_t *payload, struct graph_error *e)
{
	return check_components(b, json_object_get(payload, "components"), e);
}
