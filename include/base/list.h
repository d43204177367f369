/* list - doubly linked ring of intrusive nodes; the head is a node too.  A node outside any list points to itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/base.h"

struct list { struct list *prev, *next; };

static inline void list_init(struct list *l) { l->prev = l->next = l; }
static inline bool list_is_empty(const struct list *l) { return l->next == l; }
static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}
static inline void list_add_head(struct list *head, struct list *n) { list_add_tail(head->next, n); }
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}
/* The first one, now outside; the list must not be empty.  (Names the head, so that analyzers see the list move on.) */
static inline struct list *list_pop(struct list *head)
{
	struct list *n = head->next;

	head->next = n->next;
	n->next->prev = head;
	list_init(n);
	return n;
}

#endif
