#include "sandbox/recipient.h"

#include <ctype.h>
#include <string.h>

enum { PHONE_MIN = 7, PHONE_MAX = 15, GROUP_MAX = 128, BSUID_TAIL_MAX = 128 };

void recipient_phone(struct recipient *r, const char *s, size_t len)
{
	r->kind = RECIPIENT_BAD;
	r->len = 0;
	for (size_t i = 0; i < len; i++) {
		if (isdigit((unsigned char)s[i])) {
			if (r->len == PHONE_MAX)
				return;
			r->wa_id[r->len++] = s[i];
		} else if (!strchr(" -()", s[i]) && (s[i] != '+' || r->len)) {
			return;
		}
	}
	r->wa_id[r->len] = 0;
	if (r->len >= PHONE_MIN && r->wa_id[0] != '0')
		r->kind = RECIPIENT_PHONE;
}

static void keep(struct recipient *r, enum recipient_kind kind, const char *s, size_t len)
{
	memcpy(r->wa_id, s, len);
	r->wa_id[len] = 0;
	r->len = len;
	r->kind = kind;
}

void recipient_bsuid(struct recipient *r, const char *s, size_t len)	/* US.13491208655302741918 */
{
	r->kind = RECIPIENT_BAD;
	r->len = 0;
	if (len < 4 || len > 3 + BSUID_TAIL_MAX || !isupper((unsigned char)s[0]) || !isupper((unsigned char)s[1]) || s[2] != '.')
		return;
	for (size_t i = 3; i < len; i++)
		if (!isalnum((unsigned char)s[i]))
			return;
	keep(r, RECIPIENT_BSUID, s, len);
}

void recipient_group(struct recipient *r, const char *s, size_t len)
{
	r->kind = RECIPIENT_BAD;
	r->len = 0;
	if (len == 0 || len > GROUP_MAX)
		return;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_-=.:@", s[i]))
			return;
	keep(r, RECIPIENT_GROUP, s, len);
}
