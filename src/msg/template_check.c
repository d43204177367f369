#include "msg/template_inside.h"

#include <strings.h>

#include "base/str.h"

/* ---- where and what, for people ---------------------------------------------------------------------------------------- */

static void add_place(const struct template_check *c, struct strbuf *sb)
{
	if (c->card >= 0)
		strbuf_addf(sb, "card %d ", c->card);
	if (c->component >= 0) {
		strbuf_addf(sb, "components[%d]", c->component);
		if (c->what)
			strbuf_addf(sb, c->button >= 0 ? " (%s %d)" : " (%s)", c->what, c->button);
	} else if (c->what) {
		strbuf_adds(sb, c->what);
		if (c->button >= 0)
			strbuf_addf(sb, " %d", c->button);
		if (c->parameter >= 0)
			strbuf_addf(sb, " parameter %d", c->parameter + 1);
	}
	if (sb->len && sb->buf[sb->len - 1] == ' ')
		sb->buf[--sb->len] = 0;
	strbuf_adds(sb, sb->len ? ": " : "");
}

void template_complain(struct template_check *c, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	add_place(c, &text);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	why_write(c->why, "%s", text.buf);
	strbuf_release(&text);
}

void template_warn(struct template_check *c, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	if (!c->warnings)
		return;
	add_place(c, &text);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_addf(c->warnings, "%s%s", c->warnings->len ? "; " : "", text.buf);
	strbuf_release(&text);
}

/* From now on it is about what stands in a component, not about the component. */
static void look_at(struct template_check *c, const char *what, int button)
{
	c->component = -1;
	c->what = what;
	c->button = button;
	c->parameter = -1;
}

/* ---- one component of a message ---------------------------------------------------------------------------------------- */

struct seen {
	bool header, body, offer, carousel;
	uint32_t buttons;
};

static int once(struct template_check *c, bool *seen)
{
	if (*seen)
		return template_misfit(c, "is there twice");
	*seen = true;
	return 0;
}

/* Absent and null are none. */
static int parameters_of(struct template_check *c, const json_t *component, const json_t **out)
{
	const json_t *parameters = json_object_get(component, "parameters");

	if (parameters && !json_is_null(parameters) && !json_is_array(parameters))
		return template_misfit(c, "parameters found %s, expected an array", json_kind(parameters));
	*out = parameters;
	return 0;
}

static int on_header(struct template_check *c, const struct template_part *part, const json_t *component, struct seen *seen)
{
	const json_t *parameters;

	if (once(c, &seen->header) < 0 || parameters_of(c, component, &parameters) < 0)
		return -1;
	if (part->header == TEMPLATE_HEADER_NONE)
		return part->is_open ? 0 : template_misfit(c, "the template has none");
	look_at(c, "header", -1);
	if (part->header == TEMPLATE_HEADER_TEXT)
		return template_check_text(c, &part->header_text, parameters, false);
	return template_check_header(c, part->header, parameters);
}

static int on_body(struct template_check *c, const struct template_part *part, const json_t *component, struct seen *seen)
{
	const json_t *parameters;

	if (once(c, &seen->body) < 0 || parameters_of(c, component, &parameters) < 0)
		return -1;
	if (!part->body.s)
		return part->is_open ? 0 : template_misfit(c, "the template has none");
	look_at(c, "body", -1);
	return template_check_text(c, &part->body, parameters, true);
}

/* The API takes numbers and digits. */
static int index_of(struct template_check *c, const json_t *v, const char *name, int64_t *out)
{
	*out = json_is_integer(v) ? json_integer_value(v) : -1;
	if (json_is_string(v) && (!str_is_digits(json_string_value(v)) || parse_i64(json_string_value(v), out) < 0))
		*out = -1;
	if (*out < 0)
		return template_misfit(c, "%s found %s, expected a number from 0", name,
				       json_is_string(v) ? "another text" : json_is_integer(v) ? "less than 0"
							   : json_is_real(v) ? "a fraction" : json_kind(v));
	return 0;
}

static int check_sub_type(struct template_check *c, const struct template_button *b, const json_t *component)
{
	const json_t *v = json_object_get(component, "sub_type");
	const char *expected = b->kind == TEMPLATE_BUTTON_OTHER ? "" : template_button_rules[b->kind].sub_type;

	if (!json_is_string(v))
		return template_misfit(c, "sub_type found %s, expected %s", json_kind(v), *expected ? expected : "a string");
	if (*expected && strcasecmp(json_string_value(v), expected) != 0)
		return template_misfit(c, "sub_type found %s, expected %s", template_shown(json_string_value(v)), expected);
	return 0;
}

