#include "msg/recipient.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }

int recipient_from_phone(struct recipient *r, const char *s, struct strbuf *why)
{
	size_t n = 1;

	r->is_user_id = r->is_group = false;
	r->text[0] = '+';
	if (*s == '+')
		s++;
	for (; *s; s++) {
		if (*s == ' ' || *s == '-' || *s == '(' || *s == ')')
			continue;
		if (!is_digit(*s))
			return why_set(why, "to: a character that is no digit; allowed E.164 such as +491511234567");
		if (n > 15)
			return why_set(why, "to: more than 15 digits; allowed E.164 such as +491511234567");
		r->text[n++] = *s;
	}
	r->text[n] = 0;
	if (n < 9)
		return why_set(why, "to: found %zu digits, allowed 8 to 15 (E.164)", n - 1);
	if (r->text[1] == '0')
		return why_set(why, "to: begins with 0; allowed E.164, which begins with the country code");
	return 0;
}

int recipient_from_user_id(struct recipient *r, const char *s, struct strbuf *why)
{
	size_t n = strlen(s);

	r->is_user_id = true;
	r->is_group = false;
	if (n < 4 || n > 131 || !is_upper(s[0]) || !is_upper(s[1]) || s[2] != '.')
		return why_set(why, "recipient: found %zu characters, allowed a user id such as US.13491208655302741918", n);
	for (const char *p = s + 3; *p; p++)
		if (!is_alnum(*p))
			return why_set(why, "recipient: allowed letters and digits after the country");
	memcpy(r->text, s, n + 1);
	return 0;
}

int recipient_from_group(struct recipient *r, const char *s, struct strbuf *why)
{
	size_t n = strlen(s), good = 0;

	r->is_user_id = false;
	r->is_group = true;
	while (s[good] > ' ' && s[good] < 127)
		good++;
	if (!n || n >= RECIPIENT_MAX || good < n)
		return why_set(why, "to: found %zu characters, allowed a group's id: 1 to %d of ASCII without blanks", n, RECIPIENT_MAX - 1);
	memcpy(r->text, s, n + 1);
	return 0;
}

void recipient_person(const struct recipient *r, char out[RECIPIENT_MAX])
{
	static const struct { const char *country; size_t at; char digit; } rewritten[] = {	/* of 13 digits */
		{ "+55", 5, '9' }, { "+52", 3, '1' }, { "+54", 3, '9' },
	};
	size_t n = strlen(r->text);

	memcpy(out, r->text, n + 1);
	for (size_t i = 0; i < ARRAY_LEN(rewritten); i++)
		if (!r->is_user_id && !r->is_group && n == 14 && !memcmp(out, rewritten[i].country, 3) &&
		    out[rewritten[i].at] == rewritten[i].digit) {
			memmove(out + rewritten[i].at, out + rewritten[i].at + 1, n - rewritten[i].at);
			return;
		}
}

void recipient_for_log(const struct recipient *r, char out[32])
{
	size_t n = strlen(r->text);

	snprintf(out, 32, "%s…%s/%zu", r->is_user_id ? "user" : r->is_group ? "group" : "phone", n >= 2 ? r->text + n - 2 : "", n);
}
