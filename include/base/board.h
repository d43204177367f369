/*
 * board - the scoreboard: one shared mapping with a slot for each child, atomics only, no locks.
 *
 * Made by the supervisor before the first fork (an anonymous memfd, so that an exec in place hands it over); children
 * write their own slot, anybody reads.  Counters outlive the child: a replacement goes on counting in the same slot.
 */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/histogram.h"
#include "base/history.h"
#include "base/host.h"
#include "base/outcome.h"

enum counter {
#define COUNTER(ident, name, help) COUNT_##ident,
#include "tbl/counters.h"
#undef COUNTER
	COUNTERS
};

enum gauge {
#define GAUGE(ident, name, help) GAUGE_##ident,
#include "tbl/gauges.h"
#undef GAUGE
	GAUGES
};

/* How many there are of what counters are kept apart by. */
enum {
	BOARD_OUTCOMES = 0
#define OUTCOME(ident, name, help) + 1
#include "tbl/outcomes.h"
#undef OUTCOME
	,
	BOARD_SCOPES = 1		/* SCOPE_NONE */
#define SCOPE(ident, name, help) + 1
#include "tbl/scopes.h"
#undef SCOPE
	,
	BOARD_REASONS = 1		/* none, or one of an older version */
#define REASON(ident, code, help) + 1
#include "tbl/reasons.h"
#undef REASON
};

/* The tiers of limit.tiers that there were since the start, for counters by tier: an index stays a tier's for ever. */
enum { BOARD_TIERS = 18, BOARD_TIER_NONE = 0, BOARD_TIER_OTHER = 17, BOARD_TIER_LEN = 32 };

const char *counter_name(enum counter c);
const char *gauge_name(enum gauge g);

enum { BOARD_SLOTS = 160, BOARD_ROLE_LEN = 16 };

struct board_slot {
	_Atomic int pid;			/* 0: free */
	_Atomic int number;			/* sender[number] */
	_Atomic int generation;			/* of the configuration it runs */
	_Atomic int draining;
	_Atomic int64_t started_ms;		/* Unix time */
	_Atomic uint64_t crashes;
	char role[BOARD_ROLE_LEN];		/* written by the supervisor before the fork */
	_Atomic uint64_t counters[COUNTERS];
	_Atomic int64_t gauges[GAUGES];
	struct histogram histograms[HISTOGRAMS];
	_Atomic uint64_t answers[BOARD_TIERS][BOARD_OUTCOMES];	/* what came of POSTs, by the account's tier */
	_Atomic uint64_t errors[BOARD_SCOPES][BOARD_OUTCOMES];	/* of those: Graph's error codes, by what they say is in trouble */
	_Atomic uint64_t dead[BOARD_REASONS];			/* dead letters, by enum reason */
};

struct board {
	uint32_t layout;			/* of this program: what is in it, and in which order; another one is not read */
	uint32_t size;
	_Atomic int supervisor_pid;
	_Atomic int generation;
	_Atomic int senders_wanted;
	_Atomic int log_level;			/* what an operator wants, plus 1; 0: as it is configured */
	_Atomic int64_t started_ms, reloaded_ms;
	_Atomic uint64_t reloads, reloads_refused, upgrades, upgrades_refused, crashes, crash_loops;
	char refusal[512];			/* why the last reload or upgrade was refused; written before its counter grows */
	char restart[512];			/* settings that the last reload found changed and that want a restart; with a blank behind each */
	_Atomic uint64_t tenants_changed;	/* grows when a known tenant or a token is another one now: senders ask the keeper */
	_Atomic uint64_t templates_changed;	/* grows when a catalogue was fetched: senders look whether it is another one */
	struct host host;			/* how Graph answers this machine */
	char tiers[BOARD_TIERS][BOARD_TIER_LEN];	/* written by the supervisor before the forks; "": free */
	struct history history;
	struct board_slot slots[BOARD_SLOTS];
};

struct board *board_new(int *fd);		/* fd: of its mapping, to be handed over; closed at exec */
struct board *board_adopt(int fd);		/* one that another program has made, NULL: of another layout */
struct board_slot *board_take(struct board *b, const char *role, int number);	/* the free slot this role and number had, else a new one */

void board_add_tier(struct board *b, const char *name, size_t len);	/* supervisor only */
int board_tier(const struct board *b, const char *name);	/* NULL: the account has a rate of its own.  OTHER: there were too many */

static inline void board_count(struct board_slot *s, enum counter c)
{
	atomic_fetch_add_explicit(&s->counters[c], 1, memory_order_relaxed);
}
static inline void board_count_in(_Atomic uint64_t *counter)		/* one of those that are kept apart */
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}
static inline void board_gauge(struct board_slot *s, enum gauge g, int64_t v)
{
	atomic_store_explicit(&s->gauges[g], v, memory_order_relaxed);
}
static inline void board_observe(struct board_slot *s, enum histogram_kind k, int64_t us)
{
	histogram_observe(&s->histograms[k], k, us);
}

#endif
