/*
 * recipient - whom a message goes to: a phone number in E.164 or a business-scoped user id (BSUID).
 *
 * Meta's page "Business-scoped user IDs": ISO country, a dot, up to 128 alphanumerics.  E.164: '+', 8 to 15 digits, no leading 0.
 */
#ifndef MSG_RECIPIENT_H
#define MSG_RECIPIENT_H

#include "base/strbuf.h"

enum { RECIPIENT_MAX = 136 };

struct recipient {
	bool is_user_id;		/* else a phone number */
	char text[RECIPIENT_MAX];	/* "+491511234567" or "US.1349…" */
};

/* Accepts blanks, '-', '(' and ')' inside a number, and a missing '+' (Graph would then prepend a country code). */
int recipient_from_phone(struct recipient *r, const char *s, struct strbuf *why) MUST_CHECK;
int recipient_from_user_id(struct recipient *r, const char *s, struct strbuf *why) MUST_CHECK;

/* For logs: a keyed hash would need the key here, so only the last two digits and the length. */
void recipient_for_log(const struct recipient *r, char out[32]);

#endif
