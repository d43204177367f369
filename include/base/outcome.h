/*
 * outcome - the classes of what came of a POST (include/tbl/outcomes.h), what an error says is in trouble (include/tbl/scopes.h),
 * and the operator's own classes for Graph's codes.
 */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

#include "base/base.h"

enum outcome {
#define OUTCOME(ident, name, help) OUTCOME_##ident,
#include "tbl/outcomes.h"
#undef OUTCOME
};
const char *outcome_name(enum outcome o);

enum scope {
	SCOPE_NONE,
#define SCOPE(ident, name, help) SCOPE_##ident,
#include "tbl/scopes.h"
#undef SCOPE
};
const char *scope_name(enum scope s);		/* "" for none */

enum reaction {
#define REACTION(ident, name, help) REACTION_##ident,
#include "tbl/reactions.h"
#undef REACTION
};

enum { ERROR_CLASSES_MAX = 16 };
struct error_class { int code; enum outcome outcome; };
struct error_classes { struct error_class v[ERROR_CLASSES_MAX]; int n; };	/* sorted by code, each once */

/* "131026=server": a code of 0 … 2147483647; server, throttled, held or refused */
int error_class_parse(const char *text, struct error_class *out) MUST_CHECK;
int error_classes_add(struct error_classes *e, struct error_class one) MUST_CHECK;	/* -1: the code is there; never call it full */
const struct error_class *error_classes_find(const struct error_classes *e, int code);	/* NULL: not there */

#endif
