/*
 * catalogue - the templates a test has posted to /_sandbox/templates.
 *
 * Empty: every well-formed template is accepted.  Else name and language must be in it and APPROVED, and the number of body parameters
 * must be the posted one where one was posted.
 */
#ifndef SANDBOX_CATALOGUE_H
#define SANDBOX_CATALOGUE_H

#include <jansson.h>
#include "sandbox/graph.h"

struct catalogue;

struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue **cp);
void catalogue_clear(struct catalogue *c);
/* One object or an array of {waba_id?, name, language, status?, body_parameters?}; all or nothing. */
int catalogue_add(struct catalogue *c, const char *json, size_t len, struct strbuf *why) MUST_CHECK;
int catalogue_check(const struct catalogue *c, const char *waba, const json_t *template, struct graph_error *e) MUST_CHECK;

#endif
