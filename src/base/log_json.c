#include "base/log_json.h"

#include "base/str.h"

enum { TAIL = 16, NAMES_MAX = 32, NAME_LEN_MAX = 32 };	/* room for all that closes the line */

struct line { char *out; size_t at, max; };
struct span { const char *p; size_t len; };

static void put(struct line *l, const char *s)
{
	size_t n = strlen(s);

	if (l->at + n + 1 > l->max)
		return;
	memcpy(l->out + l->at, s, n + 1);
	l->at += n;
}

/* Length of the UTF-8 sequence at p, 0: none. */
static size_t sequence(const char *p, const char *end)
{
	for (size_t n = 1; n <= 4 && p + n <= end; n++)
		if (str_is_utf8(p, n))
			return n;
	return 0;
}

/* In quotes; what there is no room for is left out, and the quote still comes. */
static void put_text(struct line *l, struct span s)
{
	const char *p = s.p, *end = s.p + s.len;

	put(l, "\"");
	while (p < end && l->at + TAIL + 8 < l->max) {
		size_t n = sequence(p, end);
		unsigned char c = (unsigned char)*p;

		if (!n)
			put(l, "\\ufffd");
		else if (c == '"' || c == '\\')
			put(l, c == '"' ? "\\\"" : "\\\\");
		else if (c < 0x20 || c == 0x7f)
			l->at += (size_t)snprintf(l->out + l->at, l->max - l->at, "\\u%04x", c);
		else
			for (size_t i = 0; i < n; i++)
				l->out[l->at++] = p[i];
		p += n ? n : 1;
	}
	put(l, "\"");
}

static void put_member(struct line *l, const char *lead, const char *name, const char *value)
{
	put(l, lead);
	put_text(l, (struct span){ name, strlen(name) });
	put(l, ":");
	put_text(l, (struct span){ value, strlen(value) });
}

/* ---- name=value ---- */

/* Length of the name when a word is name=…, else 0. */
static size_t name_at(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");

	return n && n <= NAME_LEN_MAX && p[n] == '=' && p[0] > '9' ? n : 0;
}

struct fields { struct span names[NAMES_MAX], values[NAMES_MAX]; int n; const char *rest; };

static bool is_known(const struct fields *f, struct span name)
{
	for (int i = 0; i < f->n; i++)
		if (f->names[i].len == name.len && !memcmp(f->names[i].p, name.p, name.len))
			return true;
	return f->n == NAMES_MAX;
}

/* Where the next field begins, or the text's end; its first word decides whether a text for people comes behind. */
static const char *value_end(const struct fields *f, const char *p, bool is_last, bool *text_follows)
{
	size_t first = strcspn(p, " ");

	*text_follows = !is_last && first && p[first] && p[first - 1] == ':';
	if (*text_follows)
		return p + first - 1;
	for (p += first; *p && !is_last; p += strcspn(p, " ")) {
		const char *word = p + strspn(p, " ");
		size_t n = name_at(word);

		if (n && !is_known(f, (struct span){ word, n }))
			return p;
		p = word;
	}
	return p + strlen(p);
}

static void read_fields(const char *text, struct fields *f)
{
	const char *p = text;
	size_t n;

	f->n = 0;
	while ((n = name_at(p)) && !is_known(f, (struct span){ p, n })) {
		bool text_follows, is_error = n == 5 && !strncmp(p, "error", 5);
		const char *value = p + n + 1, *end;

		f->names[f->n++] = (struct span){ p, n };
		end = value_end(f, value, is_error, &text_follows);
		f->values[f->n - 1] = (struct span){ value, (size_t)(end - value) };
		p = end + text_follows;
		p += strspn(p, " ");
		if (text_follows)
			break;
	}
	f->rest = p;
}

static void put_fields(struct line *l, const struct fields *f)
{
	put(l, ",\"fields\":{");
	for (int i = 0; i < f->n && l->at + TAIL + 2 * NAME_LEN_MAX < l->max; i++) {
		put(l, i ? "," : "");
		put_text(l, f->names[i]);
		put(l, ":");
		put_text(l, f->values[i]);
	}
	put(l, "}");
}

size_t log_json_line(char *out, size_t max, const char *when, const char *level, const char *who, const char *word, const char *text)
{
	struct line l = { .out = out, .max = max };
	struct fields f;

	put_member(&l, "{", "time", when);
	put_member(&l, ",", "level", level);
	put_member(&l, ",", "who", who);
	put_member(&l, ",", "event", word);
	read_fields(text, &f);
	if (f.n)
		put_fields(&l, &f);
	if (*f.rest && l.at + 3 * TAIL < l.max)
		put_member(&l, ",", "text", f.rest);
	put(&l, "}");
	return l.at;
}
