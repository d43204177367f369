/*
 * audit - which command of the table a call is, whether it only looks, and the line of the log that says who asked for a change.
 *
 * The line is written before anything is done: what came of it, a handler's own line says.
 */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include <stdbool.h>

#include "io/http_server.h"

/* Changes nothing, whatever it is asked with: every GET, and the POSTs that only bring what they ask about. */
bool call_only_looks(const struct http_call *c);

/* Who asks, for the log: "uid=1000" on a socket, "who=console" at the console's listener. */
enum { OPERATOR_MAX = 24 };
void call_operator(struct http_call *c, char out[OPERATOR_MAX]);

/* Of a call that changes something; refused: the code of the answer, NULL: it is done. */
void audit(struct http_call *c, const char *refused);

#endif
