/*
 * lane_count - how many messages wait in lanes, asked of the broker over a connection made for it.
 *
 * What a sender has in its hands does not count.  done() is called once, a turn of the loop later or more, and may free; ok is false
 * when the broker could not be reached within 5 s, went away, or did not answer within 20 s.
 */
#ifndef API_LANE_COUNT_H
#define API_LANE_COUNT_H

#include "base/loop.h"
#include "conf/conf.h"

struct lane_count;
struct lane_counted {
	const struct account *account;
	int64_t normal, high;		/* 0 also where there is no queue */
};

typedef void lane_count_done_f(void *arg, bool ok);

struct lane_count *lane_count_new(struct loop *l, const struct conf *c, struct lane_counted *lanes, int n,
				  lane_count_done_f *done, void *arg);
void lane_count_free(struct lane_count **cp);

#endif
