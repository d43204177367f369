/*
 * webhook_work - one webhook under way; private to src/api/webhook*.c.
 *
 * It is answered when nothing is left: 200, or 503 where anything could not be stored.  Each piece that is stored later counts itself in
 * left, and ends with webhook_stored().
 */
#ifndef API_WEBHOOK_WORK_H
#define API_WEBHOOK_WORK_H

#include "api/v1_call.h"
#include "api/webhook_owners.h"
#include "flow/user.h"
#include "msg/webhook.h"

struct webhook_work {
	struct v1_call *q;		/* NULL: it was ended from outside */
	struct v1 *v;
	int left;			/* what is not stored yet, and one for the reading itself */
	bool has_failed;
	struct webhook_owners *owners;	/* of what belongs to nobody here; NULL: nothing did */
	bool is_second;			/* read again, for those alone whose owners were looked for */
	struct strbuf body;		/* for the second time */
};

/* A piece that was counted cannot even be begun: while the webhook is read, which is never the end of it. */
static inline void webhook_not_begun(struct webhook_work *w)
{
	w->left--;
	w->has_failed = true;
}

void webhook_stored(void *arg, bool is_stored);		/* arg: the work; a user_done_f and a status_done_f */

/* May this piece be taken now?  a: whose it is, or NULL. */
bool webhook_takes(struct webhook_work *w, const struct account *a, enum owner_kind kind, const char *id);

/* What is told of an account, a number, a template or a user's wishes. */
void webhook_news(struct webhook_work *w, const struct webhook_change *c);

void webhook_tell_user(struct webhook_work *w, const struct user_news *n);

#endif
