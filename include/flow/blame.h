/*
 * blame - a POST has failed: is that its account's trouble, or Graph's with everybody?  What other accounts got lately says it.
 *
 * Of each process's own knowledge: all of them see all accounts.  Pure; embedded in the sender, all zeros knows nothing.
 */
#ifndef FLOW_BLAME_H
#define FLOW_BLAME_H

#include "base/clock.h"

struct account;
struct blame_seen { const struct account *who; mono_t at; };	/* who NULL: nobody */

struct blame {
	struct blame_seen good[2], failed[2];	/* the last, and the last of another account than that */
};

/* What account a got just now; failed: no connection, no whole answer, or an error of Graph's own. */
void blame_note(struct blame *b, const struct account *a, bool failed, mono_t now);

/* Has another account failed within window_ms? */
bool blame_others_fail(const struct blame *b, const struct account *a, mono_t now, int64_t window_ms);

/* And has none of the others had a good answer since?  Then a failure of a says nothing of a. */
bool blame_is_graph(const struct blame *b, const struct account *a, mono_t now, int64_t window_ms);

#endif
