/*
 * graph - what every Graph node has in common: headers, the error envelope, who may do what.
 *
 * The codes, their usual HTTP status and words are tbl_errors.h.
 */
#ifndef SANDBOX_GRAPH_H
#define SANDBOX_GRAPH_H

#include "base/strbuf.h"

struct call;
struct number;
struct segment;
struct token;

struct graph_code { int code, http; const char *type; bool transient; const char *title; };

struct graph_error {
	int code;			/* 0 with failed false: no error */
	bool failed;
	int http;			/* 0: the table's */
	int subcode;			/* 0: none */
	bool transient;			/* also when the table does not say so */
	bool bare;			/* a generic Graph error: no error_data, details is the message */
	int64_t retry_after_s, regain_minutes;	/* -1: not said */
	struct strbuf details;
};

#define GRAPH_ERROR_INIT { .retry_after_s = -1, .regain_minutes = -1, .details = STRBUF_INIT }

const struct graph_code *graph_code_find(int code);	/* NULL: not in the table */

/* Sets code and details; returns -1, so that a check may end with it. */
int graph_error_set(struct graph_error *e, int code, const char *fmt, ...) PRINTF(3, 4);
int graph_error_http(const struct graph_error *e);

/* Writes the envelope to c->out and adds Retry-After; the caller answers.  Returns the HTTP status. */
int graph_error_write(struct call *c, const struct graph_error *e, const struct number *n);
void graph_headers(struct call *c, const struct number *n);	/* n NULL: not known */

/* What every node wants, in Graph's order: version, token, its state and its proof; -1 with e set. */
int graph_admit_version(const struct call *c, struct graph_error *e) MUST_CHECK;
int graph_admit_token(struct call *c, struct token **t, struct graph_error *e) MUST_CHECK;
/* The number that is to send, and whether this token may; *n is NULL when there is no such number. */
int graph_admit(struct call *c, struct number **n, struct graph_error *e) MUST_CHECK;
int graph_no_object(const struct call *c, const struct segment *node, struct graph_error *e);	/* -1 */

#endif
