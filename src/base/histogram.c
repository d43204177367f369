#include "base/histogram.h"

#define BUCKETS(ident, ...) static const int64_t bounds_##ident[] = { __VA_ARGS__ }; \
	_Static_assert(ARRAY_LEN(bounds_##ident) < HISTOGRAM_BUCKETS, "more buckets than HISTOGRAM_BUCKETS");
#include "tbl/buckets.h"
#undef BUCKETS

static const struct { const char *name; const int64_t *bounds; int n; } kinds[] = {
#define HISTOGRAM(ident, name, buckets, help) { name, bounds_##buckets, (int)ARRAY_LEN(bounds_##buckets) },
#include "tbl/histograms.h"
#undef HISTOGRAM
};

const char *histogram_name(enum histogram_kind k)
{
	return kinds[k].name;
}

const int64_t *histogram_bounds(enum histogram_kind k, int *n)
{
	*n = kinds[k].n;
	return kinds[k].bounds;
}

void histogram_observe(struct histogram *h, enum histogram_kind k, int64_t us)
{
	int i = 0;

	if (us < 0)
		us = 0;
	while (i < kinds[k].n && us > kinds[k].bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_us, (uint64_t)us, memory_order_relaxed);
}

void histogram_add(struct histogram_view *v, const struct histogram *h)
{
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		v->buckets[i] += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
	v->sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram_view *v)
{
	uint64_t n = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += v->buckets[i];
	return n;
}

int64_t histogram_quantile(const struct histogram_view *v, enum histogram_kind k, int percent)
{
	double rank = (double)histogram_count(v) * percent / 100, below = 0;

	if (rank <= 0)
		return -1;
	for (int i = 0; i < kinds[k].n; i++) {
		int64_t from = i ? kinds[k].bounds[i - 1] : 0;

		if (v->buckets[i] && below + (double)v->buckets[i] >= rank)
			return from + (int64_t)((double)(kinds[k].bounds[i] - from) * (rank - below) / (double)v->buckets[i]);
		below += (double)v->buckets[i];
	}
	return kinds[k].bounds[kinds[k].n - 1];
}