static int on_button(struct template_check *c, const struct template_part *part, const json_t *component, struct seen *seen)
{
	const struct template_button *b;
	const json_t *parameters;
	int64_t i;

	if (index_of(c, json_object_get(component, "index"), "index", &i) < 0)
		return -1;
	if (i >= part->n_buttons) {
		if (part->is_open)
			return 0;
		if (!part->n_buttons)
			return template_misfit(c, "the template has no buttons");
		return template_misfit(c, "index found %lld, expected 0 to %d", (long long)i, part->n_buttons - 1);
	}
	c->button = (int)i;
	if (seen->buttons & BIT(i))
		return template_misfit(c, "is there twice");
	seen->buttons |= BIT(i);
	b = &part->buttons[i];
	if (b->need == TEMPLATE_NEED_NONE)
		return template_misfit(c, "this button takes no parameter");
	if (check_sub_type(c, b, component) < 0 || parameters_of(c, component, &parameters) < 0)
		return -1;
	look_at(c, "button", (int)i);
	return template_check_button(c, b, parameters);
}

static int on_offer(struct template_check *c, const json_t *component, struct seen *seen)
{
	const json_t *parameters;

	if (once(c, &seen->offer) < 0 || parameters_of(c, component, &parameters) < 0)
		return -1;
	if (c->t->offer == TEMPLATE_OFFER_NONE)
		return template_misfit(c, "the template has none");
	if (c->t->offer == TEMPLATE_OFFER_ENDLESS)
		return template_misfit(c, "the template's offer does not expire");
	look_at(c, "limited_time_offer", -1);
	return template_check_offer(c, parameters);
}

/* ---- all of the template or of a card ---------------------------------------------------------------------------------- */

static int check_part(struct template_check *c, const struct template_part *part, const json_t *components);

static int check_card(struct template_check *c, const json_t *card, uint64_t *seen, int n)
{
	const json_t *components = json_object_get(card, "components");
	const struct template_part *part;
	int64_t i;

	if (!json_is_object(card))
		return template_misfit(c, "a card found %s, expected an object", json_kind(card));
	if (index_of(c, json_object_get(card, "card_index"), "card_index", &i) < 0)
		return -1;
	if (i >= n)
		return template_misfit(c, "card_index found %lld, expected 0 to %d", (long long)i, n - 1);
	if (*seen >> i & 1)
		return template_misfit(c, "card_index %d is there twice", (int)i);
	*seen |= UINT64_C(1) << i;
	part = &c->t->cards[i < c->t->n_cards ? i : 0];	/* product cards are all alike */
	c->card = (int)i;
	c->component = -1;
	c->what = NULL;
	if (components && !json_is_null(components) && !json_is_array(components))
		return template_misfit(c, "components found %s, expected an array", json_kind(components));
	if (check_part(c, part, components) < 0)
		return -1;
	c->card = -1;
	return 0;
}

bool template_product_cards(const struct template_def *t)
{
	return t->n_cards && t->cards[0].header == TEMPLATE_HEADER_PRODUCT;
}

static int on_carousel(struct template_check *c, const json_t *component, struct seen *seen)
{
	const json_t *cards = json_object_get(component, "cards");
	int n = (int)json_array_size(cards), at = c->component;
	uint64_t cards_seen = 0;

	if (once(c, &seen->carousel) < 0)
		return -1;
	if (!c->t->n_cards)
		return template_misfit(c, "the template has no cards");
	if (!json_is_array(cards))
		return template_misfit(c, "cards found %s, expected an array", json_kind(cards));
	look_at(c, "carousel", -1);
	if (template_product_cards(c->t) && (n < PRODUCT_CARDS_MIN || n > PRODUCT_CARDS_MAX))
		return template_misfit(c, "found %d cards, expected %d to %d", n, PRODUCT_CARDS_MIN, PRODUCT_CARDS_MAX);
	if (!template_product_cards(c->t) && n != c->t->n_cards)
		return template_misfit(c, "found %d cards, expected %d", n, c->t->n_cards);
	for (int i = 0; i < n; i++) {
		look_at(c, "carousel", -1);
		c->component = at;
		if (check_card(c, json_array_get(cards, (size_t)i), &cards_seen, n) < 0)
			return -1;
	}
	return 0;
}

