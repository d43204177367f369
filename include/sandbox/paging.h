/*
 * paging - a piece of a list as Graph gives it: {"data":[…],"paging":{"cursors":{…},"next":…,"previous":…}}.
 *
 * A cursor names a place in the list and the list's version; it is good as long as the list does not change.
 */
#ifndef SANDBOX_PAGING_H
#define SANDBOX_PAGING_H

#include <jansson.h>

#include "base/base.h"

struct managed;

enum { PAGE_DEFAULT = 25, PAGE_MAX = 100 };

struct page { size_t from, to, all; uint64_t version; };

/* What is particular about a list; version 0 and invalid_cursor 0: nothing. */
struct paging_rules { size_t size_max; uint64_t version; int invalid_cursor; };

int paging_find_by(struct managed *m, size_t all, const struct paging_rules *rules, struct page *p) MUST_CHECK;
int paging_find(struct managed *m, size_t all, struct page *p) MUST_CHECK;	/* limit, after and before; -1 with m->error set */
json_t *paging_links(struct managed *m, const struct page *p);		/* the member "paging" */

#endif
