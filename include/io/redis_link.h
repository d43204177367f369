/*
 * redis_link - one connection to Redis, from connect() to its loss.  hiredis' only door; it knows no command.
 *
 * Commands are given as RESP, queued at once (also before the connection stands) and written at the end of the turn.
 * Each command that was taken is answered exactly once; with NULL when the link ended first.  No deadline here.
 */
#ifndef IO_REDIS_LINK_H
#define IO_REDIS_LINK_H

#include "base/loop.h"
#include "io/store.h"

struct redis_link;

struct redis_link_callbacks {
	/* arg is NULL after redis_link_close(): there is nothing left to do then but to free call. */
	void (*reply)(void *arg, void *call, const struct store_reply *r);
	void (*lost)(void *arg, const char *why);	/* by itself, never after close; the link is gone */
};

/* ip is numeric; NULL: path is a Unix socket's.  NULL: failed at once, with the reason. */
struct redis_link *redis_link_open(struct loop *l, const char *ip, int port, const char *path,
				   const struct redis_link_callbacks *cb, void *arg, struct strbuf *why);
void redis_link_close(struct redis_link **kp);		/* NULL is fine; from callbacks too */
int redis_link_send(struct redis_link *k, const struct strbuf *command, void *call) MUST_CHECK;	/* -1: not taken */

#endif
