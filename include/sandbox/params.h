/*
 * params - what a call says besides its path and headers: query, form or JSON body, as one JSON object.
 *
 * Names and values of query and form are decoded texts; a member of a JSON body keeps its kind, and counts before the query's.
 */
#ifndef SANDBOX_PARAMS_H
#define SANDBOX_PARAMS_H

#include <jansson.h>

#include "base/base.h"

struct call;

json_t *params_parse(const char *query, const char *body, size_t len);	/* query NULL: none; the caller's */
const char *param_text(const json_t *params, const char *name);		/* NULL: not there, or no text */
int64_t param_number(const json_t *params, const char *name, int64_t fallback);	/* a number, or a text that is one */
size_t percent_decode(char *s, size_t len);				/* in place; returns the new length */

#endif
