#include "base/history.h"

#include "base/board.h"

enum kind { COUNTED, SUMMED, P50 = 50, P95 = 95, P99 = 99 };

/* "of" is a counter, a gauge or a histogram, as the kind says. */
#define OF_COUNTED(of) COUNT_##of
#define OF_SUMMED(of) GAUGE_##of
#define OF_P50(of) HISTOGRAM_##of
#define OF_P95(of) HISTOGRAM_##of
#define OF_P99(of) HISTOGRAM_##of

static const struct { const char *name; enum kind kind; int of; } series[] = {
#define SERIES(ident, name, kind, of, help) { name, kind, OF_##kind(of) },
#include "tbl/history.h"
#undef SERIES
};

const char *history_name(enum history_series s)
{
	return series[s].name;
}

static uint64_t counted(const struct board *b, int counter)
{
	uint64_t sum = 0;

	for (int i = 0; i < BOARD_SLOTS; i++)
		sum += b->slots[i].counters[counter];
	return sum;
}

static int64_t summed(const struct board *b, int gauge)
{
	int64_t sum = 0;

	for (int i = 0; i < BOARD_SLOTS; i++)
		if (b->slots[i].pid)
			sum += b->slots[i].gauges[gauge];
	return sum;
}

/* What came to all histograms of a kind since the last sample. */
static void news_of(struct board *b, struct histogram_view news[HISTOGRAMS])
{
	for (int k = 0; k < HISTOGRAMS; k++) {
		struct histogram *last = &b->history.last_seen[k];

		news[k] = (struct histogram_view){ .sum_us = 0 };
		for (int i = 0; i < BOARD_SLOTS; i++)
			histogram_add(&news[k], &b->slots[i].histograms[k]);
		for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
			uint64_t now = news[k].buckets[i];

			news[k].buckets[i] -= last->buckets[i];
			last->buckets[i] = now;
		}
	}
}

static int64_t value_of(struct board *b, int s, const struct histogram_view *news, int64_t steps)
{
	uint64_t now, was;
	int64_t us;

	switch (series[s].kind) {
	case COUNTED:
		now = counted(b, series[s].of);
		was = b->history.last_counted[s];
		b->history.last_counted[s] = now;
		return (int64_t)(now - was) / steps;
	case SUMMED:
		return summed(b, series[s].of);
	case P50:
	case P95:
	case P99:
		us = histogram_quantile(&news[series[s].of], (enum histogram_kind)series[s].of, (int)series[s].kind);
		return us < 0 ? -1 : (us + 500) / 1000;
	}
	BUG("kind of series %d", s);
}

void history_take(struct board *b, int64_t now_ms)
{
	struct history *h = &b->history;
	struct histogram_view news[HISTOGRAMS];
	int64_t step = now_ms / HISTORY_STEP_MS, last = h->last_step, steps = last && step > last ? step - last : 1;
	struct history_sample *sample = &h->samples[step % HISTORY_STEPS];

	/* While a reload hands over there are two keepers: the first in a step takes it. */
	if (step == last || !atomic_compare_exchange_strong(&h->last_step, &last, step))
		return;
	news_of(b, news);
	sample->step = 0;
	for (int s = 0; s < SERIES_ALL; s++)
		sample->values[s] = value_of(b, s, news, steps);
	sample->step = step;
}

int64_t history_look(const struct board *b, int64_t at_ms, enum history_series s, int back)
{
	int64_t step = at_ms / HISTORY_STEP_MS - back;
	const struct history_sample *sample = &b->history.samples[step % HISTORY_STEPS];

	return step > 0 && sample->step == step ? sample->values[s] : -1;
}

int64_t history_newest_ms(const struct board *b, int64_t now_ms)
{
	int64_t step = now_ms / HISTORY_STEP_MS;

	return (b->history.last_step == step ? step : step - 1) * HISTORY_STEP_MS;
}
