#include "msg/recipient.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }

int recipient_from_phone(struct recipient *r, const char *s, struct strbuf *why)
{
	size_t n = 1;

	r->is_user_id = false;
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
	if (n < 4 || n > 131 || !is_upper(s[0]) || !is_upper(s[1]) || s[2] != '.')
		return why_set(why, "recipient: found %zu characters, allowed a user id such as US.13491208655302741918", n);
	for (const char *p = s + 3; *p; p++)
		if (!is_alnum(*p))
			return why_set(why, "recipient: allowed letters and digits after the country");
	memcpy(r->text, s, n + 1);
	return 0;
}

void recipient_for_log(const struct recipient *r, char out[32])
{
	size_t n = strlen(r->text);

	snprintf(out, 32, "%s…%s/%zu", r->is_user_id ? "user" : "phone", n >= 2 ? r->text + n - 2 : "", n);
}
