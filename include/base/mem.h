/* mem - allocation that cannot fail: out of memory ends the process (fatal), which the protocol survives. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/base.h"

void *mem_alloc(size_t n);			/* zeroed */
void *mem_array(size_t n, size_t size);		/* zeroed, overflow checked */
void *mem_grow(void *p, size_t n, size_t size);	/* realloc, overflow checked; new part not zeroed */
char *mem_strdup(const char *s);		/* NULL stays NULL */
char *mem_strndup(const char *s, size_t n);
void mem_wipe(void *p, size_t n);		/* for secrets: not optimised away */
void mem_free_secret(char *s);			/* wipes a NUL-terminated string, then frees it; NULL is fine */

#endif
