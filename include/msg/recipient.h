/*
 * recipient - whom a message goes to: a phone number in E.164, a business-scoped user id (BSUID) or a group.
 *
 * Meta's page "Business-scoped user IDs": ISO country, a dot, up to 128 alphanumerics.  E.164: '+', 8 to 15 digits, no leading 0.
 */
#ifndef MSG_RECIPIENT_H
#define MSG_RECIPIENT_H

#include "base/strbuf.h"

enum { RECIPIENT_MAX = 136 };

struct recipient {
	bool is_user_id, is_group;	/* else a phone number */
	char text[RECIPIENT_MAX];	/* "+491511234567" or "US.1349…" */
};

/* Accepts blanks, '-', '(' and ')' inside a number, and a missing '+' (Graph would then prepend a country code). */
int recipient_from_phone(struct recipient *r, const char *s, struct strbuf *why) MUST_CHECK;
int recipient_from_user_id(struct recipient *r, const char *s, struct strbuf *why) MUST_CHECK;
int recipient_from_group(struct recipient *r, const char *s, struct strbuf *why) MUST_CHECK;	/* Meta's name of it, as it is */

/*
 * Meta writes numbers of three countries in two ways, with and without a digit (Brazil's 9, Mexico's 1, Argentina's 9): a wa_id may be
 * the other one.  The same text for both.
 */
void recipient_person(const struct recipient *r, char out[RECIPIENT_MAX]);

/* For logs: a keyed hash would need the key here, so only the last two digits and the length. */
void recipient_for_log(const struct recipient *r, char out[32]);

#endif
