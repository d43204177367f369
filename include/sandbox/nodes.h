/*
 * nodes - what Graph says of a number and of a business account, field by field.
 *
 * Values are those of tbl_nodes.h until a test orders others.
 */
#ifndef SANDBOX_NODES_H
#define SANDBOX_NODES_H

#include <jansson.h>

#include "sandbox/accounts.h"

bool node_has_field(bool is_number, const char *name);
/* n NULL: the business account w, else its number n.  A new reference, or NULL: there is nothing to say. */
json_t *node_field(const struct waba *w, const struct number *n, const char *name);
json_t *node_default_fields(bool is_number);		/* as fields_parse() gives them */
/* An order: {"fields":{name: value, …},"health":{entity_type: {…}, …}}; null takes one back. */
int node_order(struct node *node, bool is_number, const json_t *order, struct strbuf *why) MUST_CHECK;

#endif
