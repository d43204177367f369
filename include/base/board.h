/*
 * board - the scoreboard: one shared mapping with a slot for each child, atomics only, no locks.
 *
 * Made by the supervisor before the first fork (an anonymous memfd, so that an exec in place can hand it over later); children
 * write their own slot, anybody reads.  Counters outlive the child: a replacement goes on counting in the same slot.
 */
#ifndef BASE_BOARD_H
#define BASE_BOARD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/host.h"

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
};

struct board {
	uint32_t layout;			/* BOARD_LAYOUT: another one is not read */
	uint32_t size;
	_Atomic int supervisor_pid;
	_Atomic int generation;
	_Atomic int senders_wanted;
	_Atomic int64_t started_ms, reloaded_ms;
	_Atomic uint64_t reloads, reloads_refused, crashes, crash_loops;
	char refusal[512];			/* why the last reload was refused; written before reloads_refused grows */
	struct host host;			/* how Graph answers this machine */
	struct board_slot slots[BOARD_SLOTS];
};

struct board *board_new(void);
struct board_slot *board_take(struct board *b, const char *role, int number);	/* the free slot this role and number had, else a new one */

static inline void board_count(struct board_slot *s, enum counter c)
{
	atomic_fetch_add_explicit(&s->counters[c], 1, memory_order_relaxed);
}
static inline void board_gauge(struct board_slot *s, enum gauge g, int64_t v)
{
	atomic_store_explicit(&s->gauges[g], v, memory_order_relaxed);
}

#endif
