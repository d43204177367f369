/* metrics - the scoreboard and the keeper's last look at the fleet as Prometheus's text (format 0.0.4). */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/fleet.h"

void metrics_write(const struct board *b, const struct fleet_view *f, int64_t now_ms, struct strbuf *out);
void metrics_add_label(struct strbuf *out, const char *name, const char *value);	/* NAME="VALUE", escaped */

/* The listener of metrics.listen: GET /metrics, and nothing else. */
void metrics_call(void *admin, struct http_call *c);	/* http_on_call_f */

#endif
