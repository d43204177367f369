/* What Meta wants of a definition that somebody creates or edits.  Only the plain rules: nobody reviews wording here. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "sandbox/blueprint.h"

enum { FOOTER_MAX = 60, BUTTON_TEXT_MAX = 25, URL_BUTTONS_MAX = 2 };
enum { BAD_HEADER = 2388047, BAD_BODY = 2388072, BAD_FOOTER = 2388073, TOO_LONG = 2388040, TOO_MANY = 2388293, AT_THE_EDGE = 2388299 };

static size_t length(const char *s)
{
	return s ? utf8_count(s, strlen(s)) : 0;
}

/* Positional parameters have no gaps: each one is in the text. */
static bool has_gap(const struct stencil *s)
{
	bool seen[STENCIL_WANTS_MAX] = { false };

	for (size_t i = 0; i < s->n_holes; i++)
		seen[s->holes[i].which] = true;
	for (size_t i = 0; i < s->wants; i++)
		if (!seen[i])
			return true;
	return false;
}

static size_t words(const char *s)
{
	size_t n = 0;

	for (const char *p = s + strspn(s, " \n"); *p; p += strspn(p, " \n")) {
		p += strcspn(p, " \n");
		n++;
	}
	return n;
}

static int review_header(const struct blueprint *b, struct graph_error *e)
{
	if (b->header == HEADER_UNKNOWN)
		return graph_error_set(e, BAD_HEADER, "The header has no known format");
	if (b->header != HEADER_OF_TEXT)
		return 0;
	if (!length(b->header_text.text) || b->header_text.wants > 1 || has_gap(&b->header_text))
		return graph_error_set(e, BAD_HEADER, "The header needs a text with at most one parameter");
	return length(b->header_text.text) > BLUEPRINT_HEADER_MAX ? graph_error_set(e, TOO_LONG, "The header is too long") : 0;
}

static int review_body(const struct blueprint *b, bool is_otp, struct graph_error *e)
{
	const struct stencil *s = &b->body;
	const struct stencil_hole *last = s->n_holes ? &s->holes[s->n_holes - 1] : NULL;

	if (!length(s->text) || has_gap(s))
		return graph_error_set(e, BAD_BODY, "The body needs a text whose parameters have no gaps");
	if (length(s->text) > b->body_max)
		return graph_error_set(e, TOO_LONG, "The body is too long");
	if (is_otp)
		return 0;		/* the text is Meta's own */
	if (last && (s->holes[0].at == 0 || !s->text[last->end]))
		return graph_error_set(e, AT_THE_EDGE, "Variables can't be at the start or end of the template");
	if (s->wants && words(s->text) <= s->wants)	/* Meta's own measure is not published */
		return graph_error_set(e, TOO_MANY, "This template has too many variables for its length");
	return 0;
}

static int review_button(const struct blueprint_button *b, struct graph_error *e)
{
	const struct stencil *url = &b->url;

	if (b->kind == BUTTON_UNKNOWN && strcasecmp(b->type, "VOICE_CALL"))
		return graph_error_set(e, 100, "There is no button of type %s", b->type);
	if (length(b->text) > BUTTON_TEXT_MAX)
		return graph_error_set(e, TOO_LONG, "The text of a button is too long");
	if (b->kind != BUTTON_URL)
		return 0;
	if (!url->text || length(url->text) > BLUEPRINT_URL_MAX || url->n_holes > 1 || (url->n_holes && url->text[url->holes[0].end]))
		return graph_error_set(e, 100, "A URL button needs a url, with at most one variable, and that at its end");
	return 0;
}

/* Quick replies stand together, at the beginning or at the end. */
static int review_buttons(const struct blueprint *b, struct graph_error *e)
{
	size_t n[BUTTON_UNKNOWN + 1] = { 0 }, changes = 0;

	for (size_t i = 0; i < b->n_buttons; i++) {
		if (review_button(&b->buttons[i], e) < 0)
			return -1;
		n[b->buttons[i].kind]++;
		changes += i && (b->buttons[i].kind == BUTTON_QUICK_REPLY) != (b->buttons[i - 1].kind == BUTTON_QUICK_REPLY);
	}
	if (n[BUTTON_URL] > URL_BUTTONS_MAX || n[BUTTON_PHONE_NUMBER] > 1 || n[BUTTON_COPY_CODE] > 1 || n[BUTTON_FLOW] > 1)
		return graph_error_set(e, 100, "There are too many buttons of one type");
	return changes > 1 ? graph_error_set(e, 100, "Quick reply buttons have to stand together") : 0;
}

static int review_footer(const struct blueprint *b, struct graph_error *e)
{
	if (b->footer && strstr(b->footer, "{{"))
		return graph_error_set(e, BAD_FOOTER, "The footer can't have variables");
	return length(b->footer) > FOOTER_MAX ? graph_error_set(e, TOO_LONG, "The footer is too long") : 0;
}

static int review_offer_and_cards(const struct blueprint *b, struct graph_error *e)
{
	if (b->offer && (b->header != HEADER_OF_IMAGE) && (b->header != HEADER_OF_VIDEO) && b->header != HEADER_NONE)
		return graph_error_set(e, BAD_HEADER, "An offer has a header with an image or a video");
	if (b->offer && b->footer)
		return graph_error_set(e, BAD_FOOTER, "An offer has no footer");
	for (size_t i = 0; i < b->n_cards; i++)
		if (b->cards[i].header != b->cards[0].header || b->cards[i].n_buttons != b->cards[0].n_buttons)
			return graph_error_set(e, 100, "All cards need the same components");
	return b->n_cards == 1 ? graph_error_set(e, 100, "A carousel has from 2 to 10 cards") : 0;
}

int blueprint_review(const json_t *template, struct graph_error *e)
{
	const char *category = json_string_value(json_object_get(template, "category"));
	struct strbuf why = STRBUF_INIT;
	struct blueprint *b = blueprint_new(template, &why);
	int err = -1;

	if (!b)
		graph_error_set(e, 100, "%s", why.buf);
	else if (review_header(b, e) == 0 && review_body(b, category && strcasecmp(category, "AUTHENTICATION") == 0, e) == 0 &&
		 review_footer(b, e) == 0 && review_buttons(b, e) == 0)
		err = review_offer_and_cards(b, e);
	blueprint_free(&b);
	strbuf_release(&why);
	return err;
}
