/*
 * calls - one way to Graph for all calls that look after accounts: numbers, profiles, health, figures.  The keeper's only.
 *
 * Meta counts these calls by app and business account (limit.management_calls).  src/lua/call.lua decides for all hosts; what it does
 * not let go waits here, in order, and costs Graph nothing: 200 calls for each app and business account, each as long as its caller has
 * patience.  When Graph says nevertheless that there were too many (4, 17, 32, 80007, 80008, X-Business-Use-Case-Usage), nobody calls
 * until it allows.  While Redis is away nothing goes.
 * A request that never left, or a GET without an answer, is tried once more; all else is the caller's decision.
 * Tokens, queries and bodies are never logged; texts of Graph's have their long numbers masked (msg/answer.h).
 * Ownership: calls are copied; accounts stay where they are (conf/tenants.h); a reply is borrowed until done() returns.
 */
#ifndef GRAPH_CALLS_H
#define GRAPH_CALLS_H

#include "base/board.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "io/store.h"
#include "msg/answer.h"
#include "msg/json.h"

struct graph;

enum graph_word {
	GRAPH_OK,
	GRAPH_REFUSED,			/* Graph's error: code and text say which */
	GRAPH_LIMITED,			/* the limit would let it go later than the caller waits; Graph was not asked */
	GRAPH_INVALID,			/* wrong before any call: text names the field */
	GRAPH_AWAY,			/* no whole answer, or none that can be read, or Redis is away */
};

struct graph_reply {
	enum graph_word word;
	json_t *json;			/* OK: the answer, or what was made of it; else NULL */
	int http, code, subcode;	/* REFUSED; 0: not said */
	bool is_too_large;		/* AWAY: an answer came, but larger than wamd reads */
	int64_t retry_after_ms;		/* REFUSED, LIMITED: worth trying again then; -1: not known */
	const char *text;		/* what is wrong in plain words; OK: "" */
};
typedef void graph_done_f(void *arg, const struct graph_reply *r);

/* Who wants it: what all functions of this room take.  done is called exactly once, never from inside. */
struct graph_for {
	const struct account *account;	/* its token pays */
	int64_t patience_ms;		/* for the limit */
	graph_done_f *done;
	void *arg;
};

/* Makes a document of an answer to this account's call; NULL: it is no such answer.  The result is the caller's. */
typedef json_t *graph_shape_f(const struct account *a, const json_t *answer);

struct graph_call {
	struct graph_for who;
	const char *name;		/* for the log: "number" */
	const char *method;		/* GET POST DELETE */
	const char *path;		/* behind the version: "1234/phone_numbers" */
	const char *query;		/* encoded, without the question mark; NULL: none */
	const json_t *body;		/* POST: NULL is {} */
	const void *bytes;		/* POST: a file's, in place of body, as the resumable upload wants them; NULL: none */
	size_t len;
	graph_shape_f *shape;		/* NULL: the answer as it is */
};

struct graph *graph_new(struct loop *l, const struct conf *c, struct store *store, struct board_slot *slot);
void graph_free(struct graph **gp);	/* all callers get AWAY first; free the store before */

void graph_ask(struct graph *g, const struct graph_call *call);

const struct conf *graph_conf(const struct graph *g);
struct store *graph_store(const struct graph *g);

/* For functions whose answer takes more than one call, or none: done() in the next turn. */
void graph_answer_later(struct graph *g, const struct graph_for *who, enum graph_word word, const char *text);

/* A text as part of a query: all but letters, digits and -._~ is encoded. */
void graph_add_encoded(struct strbuf *query, const char *text);

#endif
