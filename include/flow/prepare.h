/* prepare - what a message needs before it can stand in its account's line: its template's definition, Graph's ids for its files. */
#ifndef FLOW_PREPARE_H
#define FLOW_PREPARE_H

#include "flow/delivery.h"

enum prepared {
	PREPARED,		/* its payload is what Graph gets */
	PREPARE_ASKED,		/* d->asked waits for an answer: then again from the start */
	PREPARE_FILE,		/* the same with d->file: the next file's id is not known */
	PREPARE_AWAY,		/* nobody can tell of its template now: it comes again */
	PREPARE_REFUSED		/* r and why say what is wrong with it */
};

/* may_wait: false: what would have to be asked for counts as away. */
/* What became of d->file: REASON_NONE: it has an id, or (*away) will have one later. */
enum reason prepare_file_is_there(struct delivery *d, const struct media_result *m, bool *away, struct strbuf *why);

enum prepared prepare(struct delivery *d, bool may_wait, enum reason *r, struct strbuf *why);

#endif
