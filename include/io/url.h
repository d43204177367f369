/*
 * url - the parts of an address in the configuration, percent-decoded.
 *
 * Reasons never show a password.  Ownership: url_release() frees (and wipes the password); fine on a failed parse too.
 */
#ifndef IO_URL_H
#define IO_URL_H

#include "base/strbuf.h"

struct url {
	char *scheme;
	char *user, *password;		/* NULL: absent */
	char *host;			/* without the [] of IPv6; "" when the scheme has none (unix) */
	int port;			/* 0: absent */
	char *path;			/* without the '/' after the host; NULL: absent.  unix: the whole path */
	char *query;			/* not decoded; NULL: absent */
};

int url_parse(const char *text, struct url *out, struct strbuf *why) MUST_CHECK;
void url_release(struct url *u);
/* The value of a name in the query, decoded, to be freed; NULL: absent. */
char *url_query(const struct url *u, const char *name);

#endif
