/*
 * http_server - small HTTP/1.1 server on libmicrohttpd inside our loop: for the admin socket now, the public API later.
 *
 * libmicrohttpd's only door.  A request is handed over whole (body up to body_max, else 413 by itself); the answer may come later
 * from any callback (the connection is suspended meanwhile).  A client that is slow (15 s) is cut.
 * Ownership: struct http_call belongs to the server; valid until http_answer() or the gone() callback.
 */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include <sys/types.h>
#include "base/loop.h"

struct http_server;
struct http_call;

struct http_peer { bool known; uid_t uid; gid_t gid; pid_t pid; };	/* SO_PEERCRED on a Unix socket */

struct http_server_options {
	int listen_fd;			/* listening, non-blocking; stays the caller's */
	size_t body_max;		/* 1 MiB */
	unsigned connections_max;	/* 64 */
};

typedef void http_on_call_f(void *arg, struct http_call *c);

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, http_on_call_f *on_call, void *arg);
void http_server_free(struct http_server **sp);
void http_server_drain(struct http_server *s);		/* take no new connections; those that are open get their answers */
bool http_server_is_idle(const struct http_server *s);	/* no connection is open */

const char *http_call_method(const struct http_call *c);
const char *http_call_path(const struct http_call *c);			/* decoded, without the query */
const char *http_call_query(const struct http_call *c, const char *name);	/* NULL: absent */
const char *http_call_query_at(const struct http_call *c, const char *name, int i);	/* the i-th of that name; NULL: no more */
const char *http_call_header(const struct http_call *c, const char *name);
const char *http_call_body(const struct http_call *c, size_t *len);
struct http_peer http_call_peer(const struct http_call *c);
/* The client went away before the answer: gone(arg) is called once; afterwards c is dead. */
void http_call_on_gone(struct http_call *c, void (*gone)(void *arg), void *arg);
void http_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len);	/* body is copied */

#endif
