#include "sandbox/blueprint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char *const header_formats[] = {
	[HEADER_NONE] = "",
#define TEMPLATE_HEADER(ident, format, type) [HEADER_OF_##ident] = format,
#include "sandbox/tbl_template_headers.h"
#undef TEMPLATE_HEADER
};

static const char *const button_types[] = {
#define TEMPLATE_BUTTON(ident, type, sub_type, parameter, needed) [BUTTON_##ident] = type,
#include "sandbox/tbl_template_buttons.h"
#undef TEMPLATE_BUTTON
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void release(struct blueprint *b)
{
	stencil_release(&b->header_text);
	stencil_release(&b->body);
	for (size_t i = 0; i < b->n_buttons; i++) {
		free(b->buttons[i].type);
		free(b->buttons[i].text);
		stencil_release(&b->buttons[i].url);
	}
	free(b->buttons);
	for (size_t i = 0; i < b->n_cards; i++)
		release(&b->cards[i]);
	free(b->cards);
	free(b->footer);
	free(b->offer);
	*b = (struct blueprint){ 0 };
}

void blueprint_free(struct blueprint **bp)
{
	if (!*bp)
		return;
	release(*bp);
	free(*bp);
	*bp = NULL;
}

/* ---- one component each ---- */

static int read_header(struct blueprint *b, const json_t *o, struct strbuf *why)
{
	b->header = HEADER_UNKNOWN;
	for (size_t i = HEADER_NONE + 1; i < ARRAY_LEN(header_formats); i++)
		if (strcasecmp(text_of(o, "format"), header_formats[i]) == 0)
			b->header = (enum blueprint_header)i;
	if (b->header != HEADER_OF_TEXT)
		return 0;
	stencil_release(&b->header_text);
	return stencil_cut(&b->header_text, text_of(o, "text"), b->named, why);
}

/* An authentication template has no text of its own: this is Meta's. */
static int read_body(struct blueprint *b, const json_t *o, bool is_otp, struct strbuf *why)
{
	struct strbuf text = STRBUF_INIT;
	int err;

	strbuf_adds(&text, text_of(o, "text"));
	if (is_otp && !text.len)
		strbuf_adds(&text, "*{{1}}* is your verification code.");
	if (is_otp && !*text_of(o, "text") && json_is_true(json_object_get(o, "add_security_recommendation")))
		strbuf_adds(&text, " For your security, do not share this code.");
	stencil_release(&b->body);
	err = stencil_cut(&b->body, text.buf, b->named, why);
	strbuf_release(&text);
	return err;
}

static void read_footer(struct blueprint *b, const json_t *o)
{
	const json_t *minutes = json_object_get(o, "code_expiration_minutes");
	struct strbuf text = STRBUF_INIT;

	if (*text_of(o, "text"))
		strbuf_adds(&text, text_of(o, "text"));
	else if (json_is_integer(minutes))
		strbuf_addf(&text, "This code expires in %lld minutes.", (long long)json_integer_value(minutes));
	free(b->footer);
	b->footer = strbuf_detach(&text);
}

/* Listings have the OTP button of an authentication template as a URL button with a placeholder. */
static enum blueprint_button_kind button_kind(const json_t *o, bool is_otp)
{
	for (size_t i = 0; i < ARRAY_LEN(button_types); i++)
		if (strcasecmp(text_of(o, "type"), button_types[i]) == 0)
			return i == BUTTON_URL && is_otp && strstr(text_of(o, "url"), "{{") ? BUTTON_OTP : (enum blueprint_button_kind)i;
	return BUTTON_UNKNOWN;
}

static int read_buttons(struct blueprint *b, const json_t *o, bool is_otp, struct strbuf *why)
{
	const json_t *list = json_object_get(o, "buttons");

	if (!json_is_array(list) || json_array_size(list) > BLUEPRINT_BUTTONS || b->n_buttons)
		return why_set(why, "BUTTONS has no \"buttons\", too many of them, or is there twice");
	b->buttons = mem_array(json_array_size(list), sizeof(*b->buttons));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *from = json_array_get(list, i);
		struct blueprint_button *to = &b->buttons[b->n_buttons++];
		to->kind = button_kind(from, is_otp);
		to->type = mem_strdup(text_of(from, "type"));
		to->text = mem_strdup(text_of(from, "text"));
		if (*text_of(from, "url") && stencil_cut(&to->url, text_of(from, "url"), false, why) < 0)
			return -1;
	}
	return 0;
}

static int read_offer(struct blueprint *b, const json_t *o)
{
	const json_t *offer = json_object_get(o, "limited_time_offer");

	free(b->offer);
	b->offer = mem_strdup(text_of(offer, "text"));
	b->offer_expires = json_is_true(json_object_get(offer, "has_expiration"));
	return 0;
}

static int read_components(struct blueprint *b, const json_t *list, bool is_otp, struct strbuf *why);

static int read_cards(struct blueprint *b, const json_t *o, struct strbuf *why)
{
	const json_t *list = json_object_get(o, "cards");

	if (!json_array_size(list) || json_array_size(list) > BLUEPRINT_CARDS || b->n_cards)
		return why_set(why, "CAROUSEL has no \"cards\", too many of them, or is there twice");
	b->cards = mem_array(json_array_size(list), sizeof(*b->cards));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct blueprint *card = &b->cards[b->n_cards++];
		card->named = b->named;
		card->body_max = BLUEPRINT_CARD_BODY_MAX;
		if (read_components(card, json_object_get(json_array_get(list, i), "components"), false, why) < 0)
			return -1;
		b->product_cards = b->product_cards || card->header == HEADER_OF_PRODUCT;
	}
	return 0;
}

static int read_component(struct blueprint *b, const json_t *o, bool is_otp, struct strbuf *why)
{
	const char *type = text_of(o, "type");

	if (strcasecmp(type, "HEADER") == 0)
		return read_header(b, o, why);
	if (strcasecmp(type, "BODY") == 0)
		return read_body(b, o, is_otp, why);
	if (strcasecmp(type, "BUTTONS") == 0)
		return read_buttons(b, o, is_otp, why);
	if (strcasecmp(type, "CAROUSEL") == 0)
		return read_cards(b, o, why);
	if (strcasecmp(type, "LIMITED_TIME_OFFER") == 0)
		return read_offer(b, o);
	if (strcasecmp(type, "FOOTER") == 0)
		read_footer(b, o);
	return 0;
}

static int read_components(struct blueprint *b, const json_t *list, bool is_otp, struct strbuf *why)
{
	size_t i;
	json_t *o;

	if (!json_is_array(list))
		return why_set(why, "\"components\" is not an array");
	json_array_foreach(list, i, o)
		if (read_component(b, o, is_otp, why) < 0)
			return -1;
	return 0;
}

struct blueprint *blueprint_new(const json_t *template, struct strbuf *why)
{
	struct blueprint *b = mem_alloc(sizeof(*b));

	b->named = strcasecmp(text_of(template, "parameter_format"), "NAMED") == 0;
	b->body_max = BLUEPRINT_BODY_MAX;
	if (read_components(b, json_object_get(template, "components"), strcasecmp(text_of(template, "category"), "AUTHENTICATION") == 0,
			    why) < 0)
		blueprint_free(&b);
	else if (b->offer)
		b->body_max = BLUEPRINT_OFFER_BODY_MAX;
	return b;
}
