/*
 * http_form - a call's body as multipart/form-data (RFC 7578), part by part as it comes, by libmicrohttpd's post processor.
 *
 * The boundary is to be the last parameter of the Content-Type, and has two characters or more.
 * A part is told in pieces, in their order; an empty one in one piece of no bytes.  Nothing of it is kept.
 * Ownership: the form is its maker's, and must end before its call.
 */
#ifndef IO_HTTP_FORM_H
#define IO_HTTP_FORM_H

#include "io/http_server.h"

struct http_part {			/* borrowed */
	const char *name;
	const char *filename, *type;	/* NULL: not said */
	int64_t offset;			/* of this piece in it */
};

struct http_form;
/* false: no more is wanted, http_form_add() says -1. */
typedef bool http_on_part_f(void *arg, const struct http_part *p, const void *data, size_t len);

bool http_form_is(const struct http_call *c);		/* its head says that it is one */
struct http_form *http_form_new(struct http_call *c, http_on_part_f *on_part, void *arg);	/* NULL: it says so badly */
int http_form_add(struct http_form *f, const void *data, size_t len) MUST_CHECK;	/* -1: no such form */
bool http_form_end(struct http_form **fp);		/* true: all of it was there.  NULL is fine: false */

#endif
