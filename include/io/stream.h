/*
 * stream - a TCP connection, plain or TLS, that never blocks.  libssl's only door.
 *
 * Connects, shakes hands (TLS >= 1.2; chain and host name or IP address are verified, always), then tells its owner
 * when there may be something to read or room to write.
 * Ownership: the owner frees it, from any callback too.  No deadline here: the owner has one.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <sys/types.h>
#include "base/loop.h"
#include "base/strbuf.h"
#include "io/resolve.h"

struct stream;

/* What a verified connection trusts; one for many streams. */
struct stream_trust;
struct stream_trust *stream_trust_new(const char *ca_file, struct strbuf *why);	/* NULL with the reason */
void stream_trust_free(struct stream_trust **tp);

struct stream_callbacks {
	void (*open)(void *arg);
	void (*ready)(void *arg);			/* open before; read until 0, write what is waiting */
	void (*failed)(void *arg, const char *why);	/* before open only */
};

/* trust NULL: plain.  host: the name (or address) the certificate must have.  NULL: failed at once, with the reason. */
struct stream *stream_new(struct loop *l, const struct address *to, const char *host, struct stream_trust *trust,
			  const struct stream_callbacks *cb, void *arg, struct strbuf *why);
void stream_free(struct stream **sp);
/* From now on these are called. */
void stream_adopt(struct stream *s, const struct stream_callbacks *cb, void *arg);

/* > 0 bytes; 0 not now; -1 over, with the reason (*eof: closed in good order). */
ssize_t stream_read(struct stream *s, void *buf, size_t n, bool *eof, struct strbuf *why) MUST_CHECK;
ssize_t stream_write(struct stream *s, const void *buf, size_t n, struct strbuf *why) MUST_CHECK;
void stream_want_write(struct stream *s, bool want);	/* ready() also when there is room */

/* Gives up when sent bytes stay unacknowledged for so long; 0: never.  (A window the peer has closed counts too.) */
void stream_unacked_timeout(struct stream *s, int64_t ms);

#endif
