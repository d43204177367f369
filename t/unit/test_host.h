/* test_host - rules, a clock and a look into the host, for its tests. */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include "unit.h"

#include "base/host.h"

static const struct host_rules rules = { .window_ms = 10000, .open_ms = 2000, .open_max_ms = 15000, .probe_ms = 10000,
					 .calls_min = 4, .failed_percent = 50, .retry_percent = 20, .retry_floor = 1 };

static inline mono_t at(int64_t ms)
{
	return (mono_t){ ms * 1000 };
}

static inline struct host_view look(const struct host *h, int64_t ms)
{
	struct host_view v;

	host_look(h, &rules, at(ms), &v);
	return v;
}

/* So many answers at ms, which do not open the breaker. */
static inline void answer(struct host *h, int64_t ms, int good, int bad)
{
	struct host_rules never = rules;
	host_pass pass;
	int64_t wait;

	never.failed_percent = 101;
	ck_assert_int_eq(host_may_send(h, &never, at(ms), &pass, &wait), HOST_GO);
	for (int i = 0; i < good; i++)
		host_result(h, &never, at(ms), pass, false);
	for (int i = 0; i < bad; i++)
		host_result(h, &never, at(ms), pass, true);
}

#endif
