/*
 * packets - one end of a pair of sockets between two processes of ours, packet by packet.
 *
 * The supervisor makes the pair and keeps both ends, so what is sent to a process that has just died is read by the next one; no
 * packet is ever cut in two.  Nothing here blocks: what the socket does not take waits in memory, up to PACKETS_WAITING_MAX bytes.
 * Packets may hold secrets: buffers are wiped.  Ownership: the fd is the link's and closed with it.
 */
#ifndef IO_PACKETS_H
#define IO_PACKETS_H

#include "base/loop.h"
#include "base/outcome.h"

struct packets;

enum { PACKET_MAX = 32 << 10, PACKETS_WAITING_MAX = 16 << 20 };

typedef void packets_packet_f(void *arg, const char *data, size_t len);	/* borrowed until it returns */

struct packets *packets_new(struct loop *l, int fd, packets_packet_f *on_packet, void *arg);
void packets_free(struct packets **lp);
int packets_send(struct packets *k, const void *data, size_t len) MUST_CHECK;	/* -1: too much waits already, or the other end is closed */

bool packets_is_empty(const struct packets *k);			/* nothing waits in memory */

int packets_pair(int fds[2]) MUST_CHECK;		/* both ends close at exec and do not block; -1 with errno */

#endif
