/* hook_stats - what has been posted to the receivers of webhooks, and how long they took to answer. */
#ifndef SANDBOX_HOOK_STATS_H
#define SANDBOX_HOOK_STATS_H

#include "base/strbuf.h"

enum { HOOK_TIMES = 256 };

struct hook_stats {
	uint64_t news, dropped, duplicates;	/* statuses and changes that were planned; that never come; that come twice */
	uint64_t posts, retries;		/* webhooks sent; of these those sent again */
	uint64_t delivered, refused, lost;	/* answered with 200, with something else, not at all */
	uint64_t delivered_news, forgotten;	/* news in webhooks answered with 200; without an order when they were due */
	uint64_t times[HOOK_TIMES];		/* answers, by the logarithm of their time */
	uint64_t n_times;
	int64_t longest_us;
};

void hook_stats_time(struct hook_stats *s, int64_t us);
int64_t hook_stats_percentile(const struct hook_stats *s, int percent);	/* microseconds, at most an eighth too much; 0: none yet */
void hook_stats_print(const struct hook_stats *s, struct strbuf *out);	/* members, without braces */

#endif
