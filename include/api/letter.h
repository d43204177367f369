/* letter - one dead letter as the commands see it: does it fit, may it be replayed, what is told of it.  Pure; NULL: unreadable. */
#ifndef API_LETTER_H
#define API_LETTER_H

#include "msg/json.h"

enum { LETTER_TENANT, LETTER_ACCOUNT, LETTER_REASON, LETTER_ID, LETTER_CODE, LETTER_FIELDS };

struct letter_filter {
	char *text[LETTER_FIELDS];	/* NULL: any */
	int64_t code;			/* if its text is there */
};

enum letter_skip { SKIP_UNKNOWN, SKIP_NO_MESSAGE, SKIP_LIMIT, LETTER_SKIPS, SKIP_NOT };

const char *letter_option(int field);			/* "tenant" */
const char *letter_skip_name(enum letter_skip why);
bool letter_fits(const json_t *letter, const struct letter_filter *f);
enum letter_skip letter_skip(const json_t *letter, bool may_duplicate, int64_t attempts_allowed);
int64_t letter_died_ms(const json_t *letter);		/* Unix time; 0: it does not say */
json_t *letter_summary(const json_t *letter);		/* all but the message: it may be large, and is nobody's business in a list */

#endif
