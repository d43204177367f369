/*
 * tokens - the life of access tokens: are they good, when do they end, and a new one in time (Meta: "Access tokens").
 *
 * token_check asks debug_token where app id and secret are known, else the number itself; a bad token is looked for anew at its source,
 * and if that has no other one, the account is held and people are told.  Never in front of a message.
 * token_refresh exchanges a token (fb_exchange_token) after half to three quarters of its life; the old one is good until its own end,
 * so nothing is lost meanwhile.  The new one goes back to the tenant service - one host of the fleet does it - or into state_dir.
 * Both are jobs of the keeper (graph/jobs.h).
 */
#ifndef GRAPH_TOKENS_H
#define GRAPH_TOKENS_H

#include "flow/registry.h"
#include "graph/calls.h"
#include "graph/jobs.h"

struct tokens_options {
	const struct conf *conf;
	struct store *store;
	struct graph *graph;
	struct jobs *jobs;
	struct registry *registry;
	struct alerts *alerts;
};

struct tokens *tokens_new(const struct tokens_options *o);	/* adds its jobs */
void tokens_free(struct tokens **tp);				/* after graph and jobs */

/* What debug_token says; why, unless it is good.  *expires_ms: 0 never, -1 not said. */
enum token_word { TOKEN_GOOD, TOKEN_BAD /* or it lacks a permission */, TOKEN_UNSAID /* no such answer: that says nothing of the token */ };
enum token_word token_verdict(const json_t *answer, int64_t *expires_ms, struct strbuf *why) MUST_CHECK;

/* When a token is to be refreshed: after half to three quarters of its life, by its account's share. */
int64_t token_due_ms(int64_t since_ms, int64_t expires_ms, uint64_t share);

#endif
