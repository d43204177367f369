/* reply - how the admin socket answers: JSON, and failures after RFC 9457 with a stable code. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "io/http_server.h"
#include "msg/json.h"

void reply_json(struct http_call *c, int status, json_t *o);	/* takes o over */
void reply_problem_with(struct http_call *c, int status, const char *code, json_t *more);	/* more: its other members; taken over */
void reply_problem(struct http_call *c, int status, const char *code, const char *detail);

#endif
