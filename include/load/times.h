/* times - a list of durations in microseconds and its percentiles. */
#ifndef LOAD_TIMES_H
#define LOAD_TIMES_H

#include <jansson.h>

#include "base/base.h"

struct times { uint32_t *at; size_t n, size; };

void times_add(struct times *t, int64_t us);
void times_release(struct times *t);
json_t *times_json(struct times *t);	/* {"p50", "p95", "p99", "max"} in milliseconds; sorts */

#endif
