#include "msg/keeper_wire.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

/* A line of words divided by blanks, and behind it the document: no name, id or number has a blank. */
static const char ask_kind[] = "ask?", told_kind[] = "told!";

static const struct { const char *name; bool is_shared; } calls[] = {
#define KEEPER_CALL(ident, name, shared, help) { name, shared },
#include "tbl/keeper_calls.h"
#undef KEEPER_CALL
};

const char *keeper_call_name(enum keeper_call c)
{
	return calls[c].name;
}

bool keeper_call_is_shared(enum keeper_call c)
{
	return calls[c].is_shared;
}

static bool take_kind(const char **p, const char *end, const char *kind)
{
	char word[8];

	return str_take_word(p, end, word, sizeof(word)) && !strcmp(word, kind);
}

static bool take_size(const char **p, const char *end, int64_t max, int64_t *out)
{
	char word[24];

	return str_take_word(p, end, word, sizeof(word)) && parse_i64(word, out) == 0 && *out >= 0 && *out <= max;
}

void keeper_ask_write(const struct keeper_ask *a, struct strbuf *out)
{
	strbuf_addf(out, "%s %s %s %s %s\n", ask_kind, a->id, calls[a->call].name, a->tenant, *a->account ? a->account : "-");
	strbuf_add(out, a->args, a->len);
}

int keeper_ask_read(const char *data, size_t len, struct keeper_ask *out)
{
	const char *p = data, *end = memchr(data, '\n', len);
	char name[32];
	int c = 0;

	if (!end || !take_kind(&p, end, ask_kind) || !str_take_word(&p, end, out->id, sizeof(out->id)) || !str_take_word(&p, end, name, sizeof(name)) ||
	    !str_take_word(&p, end, out->tenant, sizeof(out->tenant)) || !str_take_word(&p, end, out->account, sizeof(out->account)) || p != end)
		return -1;
	while (c < KEEPER_CALLS && strcmp(calls[c].name, name))
		c++;
	if (c == KEEPER_CALLS)
		return -1;
	out->call = (enum keeper_call)c;
	out->args = end + 1;
	out->len = len - (size_t)(end + 1 - data);
	return 0;
}

void keeper_told_write(const struct keeper_told *t, struct strbuf *out)
{
	strbuf_addf(out, "%s %s %d %zu %zu\n", told_kind, t->id, t->status, t->total, t->offset);
	strbuf_add(out, t->part, t->len);
}

int keeper_told_read(const char *data, size_t len, struct keeper_told *out)
{
	const char *p = data, *end = memchr(data, '\n', len);
	int64_t status, total, offset;

	if (!end || !take_kind(&p, end, told_kind) || !str_take_word(&p, end, out->id, sizeof(out->id)) || !take_size(&p, end, 599, &status) ||
	    !take_size(&p, end, KEEPER_ANSWER_MAX, &total) || !take_size(&p, end, total, &offset) || p != end)
		return -1;
	out->status = (int)status;
	out->total = (size_t)total;
	out->offset = (size_t)offset;
	out->part = end + 1;
	out->len = len - (size_t)(end + 1 - data);
	return out->status >= 200 && out->len <= out->total - out->offset ? 0 : -1;
}
