#include "sandbox/json_out.h"

#include <string.h>

/* Length of the valid UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_step(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;

	if (n == 0 || n > left || s[0] == 0xc0 || s[0] == 0xc1 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void escape_one(struct strbuf *sb, unsigned char c)
{
	switch (c) {
	case '"':  strbuf_adds(sb, "\\\""); return;
	case '\\': strbuf_adds(sb, "\\\\"); return;
	case '\n': strbuf_adds(sb, "\\n"); return;
	case '\r': strbuf_adds(sb, "\\r"); return;
	case '\t': strbuf_adds(sb, "\\t"); return;
	}
	strbuf_addf(sb, "\\u%04x", c);
}

void json_out_string(struct strbuf *sb, const char *s, size_t len)
{
	size_t done = 0;

	strbuf_addc(sb, '"');
	while (done < len) {
		size_t run = done;
		while (run < len && plain((unsigned char)s[run]))
			run++;
		strbuf_add(sb, s + done, run - done);
		done = run;
		if (done == len)
			break;
		size_t step = utf8_step((const unsigned char *)s + done, len - done);
		if (step > 1)
			strbuf_add(sb, s + done, step);
		else if (step == 1)
			escape_one(sb, (unsigned char)s[done]);
		else
			strbuf_adds(sb, "\xef\xbf\xbd");
		done += step ? step : 1;
	}
	strbuf_addc(sb, '"');
}

void json_out_cstring(struct strbuf *sb, const char *s)
{
	json_out_string(sb, s, strlen(s));
}

void json_out_u64(struct strbuf *sb, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	strbuf_add(sb, digits + at, sizeof(digits) - at);
}
