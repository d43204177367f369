/*
 * number - what Graph knows of a phone number, and its health, in one call.
 *
 * {"phone_number_id":"…","quality":"GREEN",…,"health":{…}}: names of include/tbl/number_facts.h, values Graph's; what Graph does not say
 * is left out.  health is that of graph/health.h.
 * Some apps may not read all fields: then those that Graph gives everybody are asked for.
 */
#ifndef GRAPH_NUMBER_H
#define GRAPH_NUMBER_H

#include "graph/calls.h"

enum number_fact {
#define FACT(ident, ...) FACT_##ident,
#include "tbl/number_facts.h"
#undef FACT
	FACTS
};
const char *number_fact_name(enum number_fact f);
const char *number_fact_words(enum number_fact f);
bool number_fact_is_watched(enum number_fact f);

void number_fetch(struct graph *g, const struct graph_for *who);

/* For listings: the query's fields (without health), and one number of the answer.  NULL: it has no id. */
void number_fields(bool default_only, struct strbuf *out);
json_t *number_document(const json_t *number);

#endif
