/* rules - the settings that admit.lua and settle.lua decide by (tbl/rules.h), as the Lua text in front of them (store_options.rules). */
#ifndef FLOW_RULES_H
#define FLOW_RULES_H

#include "base/strbuf.h"
#include "conf/conf.h"

void rules_write(const struct conf *c, int64_t tail_ms, struct strbuf *out);

/* The policy for unknown outcomes: how, but where no webhooks are taken any more there is no evidence, whatever came before. */
const char *rules_policy(const struct conf *c, const char *how);

#endif
