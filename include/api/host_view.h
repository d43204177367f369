/* host_view - the breaker of Graph's host and the retry budget, as JSON with a sentence for people.  Pure. */
#ifndef API_HOST_VIEW_H
#define API_HOST_VIEW_H

#include "base/host.h"
#include "msg/json.h"

json_t *host_json(const struct host_view *v, const struct host_rules *r);	/* the caller's */

#endif
