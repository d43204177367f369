/* selector - what a command about a hold names by its options: a tenant, or something of it.  Pure. */
#ifndef API_SELECTOR_H
#define API_SELECTOR_H

#include "flow/hold.h"
#include "msg/recipient.h"

struct selector_options { const char *account, *number, *waba, *template, *recipient, *priority; };	/* NULL: not given */

struct selector {
	enum hold_scope scope;
	const struct account *account;		/* NULL where none is named, or the configuration does not know it */
	char field[HOLD_FIELD_MAX];		/* of a recipient's hold the caller makes it: only he has the key for the hash */
	struct recipient recipient;
	bool is_known;				/* the configuration has such an account; else it may only be released */
};

/* NULL, or the code of a problem with its reason in why. */
const char *selector_read(struct selector *s, const struct tenant *t, const struct selector_options *o, struct strbuf *why);

#endif
