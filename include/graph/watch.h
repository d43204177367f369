/*
 * watch - looks at a number and its health, compares with what the fleet knew last, and does what follows.
 *
 *   a watched fact is another (include/tbl/number_facts.h)   alert number_changed, one for each new value; that of the old one ends
 *   the number may not send                                  alert account_restricted, until it may again
 *   health says BLOCKED of number, business account, app or business    an automatic hold (src/lua/watch.lua), like that of an answer
 *   health says AVAILABLE or LIMITED                         ends such a hold: of number and business account whoever set it
 *   throughput                                               watch_rate_of() says what rate follows; the caller applies it
 *
 * What is seen the first time is no change.  Fetching and taking are apart: what is learnt otherwise is taken the same way.
 */
#ifndef GRAPH_WATCH_H
#define GRAPH_WATCH_H

#include "flow/alert.h"
#include "flow/registry.h"
#include "graph/jobs.h"
#include "graph/number.h"

/*
 * Answers with the number's document (graph/number.h), and in it
 * "changes":[{"fact":"quality","from":"GREEN","to":"RED"},…],"held":[field,…],"released":[field,…]
 */
void watch_run(struct graph *g, struct alerts *alerts, const struct graph_for *who);

/* facts: a number's document, or a part of it; copied. */
void watch_take(struct graph *g, struct alerts *alerts, const struct graph_for *who, const json_t *facts);

/* Messages a second at a throughput level of Graph's; only of rates that come from a tier (Meta: "Throughput"). */
int64_t watch_rate_of(const struct conf *c, const struct account *a, const char *level);

/* Takes over the rate that follows from a number's document; senders hear of it. */
void watch_apply_rate(const struct conf *c, struct registry *r, const struct account *a, const json_t *document);

/* The keeper's job that does all of this from time to time (graph/jobs.h). */
struct watches_options {
	struct graph *graph;
	struct jobs *jobs;
	struct registry *registry;
	struct alerts *alerts;
};
struct watches *watches_new(const struct watches_options *o);
void watches_free(struct watches **wp);			/* after graph and jobs */

/* Why the number may not send, or NULL: for alerts.  facts as above; out is the reason's place. */
const char *watch_restriction(const json_t *facts, struct strbuf *out);

#endif
