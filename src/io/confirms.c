#include "io/confirms.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_SIZE = 256 };

enum confirm_state { SETTLED, PENDING, RETURNED };

struct confirm {
	broker_fate_f *done;
	void *arg;
	mono_t at;
	enum confirm_state state;
};

void confirms_init(struct confirms *c)
{
	*c = (struct confirms){ .first = 1, .next = 1 };
}

void confirms_release(struct confirms *c)
{
	free(c->ring);
	confirms_init(c);
}

static struct confirm *slot(const struct confirms *c, uint64_t tag)
{
	return &c->ring[tag & (c->size - 1)];
}

static bool is_pending(const struct confirms *c, uint64_t tag)
{
	return tag >= c->first && tag < c->next && slot(c, tag)->state != SETTLED;
}

static void grow(struct confirms *c)
{
	struct confirms bigger = *c;

	bigger.size = c->size ? c->size * 2 : FIRST_SIZE;
	bigger.ring = mem_array(bigger.size, sizeof(*bigger.ring));
	for (uint64_t t = c->first; t < c->next; t++)
		*slot(&bigger, t) = *slot(c, t);
	free(c->ring);
	*c = bigger;
}

uint64_t confirms_next(const struct confirms *c)
{
	return c->next;
}

void confirms_add(struct confirms *c, mono_t now, broker_fate_f *done, void *arg)
{
	if (c->next - c->first == c->size)
		grow(c);
	*slot(c, c->next++) = (struct confirm){ done, arg, now, PENDING };
	c->pending++;
}

int confirms_return(struct confirms *c, uint64_t tag)
{
	if (!is_pending(c, tag))
		return -1;
	slot(c, tag)->state = RETURNED;
	return 0;
}

/* The slot is free before its callback runs: that may add, and the ring may move. */
static void settle_one(struct confirms *c, uint64_t tag, enum broker_fate fate)
{
	struct confirm was = *slot(c, tag);

	slot(c, tag)->state = SETTLED;
	c->pending--;
	while (c->first < c->next && slot(c, c->first)->state == SETTLED)
		c->first++;
	if (was.done)
		was.done(was.arg, was.state == RETURNED && fate == BROKER_CONFIRMED ? BROKER_RETURNED : fate);
}

int confirms_settle(struct confirms *c, uint64_t tag, bool multiple, bool ack)
{
	enum broker_fate fate = ack ? BROKER_CONFIRMED : BROKER_NACKED;

	if (tag == 0 && multiple)
		tag = c->next - 1;	/* AMQP's word for "all of them" */
	if (tag >= c->next)
		return -1;
	for (uint64_t t = multiple ? c->first : tag; t <= tag; t++)
		if (is_pending(c, t))
			settle_one(c, t, fate);
	return 0;
}

bool confirms_oldest(const struct confirms *c, mono_t *at)
{
	if (c->pending == 0)
		return false;
	*at = slot(c, c->first)->at;
	return true;
}

void confirms_lose_all(struct confirms *c)
{
	struct confirms lost = *c;

	confirms_init(c);
	for (uint64_t t = lost.first; t < lost.next; t++) {
		const struct confirm *p = slot(&lost, t);

		if (p->state != SETTLED && p->done)
			p->done(p->arg, BROKER_LOST);
	}
	confirms_release(&lost);
}
