#include "sandbox/stencil.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static size_t find_n(const struct stencil *s, const char *name, size_t n)
{
	for (size_t i = 0; s->names && i < s->wants; i++)
		if (strlen(s->names[i]) == n && memcmp(s->names[i], name, n) == 0)
			return i;
	return SIZE_MAX;
}

size_t stencil_find(const struct stencil *s, const char *name)
{
	return find_n(s, name, strlen(name));
}

static int find_or_add(struct stencil *s, const char *name, size_t n, size_t *which, struct strbuf *why)
{
	*which = find_n(s, name, n);
	if (*which != SIZE_MAX)
		return 0;
	if (s->wants == STENCIL_WANTS_MAX)
		return why_set(why, "more than %d parameters", STENCIL_WANTS_MAX);
	s->names = mem_grow(s->names, s->wants + 1, sizeof(*s->names));
	s->names[s->wants] = mem_strndup(name, n);
	*which = s->wants++;
	return 0;
}

static int position(struct stencil *s, const char *digits, size_t n, size_t *which, struct strbuf *why)
{
	size_t v = 0;

	for (size_t i = 0; i < n && v <= STENCIL_WANTS_MAX; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return why_set(why, "{{%.*s}} in a text with positional parameters", (int)n, digits);
		v = v * 10 + (size_t)(digits[i] - '0');
	}
	if (v < 1 || v > STENCIL_WANTS_MAX)
		return why_set(why, "{{%.*s}} is no position from 1 to %d", (int)n, digits, STENCIL_WANTS_MAX);
	*which = v - 1;
	if (v > s->wants)
		s->wants = v;
	return 0;
}

/* The length of the placeholder at p, 0 when there is none: "{{", a name with or without blanks around it, "}}". */
static size_t placeholder(const char *p, const char **name, size_t *n)
{
	const char *end;

	*name = p + 2 + strspn(p + 2, " ");
	*n = strspn(*name, name_characters);
	end = *name + *n + strspn(*name + *n, " ");
	return *n && end[0] == '}' && end[1] == '}' ? (size_t)(end + 2 - p) : 0;
}

static int add_hole(struct stencil *s, struct stencil_hole hole, const char *name, size_t n, bool named, struct strbuf *why)
{
	if ((named ? find_or_add(s, name, n, &hole.which, why) : position(s, name, n, &hole.which, why)) < 0)
		return -1;
	s->holes = mem_grow(s->holes, s->n_holes + 1, sizeof(*s->holes));
	s->holes[s->n_holes++] = hole;
	return 0;
}

int stencil_cut(struct stencil *s, const char *text, bool named, struct strbuf *why)
{
	const char *name;
	size_t n, len, in_holes = 0;

	*s = (struct stencil){ .text = mem_strdup(text) };
	for (const char *p = strstr(s->text, "{{"); p; p = strstr(p, "{{")) {
		len = placeholder(p, &name, &n);
		if (!len) {
			p++;
			continue;
		}
		struct stencil_hole hole = { (size_t)(p - s->text), (size_t)(p - s->text) + len, 0 };
		if (add_hole(s, hole, name, n, named, why) < 0) {
			stencil_release(s);
			return -1;
		}
		in_holes += len;
		p += len;
	}
	s->fixed = utf8_count(s->text, strlen(s->text)) - in_holes;
	return 0;
}

void stencil_release(struct stencil *s)
{
	for (size_t i = 0; s->names && i < s->wants; i++)
		free(s->names[i]);
	free(s->names);
	free(s->holes);
	free(s->text);
	*s = (struct stencil){ 0 };
}

size_t stencil_length(const struct stencil *s, const char *const *values)
{
	size_t n = s->fixed;

	for (size_t i = 0; i < s->n_holes; i++)
		n += utf8_count(values[s->holes[i].which], strlen(values[s->holes[i].which]));
	return n;
}

void stencil_fill(const struct stencil *s, const char *const *values, struct strbuf *out)
{
	size_t done = 0;

	for (size_t i = 0; i < s->n_holes; i++) {
		strbuf_add(out, s->text + done, s->holes[i].at - done);
		strbuf_adds(out, values[s->holes[i].which]);
		done = s->holes[i].end;
	}
	strbuf_adds(out, s->text + done);
}
