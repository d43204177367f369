/*
 * listen - TCP sockets that take connections, made once by the supervisor and inherited by every generation of children.
 *
 * An address is ADDRESS:PORT, numeric: 127.0.0.1:8080, [::1]:8080, 0.0.0.0:80.  [::] takes no IPv4: name both.
 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include "base/strbuf.h"

int listen_check(const char *address, struct strbuf *why) MUST_CHECK;
int listen_check_loopback(const char *address, struct strbuf *why) MUST_CHECK;	/* and it is reached from this machine only */
int listen_open(const char *address, struct strbuf *why) MUST_CHECK;	/* non-blocking, closed at exec; -1 with the reason */

#endif
