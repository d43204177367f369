/*
 * sandbox - everything one running wamd-sandbox owns.
 *
 * One process, one loop, one of these.  Rooms inside: link → conn → (h1 | h2) → call → route → node handlers
 * (messages, manage, oauth, tenant_service, state_manager,
 * control); beside them what the handlers ask: accounts, tokens, tenants, window, pair, catalogue,
 * assets, faults, ledger, stats,
 * and hooks, which posts webhooks by a client of its own.
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
	struct uploads *uploads;
	struct assets *assets;
	struct hooks *hooks;
	struct tenants *tenants;
	struct state_book *states;	/* what the state manager holds */
	struct strbuf tenant_token, state_token;	/* empty: tenant service, state manager ask for none */
	struct server *server;
	struct call *idle_calls;	/* call.c's pool */
	unsigned n_idle_calls;
};

struct sandbox *sandbox_new(const struct options *opt);	/* fatal() when something cannot be had */
int sandbox_run(struct sandbox *s);			/* until TERM or INT; the exit status */
void sandbox_free(struct sandbox **sp);
int64_t sandbox_now_us(void);				/* monotonic, fresh */
void sandbox_reset(struct sandbox *s);			/* ledger, counters, faults, limits, webhooks under way; configuration stays */

#endif