/* Components that go with any template, and are not described by its definition. */
static bool goes_with_any(const char *type)
{
	static const char *const types[] = { "tap_target_configuration", "order_status" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcasecmp(type, types[i]))
			return true;
	return false;
}

static int check_component(struct template_check *c, const struct template_part *part, const json_t *component, struct seen *seen)
{
	static const char *const types[] = { "header", "body", "button", "limited_time_offer", "carousel" };
	const json_t *type = json_object_get(component, "type");
	size_t k = 0;

	if (!json_is_object(component))
		return template_misfit(c, "found %s, expected an object", json_kind(component));
	if (!json_is_string(type))
		return template_misfit(c, "type found %s, expected a string", json_kind(type));
	while (k < ARRAY_LEN(types) && strcasecmp(json_string_value(type), types[k]) != 0)
		k++;
	if (k == ARRAY_LEN(types) || (c->card >= 0 && k > 2)) {
		if (part->is_open || goes_with_any(json_string_value(type)))
			return 0;
		return template_misfit(c, "type found %s, expected %s", template_shown(json_string_value(type)),
				       c->card >= 0 ? "header, body or button" : "header, body, button, limited_time_offer or carousel");
	}
	c->what = types[k];
	switch (k) {
	case 0:
		return on_header(c, part, component, seen);
	case 1:
		return on_body(c, part, component, seen);
	case 2:
		return on_button(c, part, component, seen);
	case 3:
		return on_offer(c, component, seen);
	}
	return on_carousel(c, component, seen);
}

static int check_missing(struct template_check *c, const struct template_part *part, const struct seen *seen)
{
	look_at(c, "header", -1);
	if (!seen->header && part->header == TEMPLATE_HEADER_TEXT && template_check_text(c, &part->header_text, NULL, false) < 0)
		return -1;
	if (!seen->header && template_header_parameters[part->header] && part->header != TEMPLATE_HEADER_TEXT)
		return template_misfit(c, "is missing, expected %s", template_header_parameters[part->header]);
	look_at(c, "body", -1);
	if (!seen->body && part->body.s && template_check_text(c, &part->body, NULL, true) < 0)
		return -1;
	for (int i = 0; i < part->n_buttons; i++) {
		const struct template_button *b = &part->buttons[i];

		look_at(c, "button", i);
		if (!(seen->buttons & BIT(i)) && b->need == TEMPLATE_NEED_MUST)
			return template_misfit(c, "is missing, expected %s", template_button_rules[b->kind].parameter);
		if (!(seen->buttons & BIT(i)) && b->kind == TEMPLATE_BUTTON_FLOW)
			template_warn(c, "a flow without its component may be refused");
	}
	if (c->card >= 0)
		return 0;
	look_at(c, "limited_time_offer", -1);
	if (!seen->offer && c->t->offer == TEMPLATE_OFFER_EXPIRES)
		return template_misfit(c, "is missing, expected expiration_time_ms");
	look_at(c, "carousel", -1);
	if (!seen->carousel && c->t->n_cards)
		return template_misfit(c, "is missing, expected %d cards", c->t->n_cards);
	return 0;
}

static int check_part(struct template_check *c, const struct template_part *part, const json_t *components)
{
	struct seen seen = { .header = false };
	int n = (int)json_array_size(components);

	for (int i = 0; i < n; i++) {
		look_at(c, NULL, -1);
		c->component = i;
		if (check_component(c, part, json_array_get(components, (size_t)i), &seen) < 0)
			return -1;
	}
	return check_missing(c, part, &seen);
}

int template_check(struct template_check *c, const json_t *payload)
{
	const json_t *components = json_object_get(payload, "components");

	if (components && !json_is_null(components) && !json_is_array(components))
		return template_misfit(c, "components found %s, expected an array", json_kind(components));
	if (check_part(c, &c->t->top, components) < 0)
		return -1;
	look_at(c, "code", -1);
	if (c->body_code && c->button_code && strcmp(c->body_code, c->button_code) != 0)
		return template_misfit(c, "found two different ones, expected the same in body and button");
	return 0;
}
