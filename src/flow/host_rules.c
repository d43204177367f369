#include "flow/host_rules.h"

void host_rules_of(const struct conf *c, struct host_rules *out)
{
	*out = (struct host_rules){
		.window_ms = c->host_window, .calls_min = (int)c->host_calls, .failed_percent = (int)c->host_percent,
		.open_ms = c->host_open, .open_max_ms = c->host_open_max, .probe_ms = c->host_probe,
		.retry_percent = (int)c->retry_budget, .retry_floor = (int)c->retry_floor,
	};
}
