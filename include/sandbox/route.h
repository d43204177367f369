/*
 * route - which handler answers a method and path.  A new Graph node is one line in tbl_routes.h.
 *
 * Patterns: "*" is any one segment, "v*" a segment that starts with v, "{template}" and "{media}" the id of one that was ever known;
 * the handler finds them, decoded, in call->seg.
 */
#ifndef SANDBOX_ROUTE_H
#define SANDBOX_ROUTE_H

#include "base/base.h"

struct call;

enum route_kind { ROUTE_SEND, ROUTE_GRAPH, ROUTE_TENANT, ROUTE_STATE, ROUTE_CONTROL };

enum {
#define ROUTE(ident, name, method, pattern, kind, handler) ROUTE_##ident##_INDEX,
#include "sandbox/tbl_routes.h"
#undef ROUTE
	ROUTES
};

struct route {
	const char *name, *method, *pattern;
	enum route_kind kind;
	void (*handle)(struct call *c);
};

extern const struct route routes[ROUTES];

void route_split(struct call *c);			/* fills seg from target */
const struct route *route_find(const struct call *c);	/* NULL: none */
void route_missing(struct call *c);			/* the answer when there is none */

#endif
