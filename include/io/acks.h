/*
 * acks - which deliveries of one channel are still to be acked, by delivery tag, and how that is said in the fewest words.
 *
 * The broker takes an ack for one delivery, or for all up to a tag.  Tags come in order; whatever is done with is gathered, and
 * what is done without a gap is acked at once (each ack costs the broker a message to the queue's process).  Nothing waits for a
 * gap to close: behind it each is acked alone.
 * Ownership: embedded.
 */
#ifndef IO_ACKS_H
#define IO_ACKS_H

#include "base/base.h"

struct ack_entry;
struct acks {
	struct ack_entry *v;		/* by tag; those that are done with leave holes */
	size_t first, n, size;		/* of v: first is the oldest that is not a hole, or n */
	size_t due, known;		/* to be acked; not yet done with, due ones included */
	bool is_behind_gap;		/* the last ack was: waiting for more would not make it speak for more */
};

void acks_init(struct acks *a);
void acks_release(struct acks *a);
void acks_forget(struct acks *a);				/* the channel is another one: tags start again */
int acks_came(struct acks *a, uint64_t tag) MUST_CHECK;		/* -1: not after the one before */
bool acks_done(struct acks *a, uint64_t tag);			/* to be acked; false: no such delivery is open */
bool acks_returned(struct acks *a, uint64_t tag);		/* said otherwise (nack); false: likewise */
/* The next ack to write, for all up to the tag if multiple; false: that was all. */
bool acks_take(struct acks *a, uint64_t *tag, bool *multiple);

#endif
