#include "flow/backoff.h"

int64_t backoff_retry(const struct conf_steps *steps, int retry, uint64_t random)
{
	int due = retry < 1 ? 0 : retry > steps->n ? steps->n - 1 : retry - 1;

	/* A third of the crowd comes one step earlier: spread, yet never back to the start. */
	if (due > 1 && random % 3 == 0)
		due--;
	return steps->v[due];
}

int64_t backoff_wait(const struct conf_steps *steps, int64_t wait_ms)
{
	int64_t best = -1, shortest = steps->v[0];

	for (int i = 0; i < steps->n; i++) {
		if (steps->v[i] <= wait_ms && steps->v[i] > best)
			best = steps->v[i];
		if (steps->v[i] < shortest)
			shortest = steps->v[i];
	}
	return best < 0 ? shortest : best;
}

int64_t backoff_at_least(const struct conf_steps *steps, int64_t wait_ms)
{
	int64_t best = -1, last = steps->v[0];

	for (int i = 0; i < steps->n; i++) {
		if (steps->v[i] >= wait_ms && (best < 0 || steps->v[i] < best))
			best = steps->v[i];
		if (steps->v[i] > last)
			last = steps->v[i];
	}
	return best < 0 ? last : best;
}

bool backoff_is_left(const struct conf *c, int attempts, int code_max)
{
	return attempts <= c->retry_max && attempts <= code_max;
}
