/*
 * confirms - what became of each publish of one channel, by publish tag.
 *
 * Tags count from 1; the broker settles them in any order, one by one or up to a tag.  A ring from the oldest unsettled
 * tag to the newest; it grows.
 * Ownership: embedded; callbacks run inside confirms_settle() and confirms_lose_all() and may add.
 */
#ifndef IO_CONFIRMS_H
#define IO_CONFIRMS_H

#include "base/clock.h"
#include "io/broker.h"

struct confirm;
struct confirms {
	struct confirm *ring;		/* size is a power of two; tag t is at t & (size - 1) */
	uint64_t size;
	uint64_t first, next;		/* first: oldest unsettled, or next */
	unsigned pending;
};

void confirms_init(struct confirms *c);
void confirms_release(struct confirms *c);
uint64_t confirms_next(const struct confirms *c);	/* the tag that confirms_add() will give */
void confirms_add(struct confirms *c, mono_t now, broker_fate_f *done, void *arg);
int confirms_return(struct confirms *c, uint64_t tag) MUST_CHECK;	/* -1: no such pending publish */
int confirms_settle(struct confirms *c, uint64_t tag, bool multiple, bool ack) MUST_CHECK;	/* -1: a future tag */
bool confirms_oldest(const struct confirms *c, mono_t *at);	/* false: none pending */
void confirms_lose_all(struct confirms *c);			/* each gets BROKER_LOST; tags start at 1 again */

#endif
