/*
 * http_headers - the header lines of requests, shared and reference-counted (one list per token generation).
 *
 * Secrets in them are wiped at the end.  "Expect:" is always the first: libcurl's own "100-continue" would add a way to be sent twice.
 */
#ifndef IO_HTTP_HEADERS_H
#define IO_HTTP_HEADERS_H

#include "base/base.h"

enum { HTTP_HEADERS_MAX = 12 };

struct http_headers {
	int refs, n;
	char *lines[HTTP_HEADERS_MAX];
};

struct http_headers *http_headers_new(const char *const *lines, int n);	/* copied; starts with one reference */
struct http_headers *http_headers_ref(struct http_headers *h);
void http_headers_unref(struct http_headers **hp);

#endif
