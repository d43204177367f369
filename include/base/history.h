/*
 * history - the last 15 minutes in the scoreboard: a ring of samples of all processes, one each 5 s (include/tbl/history.h).
 *
 * The keeper writes, right behind the beginning of a step: what has come since the sample before.  A sample is known by the number of
 * its step since 1970, so a step in which nobody looked is a gap and not an old value.  What was counted up to the last one is in
 * the ring, too: the next keeper goes on from there.
 */
#ifndef BASE_HISTORY_H
#define BASE_HISTORY_H

#include "base/histogram.h"

enum history_series {
#define SERIES(ident, name, kind, of, help) SERIES_##ident,
#include "tbl/history.h"
#undef SERIES
	SERIES_ALL
};

enum { HISTORY_STEPS = 180, HISTORY_STEP_MS = 5000 };

struct history_sample {
	_Atomic int64_t step;			/* Unix time / HISTORY_STEP_MS; 0: none */
	_Atomic int64_t values[SERIES_ALL];	/* -1: there was nothing to tell from */
};

struct history {
	struct history_sample samples[HISTORY_STEPS];
	_Atomic int64_t last_step;
	_Atomic uint64_t last_counted[SERIES_ALL];
	struct histogram last_seen[HISTOGRAMS];
};

struct board;

const char *history_name(enum history_series s);

void history_take(struct board *b, int64_t now_ms);	/* once a step; more is left out.  After a gap, values are those of an average step */
/* The value of a series, back steps before that of at_ms; -1: none. */
int64_t history_look(const struct board *b, int64_t at_ms, enum history_series s, int back);
int64_t history_newest_ms(const struct board *b, int64_t now_ms);	/* of now if it has its sample, else the step before */

#endif
