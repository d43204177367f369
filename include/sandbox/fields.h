/*
 * fields - what "fields=a,b,analytics.start(1).granularity(DAY)" asks for.
 *
 * An array of {"name": …, "args": {…}}: arguments are texts as they were written.
 */
#ifndef SANDBOX_FIELDS_H
#define SANDBOX_FIELDS_H

#include <jansson.h>

#include "base/strbuf.h"

json_t *fields_parse(const char *text, struct strbuf *why);	/* NULL with the reason; the caller's */
json_t *fields_list(const char *text);				/* ["a","b"] or a,b as texts; the caller's */

#endif
