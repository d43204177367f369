/* rules - what one table row cannot say: exclusive members, unique ids, totals, payloads chosen by a type. */
#ifndef SANDBOX_RULES_H
#define SANDBOX_RULES_H

#include "sandbox/validate.h"

/* Called when every member of the shape is fine by itself. */
typedef int rule_f(const json_t *o, const struct place *at, struct graph_error *e);

#define SHAPE(ident, rule) rule_f rule;
#define FIELD(...)
#define WORDS(...)
#define PART(...)
#include "sandbox/tbl_fields.h"
#undef SHAPE
#undef FIELD
#undef WORDS
#undef PART

rule_f rule_interactive;

#endif
