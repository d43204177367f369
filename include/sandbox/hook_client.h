/*
 * hook_client - posts webhooks over HTTP/1.1 to loopback, each on a connection of its own that is kept for the next one.
 *
 * Ownership: the request is copied.  on_answer comes exactly once for each post, never from within hook_client_post().
 */
#ifndef SANDBOX_HOOK_CLIENT_H
#define SANDBOX_HOOK_CLIENT_H

#include "base/loop.h"
#include "base/strbuf.h"
#include "sandbox/hook_target.h"

struct hook_client;

/* status 0: no answer, and why. */
typedef void hook_answer_f(void *arg, int status, int64_t took_us, const char *why);

struct hook_request {
	const struct hook_url *url;
	const char *signature;		/* NULL: none */
	const char *body;
	size_t len;
	int64_t timeout_ms;
	bool cut;			/* end the connection in the middle of the body */
};

struct hook_client *hook_client_new(struct loop *loop);
void hook_client_free(struct hook_client **cp);
void hook_client_abort(struct hook_client *c);	/* all posts get their status 0 now, all connections are closed */
int hook_client_busy(const struct hook_client *c);	/* posts without an answer */
void hook_client_post(struct hook_client *c, const struct hook_request *r, hook_answer_f *on_answer, void *arg);

/* The status of an answer whose head is in text; 0: not whole yet, -1: none.  *body: how much follows, -1: until the end. */
int hook_answer_head(const char *text, size_t len, size_t *head, int64_t *body, bool *keep);

#endif
