/* recipient - whom a message is for: a phone number in any usual spelling, a business-scoped user id, or a group. */
#ifndef SANDBOX_RECIPIENT_H
#define SANDBOX_RECIPIENT_H

#include "base/base.h"
#include "sandbox/ids.h"

enum recipient_kind { RECIPIENT_BAD, RECIPIENT_PHONE, RECIPIENT_BSUID, RECIPIENT_GROUP };

struct recipient {
	enum recipient_kind kind;
	char wa_id[RECIPIENT_MAX + 1];	/* digits of a phone number, else the id as it is */
	size_t len;
};

void recipient_phone(struct recipient *r, const char *s, size_t len);
void recipient_bsuid(struct recipient *r, const char *s, size_t len);
void recipient_group(struct recipient *r, const char *s, size_t len);

#endif
