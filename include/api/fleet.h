/*
 * fleet - what Redis and the broker know of all accounts and queues, looked at every 15 s and kept for those who scrape: a reader waits
 * for nothing, and sees how old it is.
 *
 * One survey (api/survey.h) for holds and breakers, then one question a queue over a connection of its own.
 * Ownership: the keeper's; freed before the admin's surveys, as a survey under way ends with them.
 */
#ifndef API_FLEET_H
#define API_FLEET_H

#include "api/admin.h"
#include "flow/hold.h"
#include "flow/topology.h"

struct fleet;

struct fleet_account {
	const struct account *account;
	double rate_now, use;			/* use: of the last whole window, 1 is all */
	bool breaker_is_open, is_held, has_lane;
	int64_t waiting;			/* in its lane */
};

struct fleet_queue { const char *name; int64_t messages; };	/* name: the configuration's or the topology's */

/* Parts whose at_ms is 0 were never had. */
struct fleet_view {
	int64_t redis_at_ms, broker_at_ms;	/* Unix time */
	int64_t holds[HOLD_SCOPES], breakers_open, lanes_open, lane_messages, dead_letters, unknown, inputs;
	const struct fleet_queue *queues;
	int n_queues;
	const struct fleet_account *const *accounts;	/* the first of metrics.accounts; those with account NULL were not seen yet */
	int n_accounts, n_known;
};

struct fleet *fleet_new(struct admin *a, const struct topology *t);
void fleet_free(struct fleet **fp);
void fleet_look(const struct fleet *f, struct fleet_view *out);	/* valid until the next turn of the loop */

/* What waits in an account's lane now, asked of the broker over the connection that is there.  -1: it is away, done is not called. */
typedef void fleet_counted_f(void *arg, bool ok, int64_t normal, int64_t high);
int fleet_count_lane(const struct fleet *f, const struct account *a, fleet_counted_f *done, void *arg) MUST_CHECK;

#endif
