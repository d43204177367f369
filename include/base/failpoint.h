/*
 * failpoint - places between two durable writes where a test may kill, stop or fail the process.
 *
 * Only in test builds (WAMD_FAILPOINTS); nothing is left of them otherwise.  WAMD_FAIL=<point>:<k>:<kill|stop|err|sleep>
 * (several joined by commas) acts at the k-th visit in each process; FAILPOINT(x) is true when `err` asks for a failure.
 * The points are include/tbl/failpoints.h.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include "base/base.h"

enum failpoint {
#define POINT(ident, help) FAIL_##ident,
#include "tbl/failpoints.h"
#undef POINT
	FAILPOINTS
};

const char *failpoint_name(enum failpoint p);
const char *failpoint_help(enum failpoint p);

#ifdef WAMD_FAILPOINTS
int failpoint_setup(const char *spec);	/* 0, or -1: unknown point or action */
bool failpoint_visit(enum failpoint p);
#define FAILPOINT(ident) failpoint_visit(FAIL_##ident)
#else
#define FAILPOINT(ident) false
#endif

#endif
