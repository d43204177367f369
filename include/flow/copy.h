/*
 * copy - a message published again by us: what it carries, and the form in which it waits in Redis after it was sent, sealed, for the
 * case that Meta says later that it failed.
 *
 * A copy is the message as it came, with its own headers but ours and the broker's, and its hop.
 */
#ifndef FLOW_COPY_H
#define FLOW_COPY_H

#include "conf/conf.h"
#include "io/broker.h"
#include "msg/hop.h"
#include "msg/identity.h"

struct delivery;

/* Borrows from in, and from text, which is made here.  A hop of kind HOP_NONE: a later version's travels on untouched. */
void copy_properties(const struct broker_properties *in, int priority, const struct hop *hop, char text[HOP_TEXT_MAX],
		     struct broker_properties *out);

/* Whether and what settle stores of a message that was sent; nothing is appended where nothing is. */
void copy_seal(const struct delivery *d, struct strbuf *out);

struct copy {				/* points into what it was read from */
	struct broker_properties props;	/* its texts end with a NUL */
	int priority;
	int64_t first_seen_ms;
	int hops;
	const void *body;
	size_t len;
};
int copy_read(struct copy *c, const void *data, size_t len) MUST_CHECK;	/* -1: written by a later version, or by nobody */
void copy_write(const struct copy *c, struct strbuf *out);

#endif
