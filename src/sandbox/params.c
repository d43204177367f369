#include "sandbox/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t percent_decode(char *s, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			s[to++] = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		} else {
			s[to++] = s[i];
		}
	}
	return to;
}

static char *decoded(const char *s, size_t len)
{
	char *copy = mem_strndup(s, len);

	for (size_t i = 0; i < len; i++)
		if (copy[i] == '+')
			copy[i] = ' ';
	copy[percent_decode(copy, len)] = 0;
	return copy;
}

static void add_pair(json_t *to, const char *pair, size_t len)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	char *name = decoded(pair, name_len), *value = equals ? decoded(equals + 1, len - name_len - 1) : mem_strdup("");

	if (*name)
		json_object_set_new(to, name, json_string(value));	/* what is no UTF-8 is not there */
	free(name);
	free(value);
}

static void add_pairs(json_t *to, const char *s, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *amp = memchr(s + at, '&', len - at);
		size_t n = amp ? (size_t)(amp - (s + at)) : len - at;
		add_pair(to, s + at, n);
		at += n + 1;
	}
}

json_t *params_parse(const char *query, const char *body, size_t len)
{
	json_t *all = json_object(), *o;
	json_error_t err;

	if (query)
		add_pairs(all, query, strlen(query));
	if (!len)
		return all;
	o = json_loadb(body, len, 0, &err);
	if (json_is_object(o))
		json_object_update(all, o);
	else if (!o && !memchr(body, 0, len))
		add_pairs(all, body, len);
	json_decref(o);
	return all;
}

const char *param_text(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

int64_t param_number(const json_t *params, const char *name, int64_t fallback)
{
	const json_t *v = json_object_get(params, name);
	int64_t n;

	if (json_is_integer(v))
		return json_integer_value(v);
	return json_is_string(v) && parse_i64(json_string_value(v), &n) == 0 ? n : fallback;
}
