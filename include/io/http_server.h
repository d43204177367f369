/*
 * http_server - small HTTP/1.1 server on libmicrohttpd inside our loop: for the admin socket and the public API.
 *
 * libmicrohttpd's only door.  A request is handed over whole (body up to body_max, else 413 by itself); the answer may come later
 * from any callback (the connection is suspended meanwhile).  A client that is slow is cut: slow_ms after it connected or had its last
 * answer its next head must be there, and so long after that the body; into a sink, something of it; and it must take its answer.
 * When there are connections_max, the client that is waited for longest is cut for the next one.  A user of this machine who has
 * per_uid_max of them on a Unix socket is answered 429 at once.
 * Bodies for which on_upload() names a sink go there in pieces as they arrive, and are kept nowhere: while write() works, the client waits.
 * Ownership: struct http_call belongs to the server; valid until http_answer() or the gone() callback.
 */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include <sys/types.h>
#include "base/loop.h"
#include "io/http_peer.h"

struct http_server;
struct http_call;

/* Where the body of one call goes. */
struct http_sink {
	int64_t max;			/* bytes; more: 413, and gone() */
	/* May call http_answer(): what else comes is read and thrown away, and on_call() is not called. */
	void (*write)(void *arg, const void *data, size_t len);
	void *arg;
};

/*
 * The head of a call is there.  true: its body goes to *sink, and then on_call() is called, with an empty body.  It may also call
 * http_answer() at once: then nothing is read.
 */
typedef bool http_on_upload_f(void *arg, struct http_call *c, struct http_sink *sink);

struct http_server_options {
	const int *listen_fds;		/* listening, non-blocking; they stay the caller's */
	int n_listen;
	http_on_upload_f *on_upload;	/* NULL: no sinks; with the arg of on_call */
	size_t body_max;		/* 1 MiB */
	unsigned connections_max;	/* 64 */
	unsigned per_uid_max;		/* of a peer's uid; 0: no such limit */
	size_t memory;			/* of a connection, bytes, for heads both ways; all of it is cleared after each request; 0: 128 KiB */
	int64_t slow_ms;		/* 15 s */
};

typedef void http_on_call_f(void *arg, struct http_call *c);

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, http_on_call_f *on_call, void *arg);
void http_server_free(struct http_server **sp);
/* Takes no new connections; those that are open get their answers, and are closed then; who asks nothing in a second, too. */
void http_server_drain(struct http_server *s);
bool http_server_is_idle(const struct http_server *s);	/* no connection is open */

const char *http_call_method(const struct http_call *c);
const char *http_call_path(const struct http_call *c);			/* decoded, without the query */
const char *http_call_query(const struct http_call *c, const char *name);	/* NULL: absent */
const char *http_call_query_at(const struct http_call *c, const char *name, int i);	/* the i-th of that name; NULL: no more */
const char *http_call_header(const struct http_call *c, const char *name);
const char *http_call_body(const struct http_call *c, size_t *len);
struct http_peer http_call_peer(const struct http_call *c);
void *http_call_sink(const struct http_call *c);	/* its arg; NULL: the call has none */
/* The client went away before the answer, or had too much for the sink: gone(arg) is called once; afterwards c is dead. */
void http_call_on_gone(struct http_call *c, void (*gone)(void *arg), void *arg);
void http_answer_header(struct http_call *c, const char *name, const char *value);	/* of the answer to come; both are copied */
void http_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len);	/* body is copied */

#endif
