/*
 * tokens - every access token this Graph has issued, what it may touch, and whether it is still good.
 *
 * A grant is what a token may touch: the numbers whose lines of the accounts file have the same access_token.  A token that is
 * exchanged or ordered for one of them has the same grant, so an old and a new token work side by side until one of them ends.
 * Ownership: tokens and grants live until tokens_release(); a token's text is wiped then.
 */
#ifndef SANDBOX_TOKENS_H
#define SANDBOX_TOKENS_H

#include <jansson.h>

#include "base/strbuf.h"
#include "sandbox/strmap.h"

struct graph_error;
struct number;

enum token_state {
#define TOKEN_STATE(ident, name, subcode) TOKEN_##ident,
#include "sandbox/tbl_token_states.h"
#undef TOKEN_STATE
	TOKEN_STATES
};

struct grant {
	struct number **numbers;	/* none: they are gone from the file, or have another token now */
	size_t n;
};

struct token {
	char *text;
	struct grant *grant;
	enum token_state state;		/* as it was ordered; the clock may have ended it (token_state_at) */
	int subcode;			/* 0: the state's own */
	int64_t issued_s, expires_s;	/* Unix time; expires_s 0: never */
	bool from_file, known;		/* what the file no longer has is unknown */
};

struct tokens {
	struct token **all;
	struct grant **grants;
	size_t n, n_grants;
	struct strmap by_text;
};

void tokens_release(struct tokens *ts);
struct token *tokens_find(const struct tokens *ts, const char *text, size_t len);	/* NULL: unknown */

/* The accounts file is read: begin, then one call for each of its lines, then end. */
void tokens_read_begin(struct tokens *ts);
struct grant *tokens_read(struct tokens *ts, const char *text, struct number *n, int64_t expires_s);	/* expires_s -1: not said */
void tokens_read_end(struct tokens *ts);

/* A valid token with this grant; text NULL: one that is made up. */
struct token *tokens_issue(struct tokens *ts, struct grant *g, const char *text, int64_t issued_s, int64_t expires_s);

enum token_state token_state_at(const struct token *t, int64_t now_s);
int token_subcode_at(const struct token *t, int64_t now_s);		/* 0: it is valid */
/* 0, or -1 with Graph's 190 in e. */
int token_check(const struct token *t, int64_t now_s, struct graph_error *e) MUST_CHECK;
const char *token_subcode_words(int subcode);
int token_state_parse(const char *name, enum token_state *out) MUST_CHECK;
const char *token_state_name(enum token_state s);

/* A time as the accounts file and the tenant service write it: Unix seconds or 2026-11-27T04:05:06Z. */
int token_time_parse(const json_t *v, int64_t *unix_s) MUST_CHECK;

#endif
