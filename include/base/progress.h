/* progress - one line on standard error that is rewritten: `feeding 4210/10000 [######....] 2103/s 00:03 left`. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include "base/clock.h"

struct progress {
	const char *verb, *unit;	/* unit: what stands behind numbers, "" or " KB" */
	int64_t total;			/* 0: not known, no bar */
	bool on;
	mono_t started, drawn;
};

/* Shown when forced, or when standard error is a terminal. */
void progress_start(struct progress *p, const char *verb, int64_t total, bool forced);
void progress_show(struct progress *p, int64_t done);	/* at most ten times a second */
void progress_wait(struct progress *p);			/* the same where nothing can be counted: `fetching 00:03` */
void progress_end(struct progress *p, int64_t done);	/* the last word, with a newline */
void progress_clear(struct progress *p);		/* in place of that: the line is empty again */

#endif
