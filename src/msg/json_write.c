#include "msg/json_write.h"

#include "base/mem.h"
#include "base/str.h"

static void add_escape(struct strbuf *out, char c)
{
	static const char letters[] = "btn?fr";		/* from 8 on; 11 has none */

	if (c == '"' || c == '\\')
		strbuf_addf(out, "\\%c", c);
	else if (c >= 8 && c <= 13 && c != 11)
		strbuf_addf(out, "\\%c", letters[c - 8]);
	else
		strbuf_addf(out, "\\u%04X", (unsigned)c);
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void add_string(struct strbuf *out, const char *s)
{
	strbuf_addc(out, '"');
	while (*s) {
		size_t n = 0;

		while (is_plain(s[n]))
			n++;
		strbuf_add(out, s, n);
		s += n;
		if (*s)
			add_escape(out, *s++);
	}
	strbuf_addc(out, '"');
}

/* ---- values: jansson's own writer asks printf for each number and each object's address ---- */

static void dump(const json_t *v, bool sorted, struct strbuf *out);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void dump_member(const char *key, const json_t *v, bool sorted, bool is_first, struct strbuf *out)
{
	if (!is_first)
		strbuf_addc(out, ',');
	add_string(out, key);
	strbuf_addc(out, ':');
	dump(v, sorted, out);
}

static void dump_sorted(const json_t *object, struct strbuf *out)
{
	const char *few[16], **keys = few, *key;
	size_t n = json_object_size(object), i = 0;
	json_t *v;

	if (n > ARRAY_LEN(few))
		keys = mem_array(n, sizeof(*keys));
	json_object_foreach((json_t *)(uintptr_t)object, key, v)
		keys[i++] = key;
	qsort(keys, n, sizeof(*keys), by_name);
	for (i = 0; i < n; i++)
		dump_member(keys[i], json_object_get(object, keys[i]), true, i == 0, out);
	if (keys != few)
		free(keys);
}

static void dump_object(const json_t *object, bool sorted, struct strbuf *out)
{
	bool is_first = true;
	const char *key;
	json_t *v;

	strbuf_addc(out, '{');
	if (sorted)
		dump_sorted(object, out);
	else
		json_object_foreach((json_t *)(uintptr_t)object, key, v) {
			dump_member(key, v, false, is_first, out);
			is_first = false;
		}
	strbuf_addc(out, '}');
}

static void dump_array(const json_t *array, bool sorted, struct strbuf *out)
{
	const json_t *v;
	size_t i;

	strbuf_addc(out, '[');
	json_array_foreach(array, i, v) {
		if (i)
			strbuf_addc(out, ',');
		dump(v, sorted, out);
	}
	strbuf_addc(out, ']');
}

static int add_bytes(const char *bytes, size_t n, void *out)
{
	strbuf_add(out, bytes, n);
	return 0;
}

static void dump(const json_t *v, bool sorted, struct strbuf *out)
{
	char text[24];

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		dump_object(v, sorted, out);
		return;
	case JSON_ARRAY:
		dump_array(v, sorted, out);
		return;
	case JSON_STRING:
		add_string(out, json_string_value(v));
		return;
	case JSON_INTEGER:
		strbuf_add(out, text, format_i64(json_integer_value(v), text));
		return;
	case JSON_REAL:
		if (json_dump_callback(v, add_bytes, out, JSON_ENCODE_ANY) < 0)
			BUG("json_dump of a number");
		return;
	case JSON_TRUE:
		strbuf_adds(out, "true");
		return;
	case JSON_FALSE:
		strbuf_adds(out, "false");
		return;
	case JSON_NULL:
		strbuf_adds(out, "null");
		return;
	}
}

void json_dump_to(const json_t *v, size_t flags, struct strbuf *out)
{
	dump(v, flags & JSON_SORT_KEYS, out);
}

/* ---- objects, member by member ---- */

static void add_key(struct json_writer *w, const char *key)
{
	if (w->has_members)
		strbuf_addc(w->out, ',');
	w->has_members = true;
	add_string(w->out, key);
	strbuf_addc(w->out, ':');
}

struct json_writer json_write_begin(struct strbuf *out)
{
	strbuf_addc(out, '{');
	return (struct json_writer){ out, false };
}

void json_write_end(struct json_writer *w)
{
	strbuf_addc(w->out, '}');
}

void json_write_text(struct json_writer *w, const char *key, const char *value)
{
	struct strbuf room = STRBUF_INIT;

	if (!value)
		return;
	add_key(w, key);
	add_string(w->out, json_mended(value, &room));
	strbuf_release(&room);
}

void json_write_int(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];

	add_key(w, key);
	strbuf_add(w->out, text, format_i64(value, text));
}

void json_write_time(struct json_writer *w, const char *key, int64_t unix_ms)
{
	char text[32];

	format_utc_ms(unix_ms, text);
	json_write_text(w, key, text);
}

void json_write_value(struct json_writer *w, const char *key, const json_t *value)
{
	if (!value)
		return;
	add_key(w, key);
	dump(value, false, w->out);
}

void json_write_text_in(struct json_writer *w, const char *key, const char *inner, const char *value)
{
	struct json_writer in;

	add_key(w, key);
	in = json_write_begin(w->out);
	json_write_text(&in, inner, value);
	json_write_end(&in);
}
