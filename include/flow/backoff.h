/* backoff - which delay queue a copy takes.  Pure. */
#ifndef FLOW_BACKOFF_H
#define FLOW_BACKOFF_H

#include "conf/conf.h"

/* The step before the retry-th retry (from 1).  Queues have fixed delays, so jitter is a choice of step: from the third retry on, a
   third of the messages take the step before the due one. */
int64_t backoff_retry(const struct conf_steps *steps, int retry, uint64_t random);

/* The longest step not longer than wait_ms, else the shortest. */
int64_t backoff_wait(const struct conf_steps *steps, int64_t wait_ms);

/* The shortest step not shorter than wait_ms, else the longest. */
int64_t backoff_at_least(const struct conf_steps *steps, int64_t wait_ms);

/* So many attempts were used: may there be one more?  code_max: retries that the last one's error code allows. */
bool backoff_is_left(const struct conf *c, int attempts, int code_max);

#endif
