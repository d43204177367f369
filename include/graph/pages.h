/*
 * pages - a listing of Graph's, all pages of it as one answer {"data":[…],"is_cut":false}.
 *
 * Only the cursor of a page is used, never the address it names: that could be anybody's.  At most 50 pages; is_cut says that there
 * were more.  A cursor that Graph no longer knows makes the listing begin anew, once.
 */
#ifndef GRAPH_PAGES_H
#define GRAPH_PAGES_H

#include "graph/calls.h"

struct graph_listing {
	struct graph_for who;
	const char *name, *path, *query;	/* as in struct graph_call; limit and after are added */
	graph_shape_f *shape;			/* of {"data":…,"is_cut":…}; NULL: as it is */
};

void pages_fetch(struct graph *g, const struct graph_listing *l);

/* The cursor of the next page, copied; false: this is the last one. */
bool pages_next(const json_t *answer, struct strbuf *cursor);

#endif
