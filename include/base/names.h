/*
 * names - things kept sorted by a name, each once; found by halving.
 *
 * Ownership: a node is embedded in the caller's struct, its text, which is the caller's too, must not change while it is in.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/base.h"

struct name { const char *text; };

struct names {
	struct name **v;
	int n;
};

struct name *names_find(const struct names *ns, const char *text);	/* NULL: not there */
void names_add(struct names *ns, struct name *new_one);			/* must not be there yet */
void names_remove(struct names *ns, const char *text);			/* nothing if it is not there */
/* Takes out all for which drop() says so; it may free them. */
void names_sweep(struct names *ns, bool (*drop)(void *arg, struct name *one), void *arg);
void names_release(struct names *ns);					/* the array only */

#endif
