/* JSON text into jansson's values, in one pass.  t/unit/test_json_read.c holds it against jansson's own reader. */
#include "msg/json.h"

#include <math.h>

#include "base/mem.h"
#include "base/str.h"

enum { NUMBER_MAX = 400, KEY_SIZE = 64 };	/* no number that anybody means is longer; keys mostly are shorter */

struct reader {
	const char *p, *end;
	int depth, nodes, nodes_max;
	enum json_verdict verdict;	/* of the first fault, which is at p */
	struct strbuf scratch;		/* the last string that had escapes */
};

static json_t *read_value(struct reader *r);

static bool fault(struct reader *r, enum json_verdict v)
{
	if (r->verdict == JSON_OK)
		r->verdict = v;
	return false;
}

static json_t *fail(struct reader *r, enum json_verdict v)
{
	fault(r, v);
	return NULL;
}

static char next(struct reader *r)		/* 0: the end, or a byte that is nowhere allowed */
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
		r->p++;
	return r->p < r->end ? *r->p : 0;
}

static bool take(struct reader *r, char c)
{
	if (next(r) != c)
		return false;
	r->p++;
	return true;
}

/* ---- strings ---- */

/* The value of \uXXXX, -1: no four digits.  p is behind the u. */
static int read_hex4(struct reader *r)
{
	char digits[5];
	uint8_t two[2];

	if (r->end - r->p < 4)
		return -1;
	memcpy(digits, r->p, 4);
	digits[4] = 0;
	if (hex_decode(digits, two, 2) < 0)
		return -1;
	r->p += 4;
	return two[0] << 8 | two[1];
}

static void add_character(struct strbuf *sb, unsigned c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : (0xf00U >> n & 0xf0U) | c);
	strbuf_add(sb, out, n);
}

/* A character beyond 16 bits comes as two halves; half a character and NUL are none. */
static bool read_unicode(struct reader *r)
{
	int c = read_hex4(r), low;

	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
			return false;
		r->p += 2;
		low = read_hex4(r);
		if (low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	add_character(&r->scratch, (unsigned)c);
	return true;
}

static bool read_escape(struct reader *r)	/* p is behind the backslash */
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (r->p == r->end)
		return false;
	if (*r->p == 'u') {
		r->p++;
		return read_unicode(r);
	}
	at = *r->p ? strchr(names, *r->p) : NULL;
	if (!at)
		return false;
	strbuf_addc(&r->scratch, values[at - names]);
	r->p++;
	return true;
}

/* From p on, what needs no look: p is then at a quote, a backslash, or what is not allowed.  *ascii stays if there is nothing else. */
static void skip_plain(struct reader *r, bool *ascii)
{
	const char *p = r->p;
	unsigned char seen = 0;

	while (p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		seen |= (unsigned char)*p++;
	*ascii = *ascii && seen < 0x80;
	r->p = p;
}

/* p is behind the opening quote.  *text is in place, or in scratch if there were escapes: good until the next string. */
static bool read_text(struct reader *r, const char **text, size_t *len)
{
	bool ascii = true, escaped = false;
	const char *from;

	strbuf_reset(&r->scratch);
	for (;;) {
		from = r->p;
		skip_plain(r, &ascii);
		if (r->p == r->end || (*r->p != '"' && *r->p != '\\'))
			return false;
		if (*r->p == '"' && !escaped)
			break;
		strbuf_add(&r->scratch, from, (size_t)(r->p - from));
		if (*r->p == '"')
			break;
		escaped = true;
		r->p++;
		if (!read_escape(r))
			return false;
	}
	*text = escaped ? r->scratch.buf : from;
	*len = escaped ? r->scratch.len : (size_t)(r->p - from);
	r->p++;
	return ascii || str_is_utf8(*text, *len);
}

static json_t *read_string(struct reader *r)
{
	const char *text;
	size_t len;

	if (!read_text(r, &text, &len))
		return fail(r, JSON_NOT_JSON);
	return json_stringn_nocheck(text, len);
}

/* ---- numbers and words ---- */

static size_t digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - from);
}

/* How long the number at p is, 0: it is none. */
static size_t number_length(const char *p, const char *end, bool *real)
{
	const char *from = p;
	size_t n;

	*real = false;
	p += p < end && *p == '-';
	n = digits(p, end);
	if (n == 0 || (n > 1 && *p == '0'))
		return 0;
	p += n;
	if (p < end && *p == '.') {
		*real = true;
		n = digits(++p, end);
		if (n == 0)
			return 0;
		p += n;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		*real = true;
		p++;
		p += p < end && (*p == '+' || *p == '-');
		n = digits(p, end);
		if (n == 0)
			return 0;
		p += n;
	}
	return (size_t)(p - from);
}

