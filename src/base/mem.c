#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void *had(void *p, size_t n)
{
	if (!p)
		fatal(EX_OSERR, "out of memory bytes=%zu", n);
	return p;
}

void *mem_alloc(size_t n)
{
	return had(calloc(1, n ? n : 1), n);
}

void *mem_array(size_t n, size_t size)
{
	return had(calloc(n ? n : 1, size), n * size);
}

void *mem_grow(void *p, size_t n, size_t size)
{
	return had(reallocarray(p, n ? n : 1, size), n * size);
}

char *mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	char *copy = had(malloc(n + 1), n);

	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

void mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void mem_free_secret(char *s)
{
	if (!s)
		return;
	explicit_bzero(s, strlen(s));
	free(s);
}
