/*
 * route - which handler answers a method and path.  A new Graph node is one line in the table.
 *
 * Patterns: "*" is any one segment, "v*" a segment that starts with v; the handler finds them in call->seg.
 */
#ifndef SANDBOX_ROUTE_H
#define SANDBOX_ROUTE_H

#include "base/base.h"

struct call;

enum { ROUTE_IS_SEND = BIT(0) };	/* counted, logged, open to faults */

struct route {
	const char *method;
	const char *pattern;
	void (*handle)(struct call *c);
	unsigned flags;
};

void route_split(struct call *c);			/* fills seg from target */
const struct route *route_find(const struct call *c);	/* NULL: none */
void route_missing(struct call *c);			/* the answer when there is none */

#endif