static json_t *read_number(struct reader *r)
{
	char text[NUMBER_MAX + 1];
	bool real;
	size_t n = number_length(r->p, r->end, &real);
	int64_t i;
	double d;

	if (n == 0 || n > NUMBER_MAX)
		return fail(r, JSON_NOT_JSON);
	memcpy(text, r->p, n);
	text[n] = 0;
	r->p += n;
	if (!real)
		return parse_i64(text, &i) < 0 ? fail(r, JSON_NOT_JSON) : json_integer(i);
	d = strtod(text, NULL);		/* the process has the C locale */
	return isfinite(d) ? json_real(d) : fail(r, JSON_NOT_JSON);
}

static bool word(struct reader *r, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

static json_t *read_word(struct reader *r)
{
	if (word(r, "true"))
		return json_true();
	if (word(r, "false"))
		return json_false();
	return word(r, "null") ? json_null() : fail(r, JSON_NOT_JSON);
}

/* ---- objects and arrays ---- */

static bool add_member(struct reader *r, json_t *object, const char *key, json_t *v)
{
	size_t before = json_object_size(object);

	if (json_object_set_new_nocheck(object, key, v) < 0)
		BUG("json_object_set");
	return json_object_size(object) > before || fault(r, JSON_DUPLICATE_KEY);
}

static bool read_member(struct reader *r, json_t *object)
{
	char small[KEY_SIZE], *large = NULL;
	const char *text;
	json_t *v = NULL;
	size_t len;

	if (!take(r, '"') || !read_text(r, &text, &len))
		return fault(r, JSON_NOT_JSON);
	if (len >= sizeof(small))
		large = mem_strndup(text, len);
	else
		*(char *)mempcpy(small, text, len) = 0;
	if (take(r, ':'))
		v = read_value(r);
	else
		fault(r, JSON_NOT_JSON);
	v = v && !add_member(r, object, large ? large : small, v) ? NULL : v;
	free(large);
	return v != NULL;
}

static bool read_element(struct reader *r, json_t *array)
{
	json_t *v = read_value(r);

	if (v && json_array_append_new(array, v) < 0)
		BUG("json_array_append");
	return v != NULL;
}

typedef bool piece_f(struct reader *r, json_t *container);

/* Pieces up to and with the closing bracket. */
static bool fill(struct reader *r, json_t *container, char end, piece_f *read_piece)
{
	if (take(r, end))
		return true;
	do {
		if (!read_piece(r, container))
			return false;
	} while (take(r, ','));
	return take(r, end) || fault(r, JSON_NOT_JSON);
}

static json_t *read_container(struct reader *r, json_t *container, char end, piece_f *read_piece)
{
	bool good = r->depth < JSON_DEPTH_MAX || fault(r, JSON_TOO_DEEP);

	r->depth++;
	good = good && fill(r, container, end, read_piece);
	r->depth--;
	if (good)
		return container;
	json_decref(container);
	return NULL;
}

static json_t *read_value(struct reader *r)
{
	char c = next(r);

	if (++r->nodes > r->nodes_max)
		return fail(r, JSON_TOO_LARGE);
	switch (c) {
	case '{':
		r->p++;
		return read_container(r, json_object(), '}', read_member);
	case '[':
		r->p++;
		return read_container(r, json_array(), ']', read_element);
	case '"':
		r->p++;
		return read_string(r);
	case 't':
	case 'f':
	case 'n':
		return read_word(r);
	}
	return read_number(r);
}

/* The input is not quoted: only the place is told. */
static void tell(const struct reader *r, const char *text, struct strbuf *why)
{
	int line = 1, column = 1;

	if (r->verdict == JSON_TOO_DEEP)
		why_write(why, "nested deeper than %d levels", JSON_DEPTH_MAX);
	if (r->verdict == JSON_TOO_LARGE)
		why_write(why, "more than %d values", r->nodes_max);
	if (r->verdict == JSON_TOO_DEEP || r->verdict == JSON_TOO_LARGE)
		return;
	for (const char *p = text; p < r->p; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	why_write(why, "line %d column %d", line, column);
}

enum json_verdict json_parse_large(const void *text, size_t len, int nodes, json_t **out, struct strbuf *why)
{
	struct reader r = { .p = text, .end = (const char *)text + len, .nodes_max = nodes, .scratch = STRBUF_INIT };
	char first = next(&r);
	json_t *v = first == '{' || first == '[' ? read_value(&r) : fail(&r, JSON_NOT_JSON);

	next(&r);
	if (v && r.p < r.end) {
		json_decref(v);
		v = fail(&r, JSON_NOT_JSON);
	}
	if (!v)
		tell(&r, text, why);
	mem_wipe(r.scratch.buf, r.scratch.len);		/* it may be a secret */
	strbuf_release(&r.scratch);
	*out = v;
	return r.verdict;
}

enum json_verdict json_parse(const void *text, size_t len, json_t **out, struct strbuf *why)
{
	return json_parse_large(text, len, JSON_NODES_MAX, out, why);
}
