#include "flow/blame.h"

void blame_note(struct blame *b, const struct account *a, bool failed, mono_t now)
{
	struct blame_seen *seen = failed ? b->failed : b->good;

	if (seen[0].who != a)
		seen[1] = seen[0];
	seen[0] = (struct blame_seen){ a, now };
}

static const struct blame_seen *of_others(const struct blame_seen *seen, const struct account *a)
{
	return &seen[seen[0].who == a];
}

bool blame_others_fail(const struct blame *b, const struct account *a, mono_t now, int64_t window_ms)
{
	const struct blame_seen *failed = of_others(b->failed, a);

	return failed->who && mono_diff_ms(now, failed->at) <= window_ms;
}

bool blame_is_graph(const struct blame *b, const struct account *a, mono_t now, int64_t window_ms)
{
	const struct blame_seen *good = of_others(b->good, a);

	return blame_others_fail(b, a, now, window_ms) && (!good->who || mono_before(good->at, of_others(b->failed, a)->at));
}
