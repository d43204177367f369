#include "base/rand.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <sys/random.h>

static uint8_t pool[512];
static size_t left;

void rand_after_fork(void)
{
	left = 0;	/* or parent and child would hand out the same bytes */
}

static void refill(void)
{
	size_t have = 0;

	while (have < sizeof(pool)) {
		ssize_t n = getrandom(pool + have, sizeof(pool) - have, 0);

		if (n < 0 && errno != EINTR)
			fatal(EX_OSERR, "getrandom: %s", strerror(errno));
		if (n > 0)
			have += (size_t)n;
	}
	left = sizeof(pool);
}

void rand_bytes(void *out, size_t n)
{
	uint8_t *o = out;

	while (n) {
		size_t take;

		if (!left)
			refill();
		take = n < left ? n : left;
		left -= take;
		memcpy(o, pool + left, take);
		memset(pool + left, 0, take);
		o += take;
		n -= take;
	}
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

int64_t rand_between(int64_t lo, int64_t hi)
{
	if (hi <= lo)
		return lo;
	return lo + (int64_t)(rand_u64() % ((uint64_t)(hi - lo) + 1));
}
