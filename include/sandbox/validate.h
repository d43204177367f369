/*
 * validate - is this body one that Meta takes?
 *
 * Members, kinds and limits are tbl_fields.h; rules over several members are small functions in rules.c.  Nothing here is
 * shared with wamd: two readings of the documentation must agree, or a test fails.
 */
#ifndef SANDBOX_VALIDATE_H
#define SANDBOX_VALIDATE_H

#include <jansson.h>
#include "sandbox/graph.h"
#include "sandbox/recipient.h"

enum shape {
	SHAPE_NONE,
#define SHAPE(ident, rule) SHAPE_##ident,
#define FIELD(...)
#define WORDS(...)
#define PART(...)
#include "sandbox/tbl_fields.h"
#undef SHAPE
#undef FIELD
#undef WORDS
#undef PART
	SHAPES
};

/* What was understood of a body; the strings live in its JSON. */
struct message_facts {
	const char *to;			/* as it was written; "" when there is none */
	struct recipient recipient;
	const char *type;		/* "" unknown, "read" for receipts */
	const char *callback;
	const char *text;		/* of a text message, else NULL */
	size_t text_len;
	const json_t *payload;
	bool receipt;
};

void validate_setup(void);	/* once at start */

/* 0, or -1 with code and details in e; facts hold what could be understood in both cases. */
int validate_message(const json_t *body, struct message_facts *facts, struct graph_error *e) MUST_CHECK;

/* For rules.c: a place in the body, printed as Meta does: interactive['action']['buttons'][0]. */
struct place { const struct place *up; const char *name; size_t index; };
int validate_shape(enum shape shape, const json_t *value, const struct place *at, struct graph_error *e) MUST_CHECK;
int validate_fail(struct graph_error *e, int code, const struct place *at, const char *member, const char *what) MUST_CHECK;

#endif
