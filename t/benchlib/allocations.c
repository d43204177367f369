/*
 * allocations - how often a program allocates: preloaded, it counts calls in the file that BENCH_ALLOCATIONS names.
 *
 * The file is one uint64_t, mapped shared, so that forked children count into it, too, and t/bench can read it at any time.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static uint64_t nowhere, *calls = &nowhere;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("BENCH_ALLOCATIONS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at != MAP_FAILED)
		calls = at;
	if (fd >= 0)
		close(fd);
}

static void count(void)
{
	__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t n)
{
	count();
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	count();
	return __libc_realloc(p, n);
}
