/*
 * window - how many events fell into the last second, and the most that ever did.
 *
 * Every event's time is kept while it is younger than a second, so the answer is exact for any sliding second,
 * not for whole seconds of the clock.  Times are monotonic microseconds and never go back.
 * Ownership: embedded; window_release() frees the ring.
 */
#ifndef SANDBOX_WINDOW_H
#define SANDBOX_WINDOW_H

#include "base/base.h"

struct window {
	int64_t *at;		/* ring */
	unsigned size;		/* a power of two, or 0 */
	unsigned head, len;
	unsigned most;
};

void window_release(struct window *w);		/* empty and usable again */
unsigned window_count(struct window *w, int64_t now_us);
void window_add(struct window *w, int64_t now_us);

/* May one more happen now when at most `limit` are allowed in any second?  limit 0: always. */
bool window_allows(struct window *w, unsigned limit, int64_t now_us);

#endif
