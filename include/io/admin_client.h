/* admin_client - one blocking HTTP call over the admin socket, for wamctl.  Deadlines by SO_RCVTIMEO/SO_SNDTIMEO. */
#ifndef IO_ADMIN_CLIENT_H
#define IO_ADMIN_CLIENT_H

#include "base/strbuf.h"

/* body: JSON to send along, or empty.  Returns the HTTP status and the answer, or -1 with errno when nobody answers. */
int admin_client_call(const char *socket_path, const char *method, const char *target, const struct strbuf *body, int timeout_s,
		      struct strbuf *answer);
void admin_client_add_query(struct strbuf *target, const char *name, const char *value);	/* percent-encoded */

#endif
