#include "sandbox/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/strmap.h"

enum { FIRST_SIZE = 1024 };

struct slot { uint64_t key; int64_t due_us; };	/* key 0: free; due: when everything lent is repaid */

struct pairs { struct slot *slots; size_t size, used; };

struct pairs *pairs_new(void)
{
	struct pairs *p = mem_alloc(sizeof(*p));

	pairs_reset(p);
	return p;
}

void pairs_free(struct pairs **pp)
{
	if (!*pp)
		return;
	free((*pp)->slots);
	free(*pp);
	*pp = NULL;
}

void pairs_reset(struct pairs *p)
{
	free(p->slots);
	p->slots = mem_array(FIRST_SIZE, sizeof(*p->slots));
	p->size = FIRST_SIZE;
	p->used = 0;
}

static struct slot *find(struct slot *slots, size_t size, uint64_t key)
{
	size_t i = key & (size - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

/* Keeps only pairs that still owe something; doubles the table when most of them do. */
static void rebuild(struct pairs *p, int64_t now_us)
{
	size_t alive = 0;

	for (size_t i = 0; i < p->size; i++)
		alive += p->slots[i].key && p->slots[i].due_us > now_us;
	size_t size = alive > p->size / 4 ? p->size * 2 : p->size;
	struct slot *slots = mem_array(size, sizeof(*slots));
	for (size_t i = 0; i < p->size; i++)
		if (p->slots[i].key && p->slots[i].due_us > now_us)
			*find(slots, size, p->slots[i].key) = p->slots[i];
	free(p->slots);
	p->slots = slots;
	p->size = size;
	p->used = alive;
}

bool pairs_admit(struct pairs *p, const char *pnid, const char *recipient, int64_t now_us)
{
	uint64_t key = strmap_hash(recipient, strlen(recipient)) * 31 + strmap_hash(pnid, strlen(pnid));

	key |= key == 0;
	if (p->used >= p->size / 2)
		rebuild(p, now_us);
	struct slot *s = find(p->slots, p->size, key);
	int64_t due = s->key && s->due_us > now_us ? s->due_us : now_us;
	if (due - now_us > (int64_t)(PAIR_BURST - 1) * PAIR_INTERVAL_US)
		return false;
	p->used += s->key == 0;
	s->key = key;
	s->due_us = due + PAIR_INTERVAL_US;
	return true;
}
