#include "sandbox/tokens.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "sandbox/graph.h"

enum { MADE_UP_BYTES = 48 };

static const struct { const char *name; int subcode; } states[] = {
#define TOKEN_STATE(ident, name, subcode) [TOKEN_##ident] = { name, subcode },
#include "sandbox/tbl_token_states.h"
#undef TOKEN_STATE
};

static const struct { int subcode; const char *words; } subcodes[] = {
#define SUBCODE(subcode, words) { subcode, words },
#include "sandbox/tbl_subcodes.h"
#undef SUBCODE
};

/* ---- life ---- */

void tokens_release(struct tokens *ts)
{
	for (size_t i = 0; i < ts->n; i++) {
		mem_free_secret(ts->all[i]->text);
		free(ts->all[i]);
	}
	for (size_t i = 0; i < ts->n_grants; i++) {
		free(ts->grants[i]->numbers);
		free(ts->grants[i]);
	}
	free(ts->all);
	free(ts->grants);
	strmap_release(&ts->by_text);
	*ts = (struct tokens){ 0 };
}

struct token *tokens_find(const struct tokens *ts, const char *text, size_t len)
{
	struct token *t = strmap_get(&ts->by_text, text, len);

	return t && t->known ? t : NULL;
}

static struct grant *add_grant(struct tokens *ts)
{
	struct grant *g = mem_alloc(sizeof(*g));

	if ((ts->n_grants & (ts->n_grants - 1)) == 0)
		ts->grants = mem_grow(ts->grants, ts->n_grants ? ts->n_grants * 2 : 1, sizeof(struct grant *));
	ts->grants[ts->n_grants++] = g;
	return g;
}

static struct token *add_token(struct tokens *ts, const char *text)
{
	struct token *t = mem_alloc(sizeof(*t));

	t->text = mem_strdup(text);
	if ((ts->n & (ts->n - 1)) == 0)
		ts->all = mem_grow(ts->all, ts->n ? ts->n * 2 : 1, sizeof(struct token *));
	ts->all[ts->n++] = t;
	strmap_put(&ts->by_text, t->text, t);
	return t;
}

/* ---- the accounts file ---- */

void tokens_read_begin(struct tokens *ts)
{
	for (size_t i = 0; i < ts->n_grants; i++)
		ts->grants[i]->n = 0;
	for (size_t i = 0; i < ts->n; i++)
		if (ts->all[i]->from_file)
			ts->all[i]->known = false;
}

static void grant_add(struct grant *g, struct number *n)
{
	if ((g->n & (g->n - 1)) == 0)
		g->numbers = mem_grow(g->numbers, g->n ? g->n * 2 : 1, sizeof(struct number *));
	g->numbers[g->n++] = n;
}

struct grant *tokens_read(struct tokens *ts, const char *text, struct number *n, int64_t expires_s)
{
	struct token *t = strmap_get(&ts->by_text, text, strlen(text));

	if (!t) {
		t = add_token(ts, text);
		t->grant = add_grant(ts);
	}
	t->from_file = t->known = true;
	if (expires_s >= 0)
		t->expires_s = expires_s;
	grant_add(t->grant, n);
	return t->grant;
}

void tokens_read_end(struct tokens *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		if (!ts->all[i]->known)
			ts->all[i]->state = TOKEN_VALID;	/* should it ever come back, it begins anew */
}

/* ---- issuing ---- */

static char *make_up(void)
{
	uint8_t raw[MADE_UP_BYTES];
	char hex[2 * MADE_UP_BYTES + 1];
	struct strbuf sb = STRBUF_INIT;

	rand_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	strbuf_addf(&sb, "EAA%s", hex);
	return strbuf_detach(&sb);
}

struct token *tokens_issue(struct tokens *ts, struct grant *g, const char *text, int64_t issued_s, int64_t expires_s)
{
	char *made_up = text ? NULL : make_up();
	struct token *t = text ? strmap_get(&ts->by_text, text, strlen(text)) : NULL;

	if (!t)
		t = add_token(ts, text ? text : made_up);
	mem_free_secret(made_up);
	t->grant = g;
	t->known = true;
	t->state = TOKEN_VALID;
	t->subcode = 0;
	t->issued_s = issued_s;
	t->expires_s = expires_s;
	return t;
}

/* ---- state ---- */

enum token_state token_state_at(const struct token *t, int64_t now_s)
{
	return t->state == TOKEN_VALID && t->expires_s && t->expires_s <= now_s ? TOKEN_EXPIRED : t->state;
}

int token_subcode_at(const struct token *t, int64_t now_s)
{
	enum token_state s = token_state_at(t, now_s);

	return s != TOKEN_VALID && t->subcode ? t->subcode : states[s].subcode;
}

const char *token_subcode_words(int subcode)
{
	for (size_t i = 0; i < ARRAY_LEN(subcodes); i++)
		if (subcodes[i].subcode == subcode)
			return subcodes[i].words;
	return "Error validating access token: The session is invalid.";
}

int token_check(const struct token *t, int64_t now_s, struct graph_error *e)
{
	if (token_state_at(t, now_s) == TOKEN_VALID)
		return 0;
	e->subcode = token_subcode_at(t, now_s);
	e->bare = true;
	return graph_error_set(e, 190, "%s", token_subcode_words(e->subcode));
}

int token_state_parse(const char *name, enum token_state *out)
{
	for (int i = 0; i < TOKEN_STATES; i++)
		if (strcmp(states[i].name, name) == 0) {
			*out = (enum token_state)i;
			return 0;
		}
	return -1;
}

const char *token_state_name(enum token_state s)
{
	return states[s].name;
}

int token_time_parse(const json_t *v, int64_t *unix_s)
{
	struct tm tm = { 0 };
	const char *rest;

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*unix_s = json_integer_value(v);
		return 0;
	}
	rest = json_is_string(v) ? strptime(json_string_value(v), "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest || strcmp(rest, "Z"))
		return -1;
	*unix_s = timegm(&tm);
	return 0;
}
