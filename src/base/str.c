#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct unit { const char *name; int64_t factor; };

/* Largest first: the formatter takes the first that divides. */
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};
static const struct unit sizes[] = {
	{ "GB", 1LL << 30 }, { "MB", 1LL << 20 }, { "KB", 1LL << 10 }, { "B", 1 },
};

int parse_i64(const char *s, int64_t *out)
{
	char *end;
	long long v;

	if (*s != '-' && (*s < '0' || *s > '9'))
		return -1;	/* strtoll would pass over blanks */
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || end == s)
		return -1;
	*out = v;
	return 0;
}

static int parse_unit(const char *s, const struct unit *units, size_t n, int64_t *out)
{
	char *end;
	long long v;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(end, units[i].name))
			return __builtin_mul_overflow((int64_t)v, units[i].factor, out) ? -1 : 0;
	return -1;
}

static void format_unit(int64_t v, const struct unit *units, size_t n, char out[32])
{
	for (size_t i = 0; i < n; i++) {
		if (v % units[i].factor || (v == 0 && i + 1 < n))
			continue;
		snprintf(out, 32, "%" PRId64 "%s", v / units[i].factor, units[i].name);
		return;
	}
}

int parse_msec(const char *s, int64_t *out)
{
	return parse_unit(s, durations, ARRAY_LEN(durations), out);
}

int parse_bytes(const char *s, int64_t *out)
{
	return parse_unit(s, sizes, ARRAY_LEN(sizes), out);
}

size_t format_i64(int64_t v, char out[24])
{
	uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char text[24];
	size_t at = sizeof(text);

	text[--at] = 0;
	do
		text[--at] = (char)('0' + left % 10);
	while (left /= 10);
	if (v < 0)
		text[--at] = '-';
	memcpy(out, text + at, sizeof(text) - at);
	return sizeof(text) - at - 1;
}

void format_msec(int64_t ms, char out[32])
{
	format_unit(ms, durations, ARRAY_LEN(durations), out);
}

void format_bytes(int64_t n, char out[32])
{
	format_unit(n, sizes, ARRAY_LEN(sizes), out);
}

void format_utc_ms(int64_t unix_ms, char out[32])
{
	static time_t known = -1;	/* a second has many messages, and its text costs more than all else */
	static char text[28];
	static size_t n;
	time_t s = (time_t)(unix_ms / 1000);
	unsigned ms = (unsigned)(unix_ms % 1000);
	struct tm tm;

	if (s != known) {
		gmtime_r(&s, &tm);
		n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		known = s;
	}
	memcpy(out, text, n);
	out[n] = '.';
	out[n + 1] = (char)('0' + ms / 100);
	out[n + 2] = (char)('0' + ms / 10 % 10);
	out[n + 3] = (char)('0' + ms % 10);
	out[n + 4] = 'Z';
	out[n + 5] = 0;
}

bool str_is_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == 0;
}

bool str_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_is_utf8(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s, *end = p + len;

	while (p < end) {
		uint32_t c = *p++;
		int more;

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			more = 1, c &= 0x1f;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2, c &= 0x0f;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3, c &= 0x07;
		else
			return false;
		if (end - p < more)
			return false;
		for (int i = 0; i < more; i++, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p & 0x3f);
		}
		if ((more == 2 && c < 0x800) || (more == 3 && c < 0x10000) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;	/* overlong, too large, or half a surrogate pair */
	}
	return true;
}

size_t utf8_count(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((uint8_t)s[i] & 0xc0) != 0x80;
	return n;
}

void hex_encode(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *in, uint8_t *out, size_t n)
{
	if (strlen(in) != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(in[2 * i]), low = hex_digit(in[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(const uint8_t *in, size_t n, char *out)
{
	char *o = out;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		if (i + 1 < n)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < n)
			v |= in[i + 2];
		*o++ = b64[v >> 18];
		*o++ = b64[v >> 12 & 63];
		if (i + 1 < n)
			*o++ = b64[v >> 6 & 63];
		if (i + 2 < n)
			*o++ = b64[v & 63];
	}
	*o = 0;
	return (size_t)(o - out);
}

void base64_encode(const uint8_t *in, size_t n, char *out)
{
	size_t len = base64url_encode(in, n, out);

	for (size_t i = 0; i < len; i++)
		out[i] = (char)(out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i]);
	while (len % 4)
		out[len++] = '=';
	out[len] = 0;
}

int base64url_decode(const char *in, size_t n, uint8_t *out, size_t out_size)
{
	uint32_t v = 0;
	int bits = 0;
	size_t len = 0;

	if (n % 4 == 1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *p = in[i] ? strchr(b64, in[i]) : NULL;

		if (!p)
			return -1;
		v = v << 6 | (uint32_t)(p - b64);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (len == out_size)
			return -1;
		out[len++] = (uint8_t)(v >> bits);
	}
	return (v & ((1U << bits) - 1)) ? -1 : (int)len;	/* left-over bits must be zero: one spelling per value */
}

/* Two digits as a number, or -1. */
static int two_digits(const char *p)
{
	return strspn(p, "0123456789") >= 2 ? (p[0] - '0') * 10 + p[1] - '0' : -1;
}

/* "Z", "+01:00" or "-05:30". */
static int parse_zone(const char *p, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (!strcmp(p, "Z"))
		return 0;
	if ((*p != '+' && *p != '-') || strlen(p) != 6 || p[3] != ':')
		return -1;
	hours = two_digits(p + 1);
	minutes = two_digits(p + 4);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*seconds = (*p == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return 0;
}

/* Its first three digits; what is finer is left out. */
static int64_t fraction_ms(const char *digits, size_t n)
{
	int64_t ms = 0;

	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < n ? digits[i] - '0' : 0);
	return ms;
}

/* "2026-11-23T10:00:00Z", with optional fraction and offset, or Unix seconds. */
int parse_time_ms(const char *s, int64_t *ms)
{
	struct tm tm = { 0 };
	const char *p = strspn(s, "0123456789-+:.TZ") == strlen(s) ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t fraction = 0;
	int offset;

	if (!p)
		return -1;
	if (*p == '.') {
		size_t digits = strspn(p + 1, "0123456789");

		if (!digits)
			return -1;
		fraction = fraction_ms(p + 1, digits);
		p += 1 + digits;
	}
	if (parse_zone(p, &offset) < 0)
		return -1;
	*ms = ((int64_t)timegm(&tm) - offset) * 1000 + fraction;
	return *ms > 0 ? 0 : -1;	/* 0 would mean: not named */
}

bool str_take_word(const char **p, const char *end, char *out, size_t size)
{
	const char *at = *p, *blank = memchr(at, ' ', (size_t)(end - at)), *stop = blank ? blank : end;
	size_t len = (size_t)(stop - at);

	if (!len || len >= size || memchr(at, 0, len))
		return false;
	memcpy(out, at, len);
	out[len] = 0;
	*p = blank ? blank + 1 : end;
	return true;
}
