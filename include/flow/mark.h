/*
 * mark - why a message waits of which no record tells: a word that is left in Redis when it is put aside, for people who ask.
 *
 * It stands where the message's id leads (key_index), or in its record (wt) while that waits, too, and is written over by what the
 * message does next.  A message that goes at once leaves none, and nobody waits for a mark or decides anything by it.
 */
#ifndef FLOW_MARK_H
#define FLOW_MARK_H

#include "conf/tenants.h"
#include "flow/hold.h"

struct delivery;

enum wait_cause {
#define WAIT_CAUSE(ident, word, help) WAIT_##ident,
#include "tbl/wait_causes.h"
#undef WAIT_CAUSE
	WAIT_CAUSES
};
const char *wait_cause_word(enum wait_cause c);

/* ms: how long it is put aside, 0: nobody knows.  detail: a hold's field, of a lane the class of its priority, or NULL. */
void mark_waits(struct delivery *d, enum wait_cause why, int64_t ms, const char *detail);
void mark_ends(struct delivery *d);		/* it waits no longer, and there will be no record */

struct mark {
	enum wait_cause cause;
	int64_t first_ms, at_ms, until_ms;	/* first seen; written; it comes back then (0: nobody knows): Unix time */
	char account[TENANT_NAME_MAX + 1];
	char detail[HOLD_FIELD_MAX];		/* "" none */
};
bool mark_is(const char *index);		/* this value of an id index is one */
int mark_read(const char *text, struct mark *out) MUST_CHECK;

#endif
