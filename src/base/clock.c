#include "base/clock.h"

#include <time.h>

mono_t mono_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (mono_t){ (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 };
}

int64_t wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t wall_ms(void)
{
	return wall_us() / 1000;
}
