#include "base/host.h"

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock of one process is none between processes");

/* ---- cells: one second's two counts in one word, so that a cell turns to a new second together with its counts ---- */

enum { COUNT_MAX = 0xffff };		/* counts stop there: 65535 a second */

struct sums { int left, right; };

static uint32_t cell_second(uint64_t cell)
{
	return (uint32_t)(cell >> 32);
}

static struct sums cell_counts(uint64_t cell)
{
	return (struct sums){ .left = (int)(cell >> 16 & COUNT_MAX), .right = (int)(cell & COUNT_MAX) };
}

static uint32_t second_of(mono_t t)
{
	return (uint32_t)(t.us / 1000000);
}

/* What the cell is after one more in this second.  Who is a whole ring behind the others changes nothing. */
static uint64_t cell_with(uint64_t cell, uint32_t second, bool right)
{
	struct sums n = cell_counts(cell);

	if (cell_second(cell) > second)
		return cell;
	if (cell_second(cell) < second)
		n = (struct sums){ 0, 0 };
	n.left += !right && n.left < COUNT_MAX;
	n.right += right && n.right < COUNT_MAX;
	return (uint64_t)second << 32 | (uint64_t)n.left << 16 | (uint64_t)n.right;
}

static void ring_add(_Atomic uint64_t *ring, mono_t now, bool right)
{
	uint32_t second = second_of(now);
	_Atomic uint64_t *cell = &ring[second % HOST_CELLS];
	uint64_t seen = atomic_load(cell);

	while (!atomic_compare_exchange_weak(cell, &seen, cell_with(seen, second, right)))
		;
}

/* The window is the second of now and those before it. */
static uint32_t window_seconds(const struct host_rules *r)
{
	int64_t n = (r->window_ms + 999) / 1000;

	return n < 1 ? 1 : n >= HOST_CELLS ? HOST_CELLS - 1 : (uint32_t)n;
}

/* In the window, and later than second `after`. */
static struct sums ring_sum(const _Atomic uint64_t *ring, const struct host_rules *r, mono_t now, uint32_t after)
{
	uint32_t last = second_of(now), n = window_seconds(r);
	struct sums sum = { 0, 0 };

	for (uint32_t second = last; second > after && last - second < n; second--) {
		uint64_t cell = atomic_load(&ring[second % HOST_CELLS]);
		struct sums one = cell_counts(cell);

		if (cell_second(cell) != second)
			continue;
		sum.left += one.left;
		sum.right += one.right;
	}
	return sum;
}

/* ---- the state: one word, because whoever changes it must have seen all of it ---- */

/* CLOSED: at is when it closed.  OPEN: at is when a probe may go.  PROBING: at is when its lease is over. */
enum phase { CLOSED, OPEN, PROBING };

enum { AT_BITS = 40, OPENING_BITS = 16, STEP_BITS = 6, STEP_MAX = 20 };	/* 40 bits of ms: 34 years of uptime */

struct state {
	enum phase phase;
	unsigned step;			/* how often probes have failed: doubles the time */
	unsigned opening;		/* grows with each closing, trip and reset: whose pass is it? */
	int64_t at_ms;
};

static int64_t ms_of(mono_t t)
{
	return t.us / 1000;
}

static uint64_t pack(enum phase phase, unsigned step, unsigned opening, int64_t at_ms)
{
	int64_t last = ((int64_t)1 << AT_BITS) - 1, at = at_ms < 0 ? 0 : at_ms > last ? last : at_ms;

	return (uint64_t)phase << (AT_BITS + OPENING_BITS + STEP_BITS) | (uint64_t)step << (AT_BITS + OPENING_BITS) |
	       (uint64_t)(opening & ((1U << OPENING_BITS) - 1)) << AT_BITS | (uint64_t)at;
}

static struct state unpack(uint64_t word)
{
	return (struct state){
		.phase = (enum phase)(word >> (AT_BITS + OPENING_BITS + STEP_BITS)),
		.step = (unsigned)(word >> (AT_BITS + OPENING_BITS) & ((1U << STEP_BITS) - 1)),
		.opening = (unsigned)(word >> AT_BITS & ((1U << OPENING_BITS) - 1)),
		.at_ms = (int64_t)(word & (((uint64_t)1 << AT_BITS) - 1)),
	};
}

static int64_t open_time(const struct host_rules *r, unsigned step)
{
	int64_t ms = r->open_ms << step;

	return ms < r->open_max_ms ? ms : r->open_max_ms;
}

/* ---- what may go ---- */

enum { ASK_AGAIN_MS = 250 };		/* a probe is mostly answered long before its lease is over */

static int64_t at_most(int64_t ms, int64_t most)
{
	return ms < most ? ms : most;
}

enum host_verdict host_may_send(struct host *h, const struct host_rules *r, mono_t now, host_pass *pass, int64_t *wait_ms)
{
	uint64_t word = atomic_load(&h->state);

	for (;;) {
		struct state s = unpack(word);
		int64_t left = s.at_ms - ms_of(now);
		uint64_t probing;

		if (s.phase == CLOSED) {
			*pass = word;
			return HOST_GO;
		}
		if (left > 0) {
			*wait_ms = s.phase == PROBING ? at_most(left, ASK_AGAIN_MS) : left;
			return HOST_WAIT;
		}
		probing = pack(PROBING, s.step, s.opening, ms_of(now) + r->probe_ms);
		if (atomic_compare_exchange_weak(&h->state, &word, probing)) {
			*pass = probing;
			return HOST_PROBE;
		}
	}
}

