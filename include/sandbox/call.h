/*
 * call - one request and its answer, whatever the protocol.
 *
 * The protocol (h1, h2) makes a call, feeds it with head and body, and takes the answer out of it; a handler sees only
 * this struct.  Between the two sits the fault that was drawn for the request: call_take() paces and cuts.
 * Ownership: a call belongs to its connection, which frees it when the answer is out or the peer is gone; then its memory goes
 * back to a pool.  A handler keeps no pointer to it.
 * Invariant: a call is decided at most once (call_done), and answered at most once (call_answer).
 */
#ifndef SANDBOX_CALL_H
#define SANDBOX_CALL_H

#include <jansson.h>

#include "base/loop.h"
#include "base/strbuf.h"
#include "sandbox/faults.h"
#include "sandbox/ledger.h"

enum { CALL_SEGMENTS = 8, CALL_HEADERS = 12, CALL_BODY_MAX = 4 * 1024 * 1024, CALL_TARGET_MAX = 2048, CALL_TOKEN_MAX = 2048 };

struct conn;
struct reception;
struct route;
struct sandbox;

struct segment { const char *s; size_t len; };
struct call_header { const char *name; size_t at, len; };	/* value: header_text.buf + at */

/* More of an answer's body for out; false: that was all. */
typedef bool call_source_f(void *arg, struct strbuf *out);

enum take { TAKE_MORE, TAKE_END, TAKE_WAIT, TAKE_CUT };

struct call {
	struct list list;		/* of its connection */
	struct call *next_idle;		/* in the pool */
	struct sandbox *sandbox;
	struct conn *conn;
	int32_t stream;			/* 0 on HTTP/1.1 */

	char method[16];
	struct strbuf target;		/* path, NUL, query */
	const char *query;		/* NULL: none */
	struct strbuf token;
	bool has_token;
	bool is_oauth;			/* "Authorization: OAuth", which Meta wants for uploads only */
	char request_type[160];		/* Content-Type; "": none */
	char if_none_match[96];		/* "": none; a longer one is none of ours */
	int64_t file_offset;		/* -1: not said */
	json_t *params;			/* call_params(); NULL: nobody has asked */
	struct strbuf body;
	struct reception *reception;	/* an upload's: takes the bytes instead of body; NULL elsewhere */
	size_t body_seen;		/* bytes of the body that came, kept or not */
	struct segment seg[CALL_SEGMENTS];
	int n_seg;
	const struct route *route;	/* NULL: nothing lives there */
	int refused;			/* HTTP status of a request that is too big or malformed; 0: fine */
	bool received, in_flight;

	int status;			/* 0: not answered yet */
	const char *content_type;
	struct call_header headers[CALL_HEADERS];
	int n_headers;
	struct strbuf header_text;
	struct strbuf out;		/* body of the answer, from out_at on still to be sent */
	size_t out_at;
	call_source_f *source;		/* NULL: out is all there is */
	void (*source_free)(void *arg);
	void *source_arg;

	struct fault_act act;
	struct fault_act cut_request;	/* drawn when the head was in */
	size_t sent, allowed;		/* body bytes given to the protocol; how many may be by now */
	bool submitted, head_held;
	struct loop_timer timer;	/* delay, then pace */
	struct ledger_ref ref;
};

/* For the protocols */
struct call *call_new(struct conn *conn, int32_t stream);
void call_free(struct call **cp);
void call_pool_release(struct sandbox *s);
void call_head(struct call *c, const char *target, size_t len);	/* method and token are set */
void call_request_header(struct call *c, const char *name, size_t name_len, const char *value, size_t len);
void call_body(struct call *c, const void *data, size_t len);
void call_done(struct call *c);
size_t call_body_max(const struct call *c);			/* more is refused with 413; known once the head is in */
size_t call_take(struct call *c, uint8_t *buf, size_t size, enum take *state);
bool call_has_length(const struct call *c, size_t *len);	/* false: streamed */
void call_all_out(struct call *c);				/* the protocol has serialised the whole answer */

/* For the handlers */
void call_header(struct call *c, const char *name, const char *fmt, ...) PRINTF(3, 4);	/* name: lower case, static */
void call_answer(struct call *c, int status, const char *content_type);	/* the body is in c->out, or comes from c->source */
void call_answer_text(struct call *c, int status, const char *text);
void call_answer_json(struct call *c, int status);	/* the same, as JSON */
const json_t *call_params(struct call *c);		/* query and body (params.h), parsed when first asked for */
bool call_seg_is(const struct call *c, int i, const char *text);
const char *call_query_value(const struct call *c, const char *name);	/* pointer into the query up to '&' or the end; NULL */

/* For inject.c */
void call_submit(struct call *c);

#endif
