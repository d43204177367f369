/*
 * host - how Graph's host answers this machine: one breaker and the retry budget of all its senders, in the scoreboard.
 *
 * Why per machine and not in Redis: it speaks of this machine's way to Graph (names, routes, TLS), which another's does not
 * share, and it must be known at once and also while Redis is away.  What concerns one account is not its business: an answer
 * that throttles or refuses came over a good way.
 *
 * The breaker.  Closed, everything may go.  It opens when, of at least calls_min answers in the window, failed_percent failed;
 * then nothing may go for open_ms.  After that exactly one probe at a time is leased: its success closes the breaker, its
 * failure opens it again for twice as long, up to open_max_ms.  A prober that died is in the way for probe_ms, no longer.
 *
 * Each caller holds a pass, from host_may_send() to host_result() or host_give_back().  By it an answer is known for what it is:
 *   - of a POST from before the last closing: not counted, so that a crowd of old timeouts cannot open it again
 *   - of an ordinary POST while it is open: counted, but decides nothing; a probe asks what holds now, that one said what held then
 *   - of a probe whose lease is over: a success still closes, or a Graph slower than the lease would never be let in again;
 *     a failure is only counted if another one probes already
 *
 * Ownership: embedded in struct board, all zeros is closed and calm.  No locks: a process may die between any two instructions.
 * Transitions are exact, and each is told to one caller.  Counts are kept by the second, so the window ends up to a second early,
 * and the second in which the breaker closes is not judged.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdatomic.h>

#include "base/clock.h"

enum { HOST_CELLS = 16, HOST_WINDOW_MAX_MS = (HOST_CELLS - 1) * 1000 };

struct host_rules {
	int64_t window_ms;		/* 1000 … HOST_WINDOW_MAX_MS */
	int64_t open_ms, open_max_ms;	/* how long it stays open at first, and at most */
	int64_t probe_ms;		/* a probe's lease */
	int calls_min, failed_percent;	/* it opens at so many answers, so many of which failed; 1 …, 1 … 100 */
	int retry_percent;		/* retries for 100 first sends while in trouble; 100: no limit */
	int retry_floor;		/* retries in a second that always fit; 1 … */
};

struct host {
	_Atomic uint64_t state;			/* phase, number of the opening, times it opened again, a time; see host.c */
	_Atomic uint64_t answers[HOST_CELLS];	/* a second's: which, good, failed */
	_Atomic uint64_t sends[HOST_CELLS];	/* a second's: which, first sends, retries */
};

enum host_verdict { HOST_GO, HOST_PROBE, HOST_WAIT };
enum host_change { HOST_SAME, HOST_OPENED, HOST_CLOSED };
typedef uint64_t host_pass;		/* kept with the POST, looked into by nobody */

/* May one POST go?  GO, PROBE: *pass is set; PROBE: to this caller alone.  WAIT: ask again in *wait_ms, sooner does no harm. */
enum host_verdict host_may_send(struct host *h, const struct host_rules *r, mono_t now, host_pass *pass, int64_t *wait_ms);

/* Does the pass still hold?  Asked right before the first byte, by those who did something else after they got it. */
bool host_pass_holds(const struct host *h, mono_t now, host_pass pass);

/* How the POST ended.  failed: no connection, no whole answer in time, or a 5xx; all else shows that the way is good. */
enum host_change host_result(struct host *h, const struct host_rules *r, mono_t now, host_pass pass, bool failed);

/* The POST was not made after all: if it was the probe, the next caller may have it.  Instead of host_result(), never after it. */
void host_give_back(struct host *h, host_pass pass);

/*
 * The retry budget.  In trouble - of the answers in the window, more than retry_percent failed - retries get retry_percent of the
 * first sends in the window and retry_floor a second on top; otherwise all they want.  Taking is asking and counting in one, so
 * that a crowd that comes back together cannot go through before its first one is counted.  A probe needs no budget.
 */
void host_count_first(struct host *h, mono_t now);
bool host_take_retry(struct host *h, const struct host_rules *r, mono_t now) MUST_CHECK;

/* The operator's: open now for so long, then probes as ever; closed now, all forgotten.  What was leased before counts no more. */
enum host_change host_trip(struct host *h, mono_t now, int64_t for_ms);
enum host_change host_reset(struct host *h, mono_t now);

bool host_is_open(const struct host *h);	/* also while it probes */

struct host_view {
	bool is_open, is_probing;
	int64_t left_ms;		/* until a probe may go, or the lease is over; 0 when closed or due */
	int good, failed, first, retries;	/* in the window, also from before the last closing */
};
void host_look(const struct host *h, const struct host_rules *r, mono_t now, struct host_view *out);

#endif
