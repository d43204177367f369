#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

void heap_init(struct heap *h, heap_less_f *less)
{
	*h = (struct heap){ .less = less };
}

void heap_release(struct heap *h)
{
	for (int i = 0; i < h->len; i++)
		h->at[i]->index = -1;
	free(h->at);
	heap_init(h, h->less);
}

static void put(struct heap *h, int i, struct heap_node *n)
{
	h->at[i] = n;
	n->index = i;
}

static void sift_up(struct heap *h, int i, struct heap_node *n)
{
	for (; i > 0; ) {
		int parent = (i - 1) / 2;

		if (!h->less(n, h->at[parent]))
			break;
		put(h, i, h->at[parent]);
		i = parent;
	}
	put(h, i, n);
}

static void sift_down(struct heap *h, int i, struct heap_node *n)
{
	for (;;) {
		int child = 2 * i + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->less(h->at[child + 1], h->at[child]))
			child++;
		if (!h->less(h->at[child], n))
			break;
		put(h, i, h->at[child]);
		i = child;
	}
	put(h, i, n);
}

void heap_push(struct heap *h, struct heap_node *n)
{
	if (h->len == h->size) {
		h->size = h->size ? h->size * 2 : 64;
		h->at = mem_grow(h->at, (size_t)h->size, sizeof(*h->at));
	}
	sift_up(h, h->len++, n);
}

struct heap_node *heap_top(const struct heap *h)
{
	return h->len ? h->at[0] : NULL;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	int i = n->index;
	struct heap_node *last;

	if (i < 0)
		return;
	n->index = -1;
	last = h->at[--h->len];
	if (last == n)
		return;
	if (i > 0 && h->less(last, h->at[(i - 1) / 2]))
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *n = heap_top(h);

	if (n)
		heap_remove(h, n);
	return n;
}
