/*
 * sandbox - everything one running wamd-sandbox owns.
 *
 * One process, one loop, one of these.  Rooms inside: link → conn → (h1 | h2) → call → route → node handlers
 * (messages, control); beside them what the handlers ask: accounts, window, pair, catalogue, faults, ledger, stats.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/loop.h"
#include "sandbox/accounts.h"
#include "sandbox/options.h"
#include "sandbox/stats.h"

struct call;

struct sandbox {
	const struct options *opt;
	struct loop *loop;
	struct accounts accounts;
	struct stats stats;
	struct ledger *ledger;
	struct faults *faults;
	struct pairs *pairs;
	struct catalogue *catalogue;
	struct server *server;
	struct call *idle_calls;	/* call.c's pool */
	unsigned n_idle_calls;
};

struct sandbox *sandbox_new(const struct options *opt);	/* fatal() when something cannot be had */
int sandbox_run(struct sandbox *s);			/* until TERM or INT; the exit status */
void sandbox_free(struct sandbox **sp);
int64_t sandbox_now_us(void);				/* monotonic, fresh */
void sandbox_reset(struct sandbox *s);			/* ledger, counters, faults, limits; configuration stays */

#endif
