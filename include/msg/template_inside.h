/* template_inside - a compiled template as src/msg/template*.c see it; nobody else's business. */
#ifndef MSG_TEMPLATE_INSIDE_H
#define MSG_TEMPLATE_INSIDE_H

#include "msg/template.h"

enum { TEMPLATE_PARAMETERS_MAX = 1000, TEMPLATE_BUTTONS_MAX = 32 /* Meta: 10 */, TEMPLATE_CARDS_MAX = 64 /* Meta: 10 */ };

/* Meta's documented limits, in characters; what is longer is warned of. */
enum {
	HEADER_CHARS = 60, BODY_CHARS = 1024, OFFER_BODY_CHARS = 600, CARD_BODY_CHARS = 160, URL_CHARS = 2000, PAYLOAD_CHARS = 128,
	COUPON_CHARS = 15, OTP_CHARS = 15 /* this one is certain */, SECTION_TITLE_CHARS = 24, SECTIONS_MAX = 10, PRODUCTS_MAX = 30,
	PRODUCT_CARDS_MIN = 2, PRODUCT_CARDS_MAX = 10,
};

enum template_header {
	TEMPLATE_HEADER_NONE,
#define TEMPLATE_HEADER(ident, format, parameter) TEMPLATE_HEADER_##ident,
#include "tbl/template_headers.h"
#undef TEMPLATE_HEADER
	TEMPLATE_HEADER_OTHER
};

enum template_button_kind {
#define TEMPLATE_BUTTON(ident, type, sub_type, parameter, need) TEMPLATE_BUTTON_##ident,
#include "tbl/template_buttons.h"
#undef TEMPLATE_BUTTON
	TEMPLATE_BUTTON_OTHER
};

enum template_need { TEMPLATE_NEED_NONE, TEMPLATE_NEED_MAY, TEMPLATE_NEED_MUST, TEMPLATE_NEED_ANY };
enum template_offer { TEMPLATE_OFFER_NONE, TEMPLATE_OFFER_ENDLESS, TEMPLATE_OFFER_EXPIRES };

/* One placeholder in a text: bytes [at, at + len).  The same number comes as often as the same placeholder does. */
struct template_slot {
	uint32_t at, len;
	int number;		/* of the parameter that fills it, from 0 */
	const char *name;	/* NULL: positional */
};

struct template_text {
	const char *s;		/* NULL: the template has no such text */
	uint32_t len;
	uint16_t n_slots;
	uint16_t n_parameters;	/* different ones */
	struct template_slot *slots;
};

struct template_button {
	enum template_button_kind kind;
	enum template_need need;
	const char *type;		/* as it was listed */
	const char *label;
	struct template_text value;	/* URL or phone number */
};

/* What the template itself and each of its cards have. */
struct template_part {
	enum template_header header;
	bool is_open;			/* has components that are not known */
	uint8_t n_buttons;
	struct template_text header_text, body;
	const char *footer;
	struct template_button *buttons;
};

struct template_def {
	const char *name, *language, *id, *category, *status_text;
	enum template_status status;
	bool is_named, is_authentication;
	enum template_offer offer;
	const char *offer_text;
	struct template_part top;
	int n_cards;
	struct template_part *cards;
	size_t bytes;
};

extern const char *const template_header_parameters[];	/* by enum template_header; NULL: NONE and OTHER */
struct template_button_rule { const char *type, *sub_type, *parameter; enum template_need need; };
extern const struct template_button_rule template_button_rules[];	/* by enum template_button_kind, without OTHER */

/* ---- texts (template_text.c) ----------------------------------------------------------------------------------------- */

/* The next placeholder from *p on, which must begin where s does; false: none.  name need not end with NUL. */
struct template_found { const char *at, *name; size_t len, name_len; int number; /* its digits; 0: a name */ };
bool template_next_slot(const char **p, struct template_found *found);
int template_slot_number(const struct template_text *t, const char *name);	/* of a named parameter; -1: none */

const char *template_forbidden(const char *text);	/* what no parameter may have, such as "a line break"; NULL: it is fine */
void template_flatten(json_t *payload);			/* in the Cloud API's form, and the caller's own */
size_t template_chars(const char *s);
const char *template_shown(const char *word);		/* for error texts: a word as it is; what is no word, or NULL, as that */
/* What a parameter of header or body shows, NULL: nothing can be said. */
const char *template_value_shown(const json_t *parameter);

/* ---- a message against the definition (template_check.c, template_values.c) ---------------------------------------------- */

struct template_check {
	const struct template_def *t;
	const struct template_rules *rules;
	struct strbuf *why, *warnings;
	bool must_flatten;			/* something is only allowed because rules->flatten says so */
	const char *body_code, *button_code;	/* authentication: must be the same */
	/* Where we are, for the error text. */
	int card;				/* -1: in no card */
	int component;				/* its place in components; -1: the error is about what stands in it */
	const char *what;			/* "header", "button" … */
	int button, parameter;			/* -1: none; parameters are counted from 1 in texts */
};

int template_check(struct template_check *c, const json_t *payload);	/* payload in the Cloud API's form */
/* `return template_misfit(c, "…")` gives -1, as why_set() does. */
#define template_misfit(...) (template_complain(__VA_ARGS__), why_failed())
void template_complain(struct template_check *c, const char *fmt, ...) PRINTF(2, 3);
void template_warn(struct template_check *c, const char *fmt, ...) PRINTF(2, 3);

/* Values of parameters; type: what the parameter must be. */
int template_check_text(struct template_check *c, const struct template_text *t, const json_t *parameters, bool is_body);
int template_check_header(struct template_check *c, enum template_header kind, const json_t *parameters);
int template_check_button(struct template_check *c, const struct template_button *b, const json_t *parameters);
int template_check_offer(struct template_check *c, const json_t *parameters);

/* ---- the short form (template_short.c) ---------------------------------------------------------------------------------- */

json_t *template_expand(struct template_check *c, const json_t *payload);	/* in the Cloud API's form; NULL: why */
bool template_product_cards(const struct template_def *t);			/* their number may be another one than defined */

#endif
