/*
 * histogram - how often something took how long: fixed buckets of microseconds (include/tbl/histograms.h), atomics only.
 *
 * One process writes, anybody reads.  An observation is two relaxed adds and allocates nothing; the count is the sum of all buckets,
 * so a reader never sees one without the other.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>

#include "base/base.h"

enum histogram_kind {
#define HISTOGRAM(ident, name, buckets, help) HISTOGRAM_##ident,
#include "tbl/histograms.h"
#undef HISTOGRAM
	HISTOGRAMS
};

enum { HISTOGRAM_BUCKETS = 18 };		/* the most that any has, with the one without a bound */

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum_us;
};

/* The same as plain numbers, for those who read: sums of many, or differences. */
struct histogram_view { uint64_t buckets[HISTOGRAM_BUCKETS], sum_us; };

const char *histogram_name(enum histogram_kind k);
const int64_t *histogram_bounds(enum histogram_kind k, int *n);	/* microseconds, rising; bucket n has no bound */

void histogram_observe(struct histogram *h, enum histogram_kind k, int64_t us);	/* below 0: a clock has jumped, counts as 0 */
void histogram_add(struct histogram_view *v, const struct histogram *h);
uint64_t histogram_count(const struct histogram_view *v);

/* In microseconds, straight lines between the bounds; what is above the last counts as it.  -1: there is nothing. */
int64_t histogram_quantile(const struct histogram_view *v, enum histogram_kind k, int percent);

#endif
