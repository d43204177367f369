/*
 * dial - one open stream to one of several hosts: order, names, addresses, TLS.
 *
 * A round visits every URL once, in a new random order; each call of dial_start() tries one URL with all its addresses.
 * Ownership: the open stream is the caller's, who adopts it.  No deadline here: the caller has one, and cancels.
 */
#ifndef IO_DIAL_H
#define IO_DIAL_H

#include "io/stream.h"
#include "io/url.h"

struct dial;

struct dial_callbacks {
	void (*open)(void *arg, struct stream *s, const struct url *u);
	void (*failed)(void *arg, const char *why);	/* dial_peer() says who */
};

struct dial_options {
	const char *const *urls;	/* checked before; copied */
	int n_urls;
	const char *tls_scheme;		/* the scheme that means TLS */
	const char *ca_file;		/* NULL: the system's */
	int port, tls_port;		/* where a URL names none */
};

struct dial *dial_new(struct loop *l, const struct dial_options *o, const struct dial_callbacks *cb, void *arg);
void dial_free(struct dial **dp);
void dial_start(struct dial *d);	/* callbacks never from inside */
void dial_cancel(struct dial *d);	/* fine when nothing is under way */
bool dial_round_is_over(const struct dial *d);
const char *dial_peer(const struct dial *d);	/* "host:port" of the last attempt, or "" */

#endif
