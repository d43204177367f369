/*
 * link - the bytes of one connection, through TLS or bare.  libssl's only door.
 *
 * Non-blocking: LINK_AGAIN says that the socket has to become ready first.
 * Ownership: the link owns its descriptor.
 */
#ifndef SANDBOX_LINK_H
#define SANDBOX_LINK_H

#include <sys/types.h>
#include "base/strbuf.h"

struct link_tls;		/* what all TLS connections share */
struct link;

enum { LINK_EOF = 0, LINK_AGAIN = -1, LINK_ERROR = -2 };

struct link_tls *link_tls_new(const char *dir, struct strbuf *why);	/* NULL with the reason */
void link_tls_free(struct link_tls **tp);

struct link *link_new(struct link_tls *tls, int fd);		/* tls NULL: bare */
void link_free(struct link **lp);				/* closes */
int link_fd(const struct link *l);
int link_handshake(struct link *l);				/* 1 when done, or LINK_AGAIN, LINK_ERROR */
bool link_speaks_h2(const struct link *l);			/* after the handshake */
bool link_wants_write(const struct link *l);			/* the last LINK_AGAIN was for writing */
bool link_has_pending(const struct link *l);			/* bytes read from the socket that epoll cannot see */
ssize_t link_read(struct link *l, void *buf, size_t size);
ssize_t link_write(struct link *l, const void *data, size_t len);
void link_say_goodbye(struct link *l);				/* close_notify, if it goes out at once */
void link_shut(struct link *l);					/* FIN */
int link_discard(struct link *l);					/* throws away what arrived: LINK_AGAIN, or LINK_EOF at the end */
void link_reset_on_close(struct link *l);			/* RST instead of FIN */

#endif
