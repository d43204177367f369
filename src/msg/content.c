#include "msg/content.h"

#include <inttypes.h>
#include <math.h>
#include <strings.h>

#include "base/str.h"
#include "msg/content_inside.h"

struct member {
	const char *name;		/* NULL: the end */
	enum content_kind kind;
	enum content_need need;
	int64_t min, max;
	const char *words;
	enum content_object part;
};

/* An array for each object … */
#define OBJECT(ident, rule) static const struct member members_##ident[] = {
#define MEMBER(name_, kind_, need_, lo, hi) { .name = name_, .kind = KIND_##kind_, .need = NEED_##need_, .min = lo, .max = hi },
#define WORD(name_, need_, list) { .name = name_, .kind = KIND_WORD, .need = NEED_##need_, .words = list },
#define PART(name_, kind_, need_, lo, hi, object) \
	{ .name = name_, .kind = KIND_##kind_, .need = NEED_##need_, .min = lo, .max = hi, .part = CONTENT_##object },
#define END { .name = NULL } };
#include "tbl/content_actions.h"
#include "tbl/content_plain.h"
#undef OBJECT
#undef MEMBER
#undef WORD
#undef PART
#undef END

/* … and one of the objects. */
static const struct { const struct member *members; content_rule_f *rule; } objects[] = {
#define OBJECT(ident, rule) [CONTENT_##ident] = { members_##ident, content_rule_##rule },
#define MEMBER(...)
#define WORD(...)
#define PART(...)
#define END
#include "tbl/content_actions.h"
#include "tbl/content_plain.h"
#undef OBJECT
#undef MEMBER
#undef WORD
#undef PART
#undef END
};

static const struct type { const char *name; enum content_object object; int64_t most; } types[] = {
#define CONTENT_TYPE(type, object, most) { type, CONTENT_##object, most },
#include "tbl/content_types.h"
#undef CONTENT_TYPE
};

static const struct type *find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

bool content_is_known(const char *type)
{
	return find_type(type) != NULL;
}

/* ---- saying what is wrong ---- */

static void print_path(struct strbuf *out, const struct content_path *at)
{
	if (at->up)
		print_path(out, at->up);
	if (!at->name)
		strbuf_addf(out, "[%zu]", at->index);
	else
		strbuf_addf(out, at->up ? ".%s" : "%s", at->name);
}

int content_refuse(struct strbuf *why, const struct content_path *at, const char *member, const char *fmt, ...)
{
	struct content_path below = { at, member, 0 };
	va_list ap;

	if (!why)
		return -1;
	strbuf_reset(why);
	print_path(why, member ? &below : at);
	strbuf_adds(why, ": found ");
	va_start(ap, fmt);
	strbuf_vaddf(why, fmt, ap);
	va_end(ap);
	return -1;
}

static int refuse_kind(struct strbuf *why, const struct content_path *at, const json_t *v, const char *allowed)
{
	return content_refuse(why, at, NULL, "%s, allowed %s", json_kind(v), allowed);
}

/* "3 items", "21 characters" */
static int refuse_count(struct strbuf *why, const struct content_path *at, size_t n, const char *what, int64_t min, int64_t max)
{
	if (max)
		return content_refuse(why, at, NULL, "%zu %s, allowed %" PRId64 " to %" PRId64, n, what, min, max);
	return content_refuse(why, at, NULL, "%zu %s, allowed %" PRId64 " or more", n, what, min);
}

/* ---- one value ---- */

static int check_text(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	size_t n;

	if (!json_is_string(v))
		return refuse_kind(why, at, v, "a string");
	n = utf8_count(json_string_value(v), json_string_length(v));
	if ((int64_t)n < m->min || (m->max && (int64_t)n > m->max))
		return refuse_count(why, at, n, n == 1 ? "character" : "characters", m->min, m->max);
	return 0;
}

static int check_name(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	const char *s = json_string_value(v);

	if (check_text(m, v, at, why) < 0)
		return -1;
	if (s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return content_refuse(why, at, NULL, "another character, allowed a-z 0-9 _");
	return 0;
}

/* Meta's own examples have it both ways. */
static int read_number(const json_t *v, double *out)
{
	const char *s = json_string_value(v);
	char *end;

	*out = json_number_value(v);
	if (json_is_number(v))
		return 0;
	if (!s || !*s || s[strspn(s, "+-.0123456789eE")])
		return -1;
	*out = strtod(s, &end);
	return *end || !isfinite(*out) ? -1 : 0;
}

static int check_degrees(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	double x;

	if (read_number(v, &x) < 0)
		return refuse_kind(why, at, v, "a number, also as a string");
	if (x < (double)m->min || x > (double)m->max)
		return content_refuse(why, at, NULL, "a number out of range, allowed %" PRId64 " to %" PRId64, m->min, m->max);
	return 0;
}

static int check_whole(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	double x;

	if (read_number(v, &x) < 0 || x != floor(x))
		return refuse_kind(why, at, v, "a whole number, also as a string");
	if (x < (double)m->min || x > (double)m->max)
		return content_refuse(why, at, NULL, "%.0f, allowed %" PRId64 " to %" PRId64, x, m->min, m->max);
	return 0;
}

static int check_id(const json_t *v, const struct content_path *at, struct strbuf *why)
{
	if (json_is_integer(v) && json_integer_value(v) > 0)
		return 0;
	if (!json_is_string(v))
		return refuse_kind(why, at, v, "digits in a string");
	return str_is_digits(json_string_value(v)) ? 0 : content_refuse(why, at, NULL, "another text, allowed digits");
}

static int check_link(const json_t *v, const struct content_path *at, struct strbuf *why)
{
	const char *s = json_string_value(v), *host;

	if (!s)
		return refuse_kind(why, at, v, "a string");
	host = !strncasecmp(s, "https://", 8) ? s + 8 : !strncasecmp(s, "http://", 7) ? s + 7 : NULL;
	if (!host || !strcspn(host, "/?#:") || strpbrk(s, " \t\r\n"))
		return content_refuse(why, at, NULL, "another text, allowed an address with http:// or https:// and a host");
	return 0;
}

static int check_reference(const json_t *v, const struct content_path *at, struct strbuf *why)
{
	static const char hex[] = "0123456789abcdef",
		handle[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	const char *s = json_string_value(v);

	if (!s)
		return refuse_kind(why, at, v, "a string");
	if (str_starts(s, "sha256:") && strlen(s) == 7 + 64 && strspn(s + 7, hex) == 64)
		return 0;
	if (str_starts(s, "m.") && strlen(s) == 2 + 22 && strspn(s + 2, handle) == 22)
		return 0;
	return content_refuse(why, at, NULL, "another text, allowed sha256: with 64 hex digits, or the handle of an upload");
}

static int check_date(const json_t *v, const struct content_path *at, struct strbuf *why)
{
	const char *s = json_string_value(v), *form = "dddd-dd-dd";

	if (!s)
		return refuse_kind(why, at, v, "a string");
	for (; *form && (*form == 'd' ? *s >= '0' && *s <= '9' : *s == *form); form++)
		s++;
	return *form || *s ? content_refuse(why, at, NULL, "another text, allowed a date such as 2026-11-23") : 0;
}

static int check_language(const json_t *v, const struct content_path *at, struct strbuf *why)
{
	static const struct member code = { .min = 1 };
	struct content_path below = { at, "code", 0 };

	if (json_is_object(v))
		return check_text(&code, json_object_get(v, "code"), &below, why);
	return json_is_string(v) ? check_text(&code, v, at, why) : refuse_kind(why, at, v, "a string, or an object with code");
}

bool content_word_is(const json_t *v, const char *words)
{
	const char *s = json_string_value(v);

	for (const char *p = words; s && *p; p += *p == '|') {
		size_t n = strcspn(p, "|");

		if (strlen(s) == n && !strncasecmp(p, s, n))
			return true;
		p += n;
	}
	return false;
}

static int check_word(const char *words, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	if (!json_is_string(v))
		return refuse_kind(why, at, v, "a string");
	return content_word_is(v, words) ? 0 : content_refuse(why, at, NULL, "another text, allowed %s", words);
}

static int check_list(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	struct content_path item = { at, NULL, 0 };
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return refuse_kind(why, at, v, "an array");
	if ((int64_t)n < m->min)
		return refuse_count(why, at, n, n == 1 ? "item" : "items", m->min, m->max);
	item.index = (size_t)m->max;		/* the first that is too many */
	if (m->max && (int64_t)n > m->max)
		return refuse_count(why, &item, n, "items", m->min, m->max);
	for (item.index = 0; item.index < n; item.index++)
		if (content_object_check(m->part, json_array_get(v, item.index), &item, why) < 0)
			return -1;
	return 0;
}

static int check_value(const struct member *m, const json_t *v, const struct content_path *at, struct strbuf *why)
{
	switch (m->kind) {
	case KIND_TEXT:      return check_text(m, v, at, why);
	case KIND_FLAG:      return json_is_boolean(v) ? 0 : refuse_kind(why, at, v, "a boolean");
	case KIND_WHOLE:     return check_whole(m, v, at, why);
	case KIND_DEGREES:   return check_degrees(m, v, at, why);
	case KIND_ID:        return check_id(v, at, why);
	case KIND_LINK:      return check_link(v, at, why);
	case KIND_REFERENCE: return check_reference(v, at, why);
	case KIND_DATE:      return check_date(v, at, why);
	case KIND_NAME:      return check_name(m, v, at, why);
	case KIND_LANGUAGE:  return check_language(v, at, why);
	case KIND_NOTHING:   return refuse_kind(why, at, v, "nothing");
	case KIND_WORD:      return check_word(m->words, v, at, why);
	case KIND_OBJECT:    return content_object_check(m->part, v, at, why);
	case KIND_LIST:      return check_list(m, v, at, why);
	}
	BUG("kind %d", (int)m->kind);
}

/* ---- one object ---- */

bool content_has(const json_t *o, const char *member)
{
	const json_t *v = json_object_get(o, member);

	return v && !json_is_null(v);
}

int content_object_check(enum content_object which, const json_t *o, const struct content_path *at, struct strbuf *why)
{
	if (!json_is_object(o))
		return refuse_kind(why, at, o, "an object");
	for (const struct member *m = objects[which].members; m->name; m++) {
		struct content_path below = { at, m->name, 0 };

		/* What is missing is refused by its kind: found nothing, allowed … */
		if ((m->need == NEED_MUST || content_has(o, m->name)) &&
		    check_value(m, json_object_get(o, m->name), &below, why) < 0)
			return -1;
	}
	return objects[which].rule(o, at, why);
}

/* ---- a whole payload ---- */

/* Texts had their reasons before there were other types. */
static enum reason reason_of(const char *type, const json_t *payload)
{
	const json_t *body = json_object_get(payload, "body");
	size_t n;

	if (strcmp(type, "text") != 0)
		return REASON_BAD_CONTENT;
	if (!json_is_string(body))
		return REASON_BAD_FIELD;
	n = utf8_count(json_string_value(body), json_string_length(body));
	return !n ? REASON_TEXT_EMPTY : n > TEXT_MAX ? REASON_TEXT_TOO_LONG : REASON_BAD_FIELD;
}

static int check_file(void *arg, json_t *object, const char *kind, const struct content_path *at, struct strbuf *why)
{
	int *references = arg;

	(void)kind;
	if (content_object_check(CONTENT_SOURCE, object, at, why) < 0)
		return -1;
	*references += content_has(object, "media");
	return *references <= MEDIA_REFS_MAX ? 0 :
	       content_refuse(why, at, "media", "%d files by media in one message, allowed %d", *references, MEDIA_REFS_MAX);
}

static int check_payload(const struct type *t, const json_t *payload, bool free_buttons, struct strbuf *why)
{
	struct content_path root = { NULL, t->name, 0 };
	struct member list = { .min = 1, .max = t->most, .part = t->object };

	if (t->most)
		return check_list(&list, payload, &root, why);
	if (free_buttons && t->object == CONTENT_INTERACTIVE)
		return json_is_object(payload) ? 0 : refuse_kind(why, &root, payload, "an object");
	return content_object_check(t->object, payload, &root, why);
}

enum reason content_check(const char *type, const json_t *payload, bool free_buttons, struct strbuf *why)
{
	const struct type *t = find_type(type);
	int references = 0;

	if (!t)
		BUG("content of type %s", type);
	if (check_payload(t, payload, free_buttons, why) < 0 || content_each_file(type, payload, check_file, &references, why) < 0)
		return reason_of(type, payload);
	return REASON_NONE;
}
