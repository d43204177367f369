/*
 * blueprint - the components of a template's definition, taken apart once, so that a send is only compared with them.
 *
 * Ownership: the blueprint owns its texts; nothing points into the JSON it was made of.
 * Component and button types that are not known here are not checked: Meta adds some every year.
 */
#ifndef SANDBOX_BLUEPRINT_H
#define SANDBOX_BLUEPRINT_H

#include <jansson.h>

#include "sandbox/graph.h"
#include "sandbox/stencil.h"

enum {
	BLUEPRINT_BUTTONS = 10, BLUEPRINT_CARDS = 10, BLUEPRINT_HEADER_MAX = 60, BLUEPRINT_BODY_MAX = 1024, BLUEPRINT_CARD_BODY_MAX = 160,
	BLUEPRINT_OFFER_BODY_MAX = 600, BLUEPRINT_URL_MAX = 2000, BLUEPRINT_OTP_MAX = 15,
};

enum blueprint_header {
	HEADER_NONE,
#define TEMPLATE_HEADER(ident, format, type) HEADER_OF_##ident,
#include "sandbox/tbl_template_headers.h"
#undef TEMPLATE_HEADER
	HEADER_UNKNOWN,			/* of a format we do not know: not checked */
};

enum blueprint_button_kind {
#define TEMPLATE_BUTTON(ident, type, sub_type, parameter, needed) BUTTON_##ident,
#include "sandbox/tbl_template_buttons.h"
#undef TEMPLATE_BUTTON
	BUTTON_UNKNOWN,
};

struct blueprint_button {
	enum blueprint_button_kind kind;
	char *type, *text;		/* as the definition has them */
	struct stencil url;
};

struct blueprint {
	bool named;
	enum blueprint_header header;
	struct stencil header_text, body;
	size_t body_max;
	char *footer;			/* NULL: none */
	struct blueprint_button *buttons;
	size_t n_buttons;
	char *offer;			/* limited_time_offer's text; NULL: there is no offer */
	bool offer_expires;
	struct blueprint *cards;
	size_t n_cards;
	bool product_cards;
};

/* Of the object as Graph lists it; NULL with the reason. */
struct blueprint *blueprint_new(const json_t *template, struct strbuf *why);
void blueprint_free(struct blueprint **bp);

/* Is the payload of a template message, well-formed by itself, what the definition wants?  Code and details in e. */
int blueprint_check(const struct blueprint *b, const json_t *payload, struct graph_error *e) MUST_CHECK;
/* What the recipient of a message that was found good sees: {"header","body","footer","buttons"}, and "cards", "offer"; the caller's. */
json_t *blueprint_render(const struct blueprint *b, const json_t *payload);
/* The rules for who creates or edits a definition; sends are never measured by them. */
int blueprint_review(const json_t *template, struct graph_error *e) MUST_CHECK;

/* For blueprint_render.c */
struct blueprint_given {		/* a send's components, each in its place; NULL: not there */
	const json_t *header, *body, *offer, *carousel, *buttons[BLUEPRINT_BUTTONS];
};
int blueprint_sort(const json_t *components, struct blueprint_given *g, struct graph_error *e) MUST_CHECK;
/* The texts that go into s; where: "body" or "header", for the details. */
int blueprint_gather(const struct stencil *s, const json_t *component, const char *where, const char *values[STENCIL_WANTS_MAX],
		     struct graph_error *e) MUST_CHECK;
const json_t *blueprint_parameter(const json_t *component);	/* the first one; NULL: none */
size_t blueprint_index(const json_t *o, const char *name);	/* a number, or a text that is one */

#endif
