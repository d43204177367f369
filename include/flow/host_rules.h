/* host_rules - the breaker's and the retry budget's numbers, as the settings say them.  Pure. */
#ifndef FLOW_HOST_RULES_H
#define FLOW_HOST_RULES_H

#include "base/host.h"
#include "conf/conf.h"

void host_rules_of(const struct conf *c, struct host_rules *out);

#endif
