/* rand - random bytes from the kernel in batches (call rand_after_fork() in every child), and jitter. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include "base/base.h"

void rand_after_fork(void);
void rand_bytes(void *out, size_t n);
uint64_t rand_u64(void);
int64_t rand_between(int64_t lo, int64_t hi);	/* inclusive */

#endif
