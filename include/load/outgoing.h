/*
 * outgoing - one message on its way from the feeder to the broker, and the line that is written once it is there.
 *
 * Ownership: outgoing_free() frees all of it; the JSON object `line` is what goes to the out file, without the time.
 */
#ifndef LOAD_OUTGOING_H
#define LOAD_OUTGOING_H

#include <jansson.h>

#include "base/list.h"
#include "base/strbuf.h"
#include "io/broker.h"

struct outgoing {
	struct list list;
	void *owner;
	json_t *line;			/* {"id", "tenant_id", "account_id", "to", "expect"?} */
	json_t *source;			/* what texts below point into; may be NULL */
	const char *message_id, *correlation_id;	/* properties; NULL: none */
	json_t *headers;		/* borrowed from source; NULL: none */
	int priority;			/* -1: none */
	char *body;
	size_t len;
	int64_t published_us;		/* wall time of the first copy's publish */
	int due, unconfirmed;		/* copies still to publish; copies at the broker */
};

struct outgoing *outgoing_new(void);
void outgoing_free(struct outgoing **op);
void outgoing_properties(const struct outgoing *o, struct broker_properties *p);

/* A line of `feed --stdin`; NULL with the reason when it is none. */
struct outgoing *outgoing_from_line(const char *line, size_t len, struct strbuf *why);

#endif
