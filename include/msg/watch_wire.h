/*
 * watch_wire - how an api asks the keeper of its machine to look at an account soon: a webhook says that something has changed.  Pure.
 * There is no answer: what comes of it is seen in holds, rates and alerts.
 */
#ifndef MSG_WATCH_WIRE_H
#define MSG_WATCH_WIRE_H

#include "base/strbuf.h"
#include "conf/tenants.h"

struct watch_ask { char tenant[TENANT_NAME_MAX + 1], account[TENANT_NAME_MAX + 1]; };

void watch_ask_write(const struct watch_ask *a, struct strbuf *out);
int watch_ask_read(const char *data, size_t len, struct watch_ask *out) MUST_CHECK;	/* -1: something else */

#endif
