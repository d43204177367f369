/* stats - counters since the start or the last reset, and their JSON. */
#ifndef SANDBOX_STATS_H
#define SANDBOX_STATS_H

#include "base/strbuf.h"
#include "sandbox/route.h"

enum { STATS_CODES = 128 };

struct sandbox;

struct stats {
	int64_t since_us;		/* monotonic */
	uint64_t posts, accepted, receipts, partial;
	uint64_t calls[ROUTES];		/* requests that came wholly, by route */
	uint64_t connections, h1, h2, accept_pauses;
	unsigned in_flight, max_in_flight, open_connections;
	struct { int code; uint64_t n; } refused[STATS_CODES];	/* sorted by first appearance */
	int n_refused;
};

void stats_reset(struct stats *s, int64_t now_us);	/* what is open or in flight stays */
void stats_refused(struct stats *s, int code);
void stats_print(const struct sandbox *s, struct strbuf *out);

#endif
