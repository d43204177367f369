#include "io/acks.h"

#include "base/mem.h"

enum { SIZE_MIN = 64 };
enum ack_state { HOLE, OPEN, DUE };
struct ack_entry { uint64_t tag; enum ack_state state; };

void acks_init(struct acks *a)
{
	*a = (struct acks){ 0 };
}

void acks_release(struct acks *a)
{
	free(a->v);
	acks_init(a);
}

void acks_forget(struct acks *a)
{
	a->first = a->n = a->due = a->known = 0;
	a->is_behind_gap = false;
}

/* Holes go; an old delivery that stays open for long keeps no more than itself. */
static void make_room(struct acks *a)
{
	size_t n = 0;

	for (size_t i = a->first; i < a->n; i++)
		if (a->v[i].state != HOLE)
			a->v[n++] = a->v[i];
	a->first = 0;
	a->n = n;
	if (n < a->size / 2)
		return;
	a->size = a->size ? 2 * a->size : SIZE_MIN;
	a->v = mem_grow(a->v, a->size, sizeof(*a->v));
}

int acks_came(struct acks *a, uint64_t tag)
{
	if (a->n > a->first && tag <= a->v[a->n - 1].tag)
		return -1;
	if (a->n == a->size)
		make_room(a);
	a->v[a->n++] = (struct ack_entry){ tag, OPEN };
	a->known++;
	return 0;
}

static struct ack_entry *find_open(const struct acks *a, uint64_t tag)
{
	size_t from = a->first, to = a->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (a->v[middle].tag < tag)
			from = middle + 1;
		else
			to = middle;
	}
	return from < a->n && a->v[from].tag == tag && a->v[from].state == OPEN ? &a->v[from] : NULL;
}

static void skip_holes(struct acks *a)
{
	while (a->first < a->n && a->v[a->first].state == HOLE)
		a->first++;
}

static void forget(struct acks *a, size_t i)
{
	a->due -= a->v[i].state == DUE;
	a->known -= a->v[i].state != HOLE;
	a->v[i].state = HOLE;
}

bool acks_done(struct acks *a, uint64_t tag)
{
	struct ack_entry *e = find_open(a, tag);

	if (!e)
		return false;
	e->state = DUE;
	a->due++;
	return true;
}

bool acks_returned(struct acks *a, uint64_t tag)
{
	struct ack_entry *e = find_open(a, tag);

	if (!e)
		return false;
	forget(a, (size_t)(e - a->v));
	skip_holes(a);
	return true;
}

bool acks_take(struct acks *a, uint64_t *tag, bool *multiple)
{
	int n = 0;
	size_t i;

	if (!a->due)
		return false;
	for (i = a->first; i < a->n && a->v[i].state != OPEN; i++)
		if (a->v[i].state == DUE) {
			*tag = a->v[i].tag;
			n++;
			forget(a, i);
		}
	a->is_behind_gap = n == 0;
	for (; n == 0; i++)		/* one after the other */
		if (a->v[i].state == DUE) {
			*tag = a->v[i].tag;
			n++;
			forget(a, i);
		}
	skip_holes(a);
	*multiple = n > 1;
	return true;
}
