#include "io/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a bad escape, or a NUL byte that would cut the value short. */
static char *decode(const char *s, size_t n)
{
	char *out = mem_alloc(n + 1), *o = out;

	for (size_t i = 0; i < n; i++) {
		int hi, lo;

		if (s[i] != '%') {
			*o++ = s[i];
			continue;
		}
		hi = i + 2 < n ? hex_value(s[i + 1]) : -1;
		lo = i + 2 < n ? hex_value(s[i + 2]) : -1;
		if (hi < 0 || lo < 0 || hi + lo == 0)
			goto bad;
		*o++ = (char)(hi * 16 + lo);
		i += 2;
	}
	*o = 0;
	return out;
bad:
	mem_free_secret(out);
	return NULL;
}

static int take_login(const char *s, size_t n, struct url *u, struct strbuf *why)
{
	const char *colon = memchr(s, ':', n);
	size_t user_len = colon ? (size_t)(colon - s) : n;

	u->user = decode(s, user_len);
	if (!u->user)
		return why_set(why, "bad %%-escape in the user");
	if (!colon)
		return 0;
	u->password = decode(colon + 1, n - user_len - 1);
	return u->password ? 0 : why_set(why, "bad %%-escape in the password");
}

static int take_port(const char *s, size_t n, struct url *u, struct strbuf *why)
{
	char text[8] = "";
	int64_t port;

	if (n == 0 || n >= sizeof(text))
		return why_set(why, "bad port");
	memcpy(text, s, n);
	if (!str_is_digits(text) || parse_i64(text, &port) < 0 || port < 1 || port > 65535)
		return why_set(why, "bad port \"%s\"", text);
	u->port = (int)port;
	return 0;
}

static int take_host(const char *s, size_t n, struct url *u, struct strbuf *why)
{
	const char *end = s + n, *host_end;

	if (n > 0 && *s == '[') {
		host_end = memchr(s, ']', n);
		if (!host_end)
			return why_set(why, "'[' without ']' in the host");
		u->host = decode(s + 1, (size_t)(host_end - s - 1));
		host_end++;
	} else {
		host_end = memchr(s, ':', n);
		if (!host_end)
			host_end = end;
		u->host = decode(s, (size_t)(host_end - s));
	}
	if (!u->host || !*u->host)
		return why_set(why, "no host");
	if (host_end == end)
		return 0;
	if (*host_end != ':')
		return why_set(why, "text after the host");
	return take_port(host_end + 1, (size_t)(end - host_end - 1), u, why);
}

static int take_authority(const char *s, size_t n, struct url *u, struct strbuf *why)
{
	const char *at = memrchr(s, '@', n);

	if (at) {
		if (take_login(s, (size_t)(at - s), u, why) < 0)
			return -1;
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	return take_host(s, n, u, why);
}

static int take_path(const char *s, struct url *u, struct strbuf *why)
{
	size_t n = strcspn(s, "?");

	if (s[n] == '?')
		u->query = mem_strdup(s + n + 1);
	u->path = decode(s, n);
	return u->path ? 0 : why_set(why, "bad %%-escape in the path");
}

int url_parse(const char *text, struct url *out, struct strbuf *why)
{
	const char *sep = strstr(text, "://"), *rest;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!sep || sep == text)
		return why_set(why, "no scheme (like amqp://)");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return why_set(why, "blank or control character");
	out->scheme = mem_strndup(text, (size_t)(sep - text));
	rest = sep + 3;
	if (strcmp(out->scheme, "unix") == 0) {
		out->host = mem_strdup("");
		return take_path(rest, out, why);
	}
	n = strcspn(rest, "/?");
	if (take_authority(rest, n, out, why) < 0)
		return -1;
	if (rest[n] == '?')
		out->query = mem_strdup(rest + n + 1);
	return rest[n] == '/' ? take_path(rest + n + 1, out, why) : 0;
}

void url_release(struct url *u)
{
	free(u->scheme);
	free(u->user);
	mem_free_secret(u->password);
	free(u->host);
	free(u->path);
	mem_free_secret(u->query);
	memset(u, 0, sizeof(*u));
}

char *url_query(const struct url *u, const char *name)
{
	size_t len = strlen(name);
	const char *p = u->query;

	while (p && *p) {
		size_t n = strcspn(p, "&");

		if (n > len && p[len] == '=' && memcmp(p, name, len) == 0)
			return decode(p + len + 1, n - len - 1);
		p += n + (p[n] == '&');
	}
	return NULL;
}
