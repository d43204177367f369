/*
 * resolve - host names to addresses without holding up the loop: getaddrinfo() in a short-lived thread of its own.
 *
 * The thread touches only what it was given; an abandoned look-up ends by itself in its own time.
 * Ownership: the answer is borrowed until the callback returns; the look-up is over then.
 */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <sys/socket.h>
#include "base/loop.h"

enum { RESOLVE_MAX = 8 };

struct address { struct sockaddr_storage sa; socklen_t len; };
struct addresses { int n; struct address at[RESOLVE_MAX]; };

/* A numeric host needs no look-up: false when it is a name. */
bool resolve_numeric(const char *host, int port, struct addresses *out);

/* why: NULL when there is at least one address. */
typedef void resolve_f(void *arg, const struct addresses *found, const char *why);

struct resolve;
struct resolve *resolve_start(struct loop *l, const char *host, int port, resolve_f *done, void *arg);
void resolve_cancel(struct resolve **rp);	/* NULL is fine; not needed after done */

#endif
