#include "sandbox/hook_stats.h"

enum { STEPS = 8 };		/* in each power of two */

/* Below STEPS each microsecond has its own place. */
static int place_of(int64_t us)
{
	uint64_t v = us > 0 ? (uint64_t)us : 0;
	int power = 0;

	if (v < STEPS)
		return (int)v;
	while (v >= 2 * STEPS) {
		v >>= 1;
		power++;
	}
	int place = STEPS * (power + 1) + (int)(v - STEPS);
	return place < HOOK_TIMES ? place : HOOK_TIMES - 1;
}

/* The longest time that has this place. */
static int64_t time_of(int place)
{
	int power = place / STEPS - 1;

	if (place < STEPS)
		return place;
	return ((int64_t)(STEPS + place % STEPS + 1) << power) - 1;
}

void hook_stats_time(struct hook_stats *s, int64_t us)
{
	s->times[place_of(us)]++;
	s->n_times++;
	if (us > s->longest_us)
		s->longest_us = us;
}

int64_t hook_stats_percentile(const struct hook_stats *s, int percent)
{
	uint64_t wanted = (s->n_times * (uint64_t)percent + 99) / 100, seen = 0;

	for (int i = 0; i < HOOK_TIMES && wanted; i++) {
		seen += s->times[i];
		if (seen >= wanted)
			return time_of(i) < s->longest_us ? time_of(i) : s->longest_us;
	}
	return 0;
}

void hook_stats_print(const struct hook_stats *s, struct strbuf *out)
{
	const struct { const char *name; uint64_t n; } counts[] = {
		{ "news", s->news }, { "dropped", s->dropped }, { "duplicates", s->duplicates }, { "posts", s->posts }, { "retries", s->retries },
		{ "delivered", s->delivered }, { "refused", s->refused }, { "lost", s->lost }, { "delivered_news", s->delivered_news },
		{ "forgotten", s->forgotten },
	};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		strbuf_addf(out, "\"%s\":%llu,", counts[i].name, (unsigned long long)counts[i].n);
	strbuf_addf(out, "\"answer_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", (double)hook_stats_percentile(s, 50) / 1e3,
		    (double)hook_stats_percentile(s, 99) / 1e3, (double)s->longest_us / 1e3);
}
