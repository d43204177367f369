/*
 * http_client - requests over one libcurl multi handle in our loop, with the two guards against a silent second send.
 *
 * libcurl's only door.  The body goes through a read callback that cannot rewind (libcurl re-sends a POST by itself on a
 * dying kept-alive connection otherwise; it then fails with 65 instead), and a PREREQ callback refuses a second start of the same
 * request (42).  So a request's fate is one of:
 *   HTTP_ANSWERED  a whole answer was read (status, body);
 *   HTTP_NOT_SENT  the body was never read by libcurl and PREREQ not passed twice: the server cannot have seen it;
 *   HTTP_UNKNOWN   body bytes were handed over and no whole answer came.
 * Redirects, Expect, cookies, proxies from the environment, TLS < 1.2 and content encodings are off.  Peer and name are verified always.
 * HTTP/2 with few connections: at most ceil(window / streams) per host, PIPEWAIT; idle connections are kept.
 * Easy handles come from a pool.  Requests added during one loop turn start together at its end.
 * Ownership: url and body are copied or borrowed as said below; the result is borrowed until the callback returns.
 */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/strbuf.h"
#include "io/http_headers.h"

struct http_client;

enum http_fate { HTTP_ANSWERED, HTTP_NOT_SENT, HTTP_UNKNOWN };

struct http_result {
	enum http_fate fate;
	int curl_code;			/* 0 when answered */
	const char *why;		/* libcurl's words; never contains the URL's query or a header */
	long status;			/* HTTP status when answered */
	const char *body;
	size_t len;			/* answers longer than answer_max are cut: truncated is set */
	bool truncated;
	int64_t retry_after_s;		/* -1: no such header (HTTP dates are turned into seconds) */
	const char *usage;		/* X-Business-Use-Case-Usage, or "" */
	const char *trace;		/* x-fb-trace-id, or "" */
	const char *etag;		/* ETag, or "" */
	int64_t elapsed_us, connect_us;
	bool new_connection;
	int http_version;		/* 10, 11, 20 */
};

typedef void http_done_f(void *arg, const struct http_result *r);
/* Last word before the first byte, on the connection that will be used: false aborts with HTTP_NOT_SENT. */
typedef bool http_may_start_f(void *arg);
typedef void http_body_read_f(void *arg);	/* libcurl has taken the first body bytes */

/*
 * A body that is read as it goes out, once and from front to end.  read() gives 1 to room bytes that are there at once, never more
 * than is left of len; 0 (ended early) and -1 end the request: HTTP_UNKNOWN if bytes have gone out by then.
 */
struct http_source {
	int64_t len;
	ssize_t (*read)(void *arg, char *buf, size_t room);
	void *arg;
};

/* An URL that many requests go to, parsed once: libcurl takes 25,000 instructions to parse and write it anew. */
struct http_place;
struct http_place *http_place_new(const char *url);		/* starts with one reference */
void http_place_unref(struct http_place **pp);

struct http_request {
	const char *method;		/* "POST", "PUT" or "PATCH" (body), "GET" or "DELETE" */
	const char *url;		/* copied; NULL: */
	struct http_place *place;	/* a reference is taken */
	struct http_headers *headers;	/* a reference is taken */
	const void *body;		/* borrowed until done */
	size_t len;
	struct strbuf *spent;		/* where body stands: released as soon as libcurl has taken all of it; NULL: it stays the caller's */
	const struct http_source *source;	/* in place of body; borrowed until done; NULL: none */
	int64_t timeout_ms;
	http_may_start_f *may_start;	/* may be NULL */
	http_body_read_f *body_read;	/* may be NULL */
	http_done_f *done;		/* exactly once, never from inside http_send() */
	void *arg;
};

struct http_client_options {
	const char *ca_file;		/* NULL: the system's */
	int http_version;		/* 11 or 2 */
	int window;			/* most requests at once */
	int streams;			/* streams a connection may carry, 100 */
	int64_t connect_ms;		/* 3000 */
	size_t answer_max;		/* 256 KiB */
	bool allow_plain;		/* http:// only for loopback addresses, for tests */
	bool small;			/* bodies and answers mostly have less than a kilobyte: as little memory as can be for each */
};

struct http_client *http_client_new(struct loop *l, const struct http_client_options *o);
void http_client_free(struct http_client **cp);		/* unfinished requests get HTTP_UNKNOWN or HTTP_NOT_SENT first */
void http_send(struct http_client *c, const struct http_request *r);
unsigned http_in_flight(const struct http_client *c);
void http_global_setup(void);				/* once per process, after fork */

#endif
