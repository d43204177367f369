/* progress - one line on standard error that is rewritten: `feeding 4210/10000 [######....] 2103/s 00:03 left`. */
#ifndef LOAD_PROGRESS_H
#define LOAD_PROGRESS_H

#include "base/clock.h"

struct progress {
	const char *verb;
	int64_t total;		/* 0: not known, no bar */
	bool on;
	mono_t started, drawn;
};

/* Shown when forced, or when standard error is a terminal. */
void progress_start(struct progress *p, const char *verb, int64_t total, bool forced);
void progress_show(struct progress *p, int64_t done);	/* at most ten times a second */
void progress_end(struct progress *p, int64_t done);	/* the last word, with a newline */

#endif
