/*
 * jobs - what the keeper does for each account from time to time (tbl/jobs.h): a few at once, spread over time, and none twice in the
 * fleet, for each run holds a lease in Redis until the next one is due.
 *
 * A run that fails gives its lease back and is tried again after a pause that doubles (job.retry_min to job.retry_max; half to all of it, at random).
 * Each job's last result is kept for operators.  A job whose account is gone is forgotten.
 */
#ifndef GRAPH_JOBS_H
#define GRAPH_JOBS_H

#include "base/loop.h"
#include "conf/conf.h"
#include "io/store.h"

enum job_kind {
#define JOB(ident, ...) JOB_##ident,
#include "tbl/jobs.h"
#undef JOB
	JOBS
};
const char *job_name(enum job_kind k);

struct jobs;
struct job;

/* Does it, and ends it with job_end() now or later, exactly once. */
typedef void job_run_f(void *arg, struct job *j);

struct jobs *jobs_new(struct loop *l, const struct conf *c, struct store *store);
void jobs_free(struct jobs **jp);			/* before what its runs use */
/* leased: once in the fleet; else on each machine. */
void jobs_add(struct jobs *jobs, enum job_kind k, bool leased, job_run_f *run, void *arg);

struct account *job_account(const struct job *j);
/* again_ms: sooner than usual, -1: as usual.  The words are for operators: no secrets. */
void job_end(struct job *j, bool ok, int64_t again_ms, const char *fmt, ...) PRINTF(4, 5);

/* At once, whatever the lease says; done (may be NULL) is told with job_view's words.  false: it is under way already. */
typedef void job_done_f(void *arg, bool ok, const char *words);
bool jobs_run_now(struct jobs *jobs, enum job_kind k, struct account *a, job_done_f *done, void *arg);

/* Something has changed: with the next turn, or, if it was run a moment ago, when some seconds are over.  Asked often, it is run once. */
void jobs_soon(struct jobs *jobs, enum job_kind k, struct account *a);

struct job_view {
	enum job_kind kind;
	const struct account *account;
	bool was_run, ok, is_running;
	int64_t at_ms, next_ms;		/* Unix time of the last end; until the next run, from now */
	const char *words;
};
void jobs_each(const struct jobs *jobs, void (*f)(void *arg, const struct job_view *v), void *arg);

#endif
