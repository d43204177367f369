/*
 * stencil - a text with placeholders, cut once, filled for each message.
 *
 * Positional ones are {{1}}, {{2}}, …; named ones {{order_no}}.  A placeholder may stand in the text more than once.
 * Ownership: the struct is the caller's; stencil_release() empties it.
 * Invariant: every hole's `which` is below `wants`, and `wants` is at most STENCIL_WANTS_MAX.
 */
#ifndef SANDBOX_STENCIL_H
#define SANDBOX_STENCIL_H

#include "base/strbuf.h"

enum { STENCIL_WANTS_MAX = 100 };

struct stencil_hole { size_t at, end, which; };		/* "{{…}}" is text[at] up to text[end] */

struct stencil {
	char *text;			/* NULL: there is none */
	struct stencil_hole *holes;
	size_t n_holes;
	char **names;			/* of the parameters, in order; NULL: positional */
	size_t wants;			/* how many parameters */
	size_t fixed;			/* characters outside of the holes */
};

int stencil_cut(struct stencil *s, const char *text, bool named, struct strbuf *why) MUST_CHECK;
void stencil_release(struct stencil *s);
size_t stencil_find(const struct stencil *s, const char *name);		/* which parameter; SIZE_MAX: none */
/* values has s->wants texts. */
size_t stencil_length(const struct stencil *s, const char *const *values);	/* characters when filled */
void stencil_fill(const struct stencil *s, const char *const *values, struct strbuf *out);

#endif
