/* What the recipient sees.  Only of messages that were found good: nothing is checked here again. */
#include <string.h>

#include "sandbox/blueprint.h"

static json_t *filled(const struct stencil *s, const json_t *component)
{
	struct graph_error ignored = GRAPH_ERROR_INIT;
	const char *values[STENCIL_WANTS_MAX];
	struct strbuf text = STRBUF_INIT;
	json_t *result = NULL;

	if (s->text && blueprint_gather(s, component, "", values, &ignored) == 0) {
		stencil_fill(s, values, &text);
		result = json_stringn(text.buf, text.len);
	}
	strbuf_release(&text);
	strbuf_release(&ignored.details);
	return result ? result : json_null();
}

/* A text, or the parameter as it was sent: {"type":"image","image":{"id":"…"}}. */
static json_t *header(const struct blueprint *b, const json_t *given)
{
	const json_t *p = blueprint_parameter(given);

	if (b->header == HEADER_OF_TEXT)
		return filled(&b->header_text, given);
	return b->header != HEADER_NONE && p ? json_copy((json_t *)(uintptr_t)p) : json_null();
}

static void add_copy(json_t *to, const char *name, const json_t *from)
{
	if (from)
		json_object_set(to, name, (json_t *)(uintptr_t)from);
}

/* A URL goes out whole; of the other buttons what came with the send. */
static json_t *button(const struct blueprint_button *b, const json_t *given)
{
	const json_t *p = blueprint_parameter(given);
	json_t *o = json_pack("{s:s,s:s}", "type", b->type, "text", b->text);

	if ((b->kind == BUTTON_URL || b->kind == BUTTON_OTP) && b->url.text)
		json_object_set_new(o, "url", filled(&b->url, given));
	else if (b->kind == BUTTON_OTP)
		add_copy(o, "code", json_object_get(p, "text"));
	add_copy(o, "payload", json_object_get(p, "payload"));
	add_copy(o, "coupon_code", json_object_get(p, "coupon_code"));
	add_copy(o, "action", json_object_get(p, "action"));
	return o;
}

static json_t *buttons(const struct blueprint *b, const struct blueprint_given *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n_buttons; i++)
		json_array_append_new(list, button(&b->buttons[i], g->buttons[i]));
	return list;
}

static json_t *render(const struct blueprint *b, const json_t *components);

static json_t *cards(const struct blueprint *b, const json_t *given)
{
	json_t *list = json_array(), *card;
	size_t i;

	json_array_foreach(json_object_get(given, "cards"), i, card) {
		size_t at = b->product_cards ? 0 : blueprint_index(card, "card_index");
		json_array_append_new(list, render(&b->cards[at], json_object_get(card, "components")));
	}
	return list;
}

static json_t *offer(const struct blueprint *b, const json_t *given)
{
	json_t *o = json_pack("{s:s}", "text", b->offer);

	add_copy(o, "expiration_time_ms", json_object_get(json_object_get(blueprint_parameter(given), "limited_time_offer"),
							  "expiration_time_ms"));
	return o;
}

static json_t *render(const struct blueprint *b, const json_t *components)
{
	struct graph_error ignored = GRAPH_ERROR_INIT;
	struct blueprint_given g;
	json_t *out;

	if (blueprint_sort(components, &g, &ignored) < 0)
		BUG("a send that was good is so no more: %s", ignored.details.buf);
	out = json_pack("{s:o,s:o,s:s?,s:o}", "header", header(b, g.header), "body", filled(&b->body, g.body), "footer", b->footer,
			"buttons", buttons(b, &g));
	if (b->n_cards)
		json_object_set_new(out, "cards", cards(b, g.carousel));
	if (b->offer)
		json_object_set_new(out, "offer", offer(b, g.offer));
	return out;
}

json_t *blueprint_render(const struct blueprint *b, const json_t *payload)
{
	return render(b, json_object_get(payload, "components"));
}