bool host_pass_holds(const struct host *h, mono_t now, host_pass pass)
{
	struct state s = unpack(pass);

	return atomic_load(&h->state) == pass && (s.phase == CLOSED || ms_of(now) < s.at_ms);
}

void host_give_back(struct host *h, host_pass pass)
{
	struct state s = unpack(pass);

	if (s.phase == PROBING)
		(void)atomic_compare_exchange_strong(&h->state, &pass, pack(OPEN, s.step, s.opening, 0));
}

/* ---- what came of it ---- */

static bool too_many_failed(const struct host *h, const struct host_rules *r, mono_t now, struct state closed)
{
	struct sums n = ring_sum(h->answers, r, now, (uint32_t)(closed.at_ms / 1000));
	int64_t all = (int64_t)n.left + n.right;

	return all >= r->calls_min && (int64_t)n.right * 100 >= all * r->failed_percent;
}

static enum host_change open_if_bad(struct host *h, const struct host_rules *r, mono_t now, host_pass pass)
{
	struct state s = unpack(pass);
	uint64_t open = pack(OPEN, 0, s.opening, ms_of(now) + open_time(r, 0));

	if (!too_many_failed(h, r, now, s))
		return HOST_SAME;
	return atomic_compare_exchange_strong(&h->state, &pass, open) ? HOST_OPENED : HOST_SAME;
}

static void open_again(struct host *h, const struct host_rules *r, mono_t now, host_pass pass)
{
	struct state s = unpack(pass);
	unsigned step = s.step < STEP_MAX ? s.step + 1 : STEP_MAX;

	(void)atomic_compare_exchange_strong(&h->state, &pass, pack(OPEN, step, s.opening, ms_of(now) + open_time(r, step)));
}

static enum host_change close_after(struct host *h, mono_t now, host_pass pass)
{
	unsigned opening = unpack(pass).opening;
	uint64_t word = atomic_load(&h->state), closed = pack(CLOSED, 0, opening + 1, ms_of(now));

	while (unpack(word).phase != CLOSED && unpack(word).opening == opening)
		if (atomic_compare_exchange_weak(&h->state, &word, closed))
			return HOST_CLOSED;
	return HOST_SAME;
}

enum host_change host_result(struct host *h, const struct host_rules *r, mono_t now, host_pass pass, bool failed)
{
	uint64_t word = atomic_load(&h->state);

	if (unpack(word).phase == CLOSED && word != pass)
		return HOST_SAME;	/* from before the last closing */
	ring_add(h->answers, now, failed);
	if (unpack(pass).phase == CLOSED)
		return failed ? open_if_bad(h, r, now, pass) : HOST_SAME;
	if (!failed)
		return close_after(h, now, pass);
	open_again(h, r, now, pass);
	return HOST_SAME;
}

/* ---- the retry budget ---- */

static bool in_trouble(const struct host *h, const struct host_rules *r, mono_t now)
{
	struct sums n = ring_sum(h->answers, r, now, 0);

	return (int64_t)n.right * 100 > ((int64_t)n.left + n.right) * r->retry_percent;
}

static bool one_more_fits(const struct host *h, const struct host_rules *r, mono_t now)
{
	struct sums n = ring_sum(h->sends, r, now, 0);
	int64_t floor = (int64_t)r->retry_floor * window_seconds(r);

	return ((int64_t)n.right + 1 - floor) * 100 <= (int64_t)n.left * r->retry_percent;
}

void host_count_first(struct host *h, mono_t now)
{
	ring_add(h->sends, now, false);
}

bool host_take_retry(struct host *h, const struct host_rules *r, mono_t now)
{
	uint32_t second = second_of(now);
	_Atomic uint64_t *cell = &h->sends[second % HOST_CELLS];
	bool limited = in_trouble(h, r, now);
	uint64_t seen = atomic_load(cell);

	/* The cell as it was before the sum: if another one was counted since then, it is asked again. */
	do
		if (limited && !one_more_fits(h, r, now))
			return false;
	while (!atomic_compare_exchange_weak(cell, &seen, cell_with(seen, second, true)));
	return true;
}

/* ---- the operator ---- */

static enum phase replace(struct host *h, enum phase phase, int64_t at_ms)
{
	uint64_t word = atomic_load(&h->state);

	while (!atomic_compare_exchange_weak(&h->state, &word, pack(phase, 0, unpack(word).opening + 1, at_ms)))
		;
	return unpack(word).phase;
}

enum host_change host_trip(struct host *h, mono_t now, int64_t for_ms)
{
	return replace(h, OPEN, ms_of(now) + for_ms) == CLOSED ? HOST_OPENED : HOST_SAME;
}

enum host_change host_reset(struct host *h, mono_t now)
{
	return replace(h, CLOSED, ms_of(now)) == CLOSED ? HOST_SAME : HOST_CLOSED;
}

bool host_is_open(const struct host *h)
{
	return unpack(atomic_load(&h->state)).phase != CLOSED;
}

void host_look(const struct host *h, const struct host_rules *r, mono_t now, struct host_view *out)
{
	struct state s = unpack(atomic_load(&h->state));
	struct sums answers = ring_sum(h->answers, r, now, 0), sends = ring_sum(h->sends, r, now, 0);
	int64_t left = s.at_ms - ms_of(now);

	*out = (struct host_view){
		.is_open = s.phase != CLOSED, .is_probing = s.phase == PROBING && left > 0,
		.left_ms = s.phase != CLOSED && left > 0 ? left : 0,
		.good = answers.left, .failed = answers.right, .first = sends.left, .retries = sends.right,
	};
}
