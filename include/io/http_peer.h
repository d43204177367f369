/* http_peer - who is at the other end of a Unix socket, as the kernel has it from the connect; and no for one who has too many. */
#ifndef IO_HTTP_PEER_H
#define IO_HTTP_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct http_peer { bool known; uid_t uid; gid_t gid; pid_t pid; };	/* SO_PEERCRED on a Unix socket */

struct http_peer http_peer_of(int fd);
void http_peer_refuse(int fd);		/* 429 to a connection that was just accepted; its request is not read; closes fd */

#endif
