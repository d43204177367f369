#include "msg/template_wire.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

/* Words divided by blanks: no name, id or number has one. */
static const char ask_kind[] = "template?", told_kind[] = "template!";

static void add_ask(struct strbuf *out, const char *kind, const struct template_ask *a)
{
	strbuf_addf(out, "%s %s %s %s", kind, a->tenant, a->account, a->name);
}

static bool take_ask(const char **p, const char *end, const char *kind, struct template_ask *out)
{
	char word[16];

	return str_take_word(p, end, word, sizeof(word)) && !strcmp(word, kind) && str_take_word(p, end, out->tenant, sizeof(out->tenant)) &&
	       str_take_word(p, end, out->account, sizeof(out->account)) && str_take_word(p, end, out->name, sizeof(out->name));
}

void template_ask_write(const struct template_ask *a, struct strbuf *out)
{
	add_ask(out, ask_kind, a);
}

int template_ask_read(const char *data, size_t len, struct template_ask *out)
{
	const char *p = data;

	return take_ask(&p, data + len, ask_kind, out) && p == data + len ? 0 : -1;
}

void template_told_write(const struct template_told *t, struct strbuf *out)
{
	add_ask(out, told_kind, &t->ask);
	strbuf_addf(out, " %d %" PRId64, (int)t->word, t->ms);
}

int template_told_read(const char *data, size_t len, struct template_told *out)
{
	const char *p = data, *end = data + len;
	char word[8], ms[24];
	int64_t n;

	if (!take_ask(&p, end, told_kind, &out->ask) || !str_take_word(&p, end, word, sizeof(word)) || !str_take_word(&p, end, ms, sizeof(ms)) || p != end)
		return -1;
	if (parse_i64(word, &n) < 0 || n < 0 || n > TEMPLATE_NOBODY_KNOWS || parse_i64(ms, &out->ms) < 0 || out->ms < 0)
		return -1;
	out->word = (enum template_word)n;
	return 0;
}
