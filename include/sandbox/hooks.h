/*
 * hooks - the sandbox as Meta's sender of webhooks: what becomes of each accepted message, told to whoever a test has named.
 *
 * News is planned when a message is accepted, whatever happens to the answer; waits until it is due; joins others in a webhook; and is
 * posted until it is answered with 200, with longer and longer pauses.  Each pause ends with a new look at the orders, so that another
 * URL or secret counts at once.
 * Ownership: hooks_accepted() and hooks_tell() copy what they are given.
 */
#ifndef SANDBOX_HOOKS_H
#define SANDBOX_HOOKS_H

#include <jansson.h>

#include "sandbox/hook_client.h"
#include "sandbox/ledger.h"
#include "sandbox/recipient.h"

struct hooks;
struct number;

struct hook_accepted {
	const struct number *number;
	const struct recipient *recipient;
	const char *type, *callback;
	uint64_t wamid_id;
	struct ledger_ref ref;
};

struct hooks *hooks_new(struct loop *loop, struct ledger *ledger);
void hooks_free(struct hooks **hp);

/* An order or an array of them, in place of all that were there; {"pause":...} alone: only that. */
int hooks_order(struct hooks *h, const json_t *order, struct strbuf *why) MUST_CHECK;
void hooks_clear(struct hooks *h);			/* no orders, no pause, nothing under way */
void hooks_reset(struct hooks *h);			/* nothing under way, counters at 0; orders stay */

void hooks_accepted(struct hooks *h, const struct hook_accepted *a);
/* A change ({"field":...,"value":...}) of a business account, due now; timed: its entry has a time. */
int hooks_tell(struct hooks *h, const char *waba, const json_t *change, bool timed, struct strbuf *why) MUST_CHECK;

/* A webhook of a test's own, posted at once and once; url and secret NULL: the first order's. */
struct hook_own {
	const char *url, *secret, *body;
	size_t len;
	const char *signature;		/* instead of the right one; "": none; NULL: the right one */
};
int hooks_post(struct hooks *h, const struct hook_own *own, hook_answer_f *on_answer, void *arg, struct strbuf *why) MUST_CHECK;

void hooks_print(const struct hooks *h, struct strbuf *out);	/* counters, as a JSON object */

#endif
