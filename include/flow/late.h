/*
 * late - what follows for a message that Graph took and Meta says by webhook later failed: by the same table of errors as an answer.
 *
 * Order: status.lua hands it out, late.lua moves its record (compare-and-set), then its copy for the next attempt or its dead letter is
 * published and confirmed, then done() - and only after that the status is told and marked (flow/status.c).  Whoever dies in between,
 * Meta comes again, and status.lua hands out what was decided.  A second copy for the same attempt is harmless: admit lets one go.
 * Where the message itself is still in a queue or in a sender's hands, nothing is published: admit tells it.
 * A webhook's throttled or held differs from an answer's in one thing: its attempt is used, for Graph took it.
 * Ownership: o, account and w are borrowed, all else is copied.  late_drop() when store and publisher have been freed, or after done().
 */
#ifndef FLOW_LATE_H
#define FLOW_LATE_H

#include "flow/status.h"

enum late_end {
	LATE_FOLLOWS,		/* done and confirmed: news.next says what */
	LATE_CHANGED,		/* ask status.lua again */
	LATE_FAILED		/* not now */
};

struct status_news {		/* what status.lua says of a message; texts are borrowed */
	const char *state, *was, *id, *account_id, *context;
	bool is_duplicate;
	const char *next;	/* static; NULL: no failure */
};

struct late;

enum { LATE_PARTS = 14 };	/* of status.lua's answer, behind its first word */

struct late *late_new(const struct statuses_options *o, const struct account *a, const uint8_t key[KEY_LEN], const struct webhook_status *w,
		      const struct store_value parts[LATE_PARTS]);
/* done: once, also from inside; news is good as long as the late is. */
typedef void late_done_f(void *arg, enum late_end how, const struct status_news *news);
void late_go(struct late *l, late_done_f *done, void *arg);
int late_attempt(const struct late *l);		/* whose failure it is */
void late_drop(struct late **lp);

#endif
