/*
 * clock - monotonic time has its own type, so that wall time cannot be added to it.
 *
 * mono_t is CLOCK_BOOTTIME in microseconds (it counts suspend).  Wall time is for display and for expires_at only.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

typedef struct { int64_t us; } mono_t;

mono_t mono_now(void);
int64_t wall_ms(void);					/* Unix time, milliseconds */
int64_t wall_us(void);

static inline mono_t mono_add_ms(mono_t t, int64_t ms) { t.us += ms * 1000; return t; }
static inline int64_t mono_diff_us(mono_t later, mono_t earlier) { return later.us - earlier.us; }
static inline int64_t mono_diff_ms(mono_t later, mono_t earlier) { return (later.us - earlier.us) / 1000; }
static inline bool mono_before(mono_t a, mono_t b) { return a.us < b.us; }

#endif
