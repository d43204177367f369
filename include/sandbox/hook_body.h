/*
 * hook_body - the JSON of webhooks, as Meta writes it from v24 on (no conversation).  Pure.
 *
 * Ownership: a message is counted by the news about it (hook_message_hold, hook_message_drop); its texts are its own.
 */
#ifndef SANDBOX_HOOK_BODY_H
#define SANDBOX_HOOK_BODY_H

#include "sandbox/hook_target.h"
#include "sandbox/ledger.h"
#include "sandbox/recipient.h"

/* What webhooks have to know of a message that was accepted. */
struct hook_message {
	unsigned refs;
	char *waba, *pnid, *callback;	/* callback "": none */
	struct recipient recipient;
	char wamid[WAMID_SIZE];
	bool is_template;
	struct ledger_ref ref;
};

/* One thing to tell: a status, or a change that a test has made up. */
struct hook_news {
	struct hook_message *message;	/* NULL: the change */
	enum hook_status status;
	int code;			/* of HOOK_FAILED */
	int64_t at_s;			/* Unix time of what happened */
	char *waba, *change;		/* {"field":...,"value":...} of this business account */
	bool timed;			/* the change's entry says when */
};

struct hook_message *hook_message_hold(struct hook_message *m);
void hook_message_drop(struct hook_message **mp);
void hook_news_release(struct hook_news *n);
const char *hook_news_waba(const struct hook_news *n);

/* One webhook of all of them: neighbours that are of the same number share a change, those of the same account an entry. */
void hook_body_write(const struct hook_news *const *news, int n, struct strbuf *out);

#endif
