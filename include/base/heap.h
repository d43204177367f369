/*
 * heap - binary min-heap of intrusive nodes.
 *
 * Ownership: nodes belong to the caller; a node is in at most one heap.  node->index is -1 outside.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/base.h"

struct heap_node { int index; };
typedef bool heap_less_f(const struct heap_node *a, const struct heap_node *b);

struct heap {
	struct heap_node **at;
	int len, size;
	heap_less_f *less;
};

void heap_init(struct heap *h, heap_less_f *less);
void heap_release(struct heap *h);
void heap_push(struct heap *h, struct heap_node *n);
struct heap_node *heap_top(const struct heap *h);	/* NULL when empty */
struct heap_node *heap_pop(struct heap *h);
void heap_remove(struct heap *h, struct heap_node *n);	/* no-op when not in a heap */

#endif
