/* template_words - JSON for people: in single quotes, as tests of templates write it. */
#ifndef TEMPLATE_WORDS_H
#define TEMPLATE_WORDS_H

#include "unit.h"

#include "msg/json.h"

static inline json_t *quoted(const char *text)
{
	struct strbuf sb = STRBUF_INIT, why = STRBUF_INIT;
	json_t *v;

	strbuf_adds(&sb, text);
	for (size_t i = 0; i < sb.len; i++)
		if (sb.buf[i] == '\'')
			sb.buf[i] = '"';
	ck_assert_msg(json_parse(sb.buf, sb.len, &v, &why) == JSON_OK, "%s: %s", sb.buf, why.buf);
	strbuf_release(&sb);
	strbuf_release(&why);
	return v;
}

static inline json_t *quoted_f(const char *fmt, ...) PRINTF(1, 2);
static inline json_t *quoted_f(const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	v = quoted(sb.buf);
	strbuf_release(&sb);
	return v;
}

/* Releases v; want in single quotes. */
static inline void ck_assert_json(json_t *v, const char *want, const char *what)
{
	json_t *w = quoted(want);
	struct strbuf found = STRBUF_INIT;

	if (v)
		json_dump_to(v, JSON_COMPACT, &found);
	ck_assert_msg(v && json_equal(v, w), "%s\nis     %s\nwanted %s", what, found.buf, want);
	strbuf_release(&found);
	json_decref(v);
	json_decref(w);
}

#endif
