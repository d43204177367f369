/*
 * http_waits - the connections of an HTTP server, and which of them are waited for: cut when they take too long, or when room is needed.
 *
 * A library only looks whether anything moves: a byte now and then would keep a connection open for ever.  And who holds many of them
 * must not keep others out: when there are max, the one that has been waited for longest goes.  One that is being answered never does.
 * Ownership: struct http_waits is embedded; a wait belongs to its server's library, which is told by shutdown() and frees it in its time.
 */
#ifndef IO_HTTP_WAITS_H
#define IO_HTTP_WAITS_H

#include "base/loop.h"
#include "io/http_peer.h"

struct http_waits {
	struct loop *loop;
	int64_t slow_ms;
	int max, n, n_cut;		/* n_cut: of the n, those that are on their way out */
	bool is_draining;
	struct list awaited;		/* the longest first */
	struct list others;
};

struct http_wait {
	struct list list;
	struct http_waits *all;
	int fd;
	struct http_peer peer;
	bool is_asking;			/* a head has come, and its answer has not gone */
	bool is_cut;
	struct loop_timer slow;		/* set while something is awaited */
};

void http_waits_init(struct http_waits *s, struct loop *l, int64_t slow_ms, int max);
struct http_wait *http_wait_new(struct http_waits *s, int fd);	/* its first head is awaited */
void http_wait_free(struct http_wait **wp);

void http_wait_for(struct http_wait *w, bool something);
void http_wait_rests(struct http_wait *w);	/* its answer has gone: the next head is awaited */

/* Cuts the one that is waited for longest if there are max, or if it must be; false: nobody can be cut. */
bool http_waits_make_room(struct http_waits *s, bool must);
int http_waits_of(const struct http_waits *s, uid_t uid);	/* how many that peer has, without those that are on their way out */
void http_waits_drain(struct http_waits *s);	/* who asks nothing gets a second */

#endif
