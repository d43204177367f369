#include "msg/template_inside.h"

#include <strings.h>

#include "base/str.h"

/* ---- finding what a message gives ---------------------------------------------------------------------------------------- */

/* The component of that type, of a button that with this index; NULL: none. */
static const json_t *component(const json_t *components, const char *type, int button)
{
	for (size_t i = 0; i < json_array_size(components); i++) {
		const json_t *one = json_array_get(components, i), *index = json_object_get(one, "index");
		const char *found = json_text(one, "type");
		int64_t n = json_is_integer(index) ? json_integer_value(index) : -1;

		if (!found || strcasecmp(found, type) != 0)
			continue;
		if (json_is_string(index) && parse_i64(json_string_value(index), &n) < 0)
			n = -1;
		if (button < 0 || n == button)
			return one;
	}
	return NULL;
}

static const json_t *parameters(const json_t *components, const char *type, int button)
{
	return json_object_get(component(components, type, button), "parameters");
}

/* What fills the slot; NULL: nothing. */
static const char *value_of(const struct template_slot *slot, const json_t *given)
{
	if (!slot->name)
		return template_value_shown(json_array_get(given, (size_t)slot->number));
	for (size_t i = 0; i < json_array_size(given); i++) {
		const char *name = json_text(json_array_get(given, i), "parameter_name");

		if (name && !strcmp(name, slot->name))
			return template_value_shown(json_array_get(given, i));
	}
	return NULL;
}

/* ---- what is seen ----------------------------------------------------------------------------------------------------------- */

static void put_filled(json_t *out, const char *key, const struct template_text *t, const json_t *given)
{
	struct strbuf sb = STRBUF_INIT;
	uint32_t at = 0;

	for (int i = 0; i < t->n_slots; i++) {
		const struct template_slot *slot = &t->slots[i];
		const char *value = value_of(slot, given);

		strbuf_add(&sb, t->s + at, slot->at - at);
		if (value)
			strbuf_adds(&sb, value);
		else
			strbuf_add(&sb, t->s + slot->at, slot->len);
		at = slot->at + slot->len;
	}
	strbuf_add(&sb, t->s + at, t->len - at);
	json_put_text(out, key, sb.buf);
	strbuf_release(&sb);
}

static void put_header(json_t *out, const struct template_part *part, const json_t *given)
{
	const json_t *parameter = json_array_get(given, 0);
	const char *kind = template_header_parameters[part->header], *found = json_text(parameter, "type");
	json_t *header, *inner;

	if (part->header == TEMPLATE_HEADER_TEXT) {
		put_filled(out, "header", &part->header_text, given);
		return;
	}
	if (!kind)
		return;
	if (part->header == TEMPLATE_HEADER_GIF && found && !strcasecmp(found, "video"))
		kind = "video";
	inner = json_object_get(parameter, kind);
	header = json_object();
	json_object_set_new_nocheck(header, kind, inner ? json_deep_copy(inner) : json_object());
	json_object_set_new_nocheck(out, "header", header);
}

/* A URL's one placeholder is filled by the first parameter, whatever it is called. */
static void put_url(json_t *out, const struct template_text *t, const json_t *given)
{
	const char *suffix = template_value_shown(json_array_get(given, 0));
	struct strbuf sb = STRBUF_INIT;

	if (!t->n_slots || !suffix) {
		json_put_text(out, "url", t->s);
		return;
	}
	strbuf_add(&sb, t->s, t->slots[0].at);
	strbuf_adds(&sb, suffix);
	strbuf_adds(&sb, t->s + t->slots[0].at + t->slots[0].len);
	json_put_text(out, "url", sb.buf);
	strbuf_release(&sb);
}

static json_t *button_seen(const struct template_button *b, const json_t *given)
{
	const json_t *parameter = json_array_get(given, 0);
	json_t *o = json_object();

	json_put_text(o, "type", b->type);
	json_put_text(o, "text", *b->label ? b->label : NULL);
	switch (b->kind) {
	case TEMPLATE_BUTTON_URL:
		put_url(o, &b->value, given);
		break;
	case TEMPLATE_BUTTON_OTP:
		json_put_text(o, "code", template_value_shown(parameter));
		break;
	case TEMPLATE_BUTTON_COPY_CODE:
		json_put_text(o, "code", json_text(parameter, "coupon_code"));
		break;
	case TEMPLATE_BUTTON_PHONE_NUMBER:
		json_put_text(o, "phone_number", b->value.s);
		break;
	case TEMPLATE_BUTTON_QUICK_REPLY:
	case TEMPLATE_BUTTON_VOICE_CALL:
	case TEMPLATE_BUTTON_FLOW:
	case TEMPLATE_BUTTON_CATALOG:
	case TEMPLATE_BUTTON_MPM:
	case TEMPLATE_BUTTON_SPM:
	case TEMPLATE_BUTTON_REQUEST_CONTACT_INFO:
	case TEMPLATE_BUTTON_OTHER:
		break;
	}
	return o;
}

static json_t *part_seen(const struct template_part *part, const json_t *components)
{
	json_t *o = json_object(), *buttons;

	put_header(o, part, parameters(components, "header", -1));
	if (part->body.s)
		put_filled(o, "body", &part->body, parameters(components, "body", -1));
	json_put_text(o, "footer", part->footer);
	if (!part->n_buttons)
		return o;
	buttons = json_array();
	for (int i = 0; i < part->n_buttons; i++)
		json_array_append_new(buttons, button_seen(&part->buttons[i], parameters(components, "button", i)));
	json_object_set_new_nocheck(o, "buttons", buttons);
	return o;
}

/* The message's card of that index; NULL: none. */
static const json_t *card_given(const json_t *cards, int i)
{
	for (size_t k = 0; k < json_array_size(cards); k++) {
		const json_t *card = json_array_get(cards, k), *index = json_object_get(card, "card_index");
		int64_t n = json_is_integer(index) ? json_integer_value(index) : -1;

		if (json_is_string(index) && parse_i64(json_string_value(index), &n) < 0)
			n = -1;
		if (n == i)
			return card;
	}
	return NULL;
}

static json_t *cards_seen(const struct template_def *t, const json_t *components)
{
	const json_t *cards = json_object_get(component(components, "carousel", -1), "cards");
	int n = template_product_cards(t) && json_array_size(cards) ? (int)json_array_size(cards) : t->n_cards;
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(a, part_seen(&t->cards[i < t->n_cards ? i : 0],
						   json_object_get(card_given(cards, i), "components")));
	return a;
}

static json_t *offer_seen(const struct template_def *t, const json_t *given)
{
	const json_t *ms = json_object_get(json_object_get(json_array_get(given, 0), "limited_time_offer"), "expiration_time_ms");
	json_t *o = json_object();

	json_put_text(o, "text", *t->offer_text ? t->offer_text : NULL);
	json_put_time(o, "expires_at", json_integer_value(ms));
	return o;
}

json_t *template_preview(const struct template_def *t, const json_t *payload)
{
	const json_t *components = json_object_get(payload, "components");
	json_t *o = part_seen(&t->top, components);

	if (t->offer != TEMPLATE_OFFER_NONE)
		json_object_set_new_nocheck(o, "limited_time_offer", offer_seen(t, parameters(components, "limited_time_offer", -1)));
	if (t->n_cards)
		json_object_set_new_nocheck(o, "cards", cards_seen(t, components));
	return o;
}
