#include "msg/json.h"

#include "base/str.h"

/* Depth and number of values, without allocating: strings are skipped, brackets and commas counted. */
static enum json_verdict measure(const char *p, size_t len)
{
	const char *end = p + len;
	int depth = 0, nodes = 0;

	for (; p < end; p++) {
		switch (*p) {
		case '"':
			for (p++; p < end && *p != '"'; p++)
				p += *p == '\\';
			break;
		case '{':
		case '[':
			if (++depth > JSON_DEPTH_MAX)
				return JSON_TOO_DEEP;
			nodes++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		case ',':
			nodes++;
			break;
		default:
			break;
		}
		if (nodes > JSON_NODES_MAX)
			return JSON_TOO_LARGE;
	}
	return JSON_OK;
}

enum json_verdict json_parse(const void *text, size_t len, json_t **out, struct strbuf *why)
{
	enum json_verdict v = measure(text, len);
	json_error_t e;

	*out = NULL;
	if (v == JSON_TOO_DEEP)
		why_set(why, "nested deeper than %d levels", JSON_DEPTH_MAX);
	if (v == JSON_TOO_LARGE)
		why_set(why, "more than %d values", JSON_NODES_MAX);
	if (v != JSON_OK)
		return v;
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (*out)
		return JSON_OK;
	/* jansson's text may quote the input: only the place is told */
	why_set(why, "line %d column %d", e.line, e.column);
	return json_error_code(&e) == json_error_duplicate_key ? JSON_DUPLICATE_KEY : JSON_NOT_JSON;
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* How many bytes at s are one character; 0: none are. */
static size_t character(const char *s)
{
	for (size_t n = 1; n <= 4 && s[n - 1]; n++)
		if (str_is_utf8(s, n))
			return n;
	return 0;
}

/* Texts of AMQP properties and of other peers are bytes: what is no UTF-8 becomes U+FFFD, or the object could not be told. */
static void add_mended(struct strbuf *out, const char *s)
{
	while (*s) {
		size_t n = character(s);

		if (n)
			strbuf_add(out, s, n);
		else
			strbuf_adds(out, "\xef\xbf\xbd");
		s += n ? n : 1;
	}
}

void json_put_text(json_t *object, const char *key, const char *value)
{
	struct strbuf mended = STRBUF_INIT;

	if (!value)
		return;
	if (!str_is_utf8(value, strlen(value))) {
		add_mended(&mended, value);
		value = mended.buf;
	}
	json_object_set_new_nocheck(object, key, json_string_nocheck(value));
	strbuf_release(&mended);
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new_nocheck(object, key, json_integer(value));
}

const char *json_kind(const json_t *v)
{
	if (!v)
		return "nothing";
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

static int add(const char *buffer, size_t size, void *sb)
{
	strbuf_add(sb, buffer, size);
	return 0;
}

void json_dump_to(const json_t *v, size_t flags, struct strbuf *out)
{
	if (json_dump_callback(v, add, out, flags) < 0)
		BUG("json_dump of %s", json_kind(v));
}
