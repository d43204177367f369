/* letter - one dead letter as the commands see it: does it fit, may it be replayed, what is told of it.  Pure; NULL: unreadable. */
#ifndef API_LETTER_H
#define API_LETTER_H

#include "msg/json.h"

/* What a filter looks at; the costly ones last. */
enum {
	LETTER_TENANT, LETTER_ACCOUNT, LETTER_REASON, LETTER_ID, LETTER_CODE, LETTER_TEMPLATE, LETTER_OLDER, LETTER_NEWER,
	LETTER_TEXT, LETTER_FIELDS
};

struct letter_filter {			/* { 0 }: all fit; else a letter must fit every field that was set */
	char *text[LETTER_FIELDS];	/* as it was set; NULL: any */
	int64_t number[LETTER_FIELDS];	/* code, and for an age the Unix time in ms that divides old from new */
};

enum letter_skip { SKIP_UNKNOWN, SKIP_NO_MESSAGE, SKIP_LIMIT, LETTER_SKIPS, SKIP_NOT };

const char *letter_option(int field);			/* "tenant" */
int letter_filter_set(struct letter_filter *f, int field, const char *text, int64_t now_ms, struct strbuf *why) MUST_CHECK;
void letter_filter_release(struct letter_filter *f);
const char *letter_skip_name(enum letter_skip why);
bool letter_fits(const json_t *letter, const struct letter_filter *f);
enum letter_skip letter_skip(const json_t *letter, bool may_duplicate, int64_t attempts_allowed);
int64_t letter_died_ms(const json_t *letter);		/* Unix time; 0: it does not say */
json_t *letter_summary(const json_t *letter);		/* all but the message: it may be large, and is nobody's business in a list */

#endif
