/* admin_client - one blocking HTTP call over the admin socket, for wamctl.  Deadlines by SO_RCVTIMEO/SO_SNDTIMEO. */
#ifndef IO_ADMIN_CLIENT_H
#define IO_ADMIN_CLIENT_H

#include "base/strbuf.h"

struct admin_call {
	const char *method, *target;
	int fd;				/* of the body, read from where it is, in pieces; -1: none */
	int64_t len;
	int timeout_s;
	/* NULL, or what is called after each piece of the body, and four times a second until the answer comes. */
	void (*tick)(void *arg, int64_t sent);
	void *arg;
};

/* Returns the HTTP status and the answer, or -1 with errno when nobody answers. */
int admin_client_call(const char *socket_path, const struct admin_call *call, struct strbuf *answer);
void admin_client_add_query(struct strbuf *target, const char *name, const char *value);	/* percent-encoded */

#endif
