#include "msg/json.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

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

const char *json_mended(const char *value, struct strbuf *room)
{
	if (str_is_utf8(value, strlen(value)))
		return value;
	add_mended(room, value);
	return room->buf;
}

void json_put_text(json_t *object, const char *key, const char *value)
{
	struct strbuf room = STRBUF_INIT;

	if (!value)
		return;
	json_object_set_new_nocheck(object, key, json_string_nocheck(json_mended(value, &room)));
	strbuf_release(&room);
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new_nocheck(object, key, json_integer(value));
}

void json_put_time(json_t *object, const char *key, int64_t unix_ms)
{
	char text[32];

	if (unix_ms <= 0)
		return;
	format_utc_ms(unix_ms, text);
	json_put_text(object, key, text);
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

static void wipe_and_free(void *p)
{
	if (p)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}

void json_wipe_freed(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}
