#include "graph/jobs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/strbuf.h"
#include "flow/keys.h"

enum {
	TICK_MS = 250,
	REST_MS = 1000,			/* in place of it, when nothing runs or is due by then */
	LOOKS_A_TICK = 500,		/* accounts */
	RUNNING_MAX = 8,
	FIRST_EACH_MS = 200,
	SOON_MS = 5000,
	LEASE_SLACK = 10,		/* a lease ends a tenth before the next run is due */
	WORDS_MAX = 200,
};

static const char *const names[] = {
#define JOB(ident, name, ...) name,
#include "tbl/jobs.h"
#undef JOB
};

const char *job_name(enum job_kind k)
{
	return names[k];
}

struct job {
	struct jobs *all;
	enum job_kind kind;
	struct account *account;
	mono_t due, ended;
	int64_t at_ms;
	int failures;
	bool was_run, ok, is_running;
	bool is_wanted;			/* what it looks at has changed since it began */
	bool has_lease;			/* this run took it; an operator's takes none */
	job_done_f *done;
	void *arg;
	char words[WORDS_MAX];
};

struct jobs {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	struct { job_run_f *run; void *arg; bool leased; } kinds[JOBS];
	struct job **v;			/* by account.index, JOBS for each; NULL: not seen yet */
	int n_accounts;			/* of which there is room */
	int tenant, account;		/* where the round is */
	bool is_due_soon;		/* one of those that were looked at in this round, within REST_MS */
	int n_running;
	struct loop_timer tick;
	char owner[64];
};

static int64_t every(const struct jobs *jobs, enum job_kind k)
{
	const int64_t ms[] = {
#define JOB(ident, name, member, help) jobs->conf->member,
#include "tbl/jobs.h"
#undef JOB
	};

	return ms[k];
}

/* Between half and all of it. */
static int64_t jitter(int64_t ms)
{
	return ms / 2 + (int64_t)(rand_u64() % (uint64_t)(ms / 2 + 1));
}

static struct job *job_of(struct jobs *jobs, struct account *a, enum job_kind k)
{
	struct job **at, *j;

	if (a->index >= jobs->n_accounts) {
		int n = a->index + 256;

		jobs->v = mem_grow(jobs->v, (size_t)n * JOBS, sizeof(struct job *));
		memset(&jobs->v[jobs->n_accounts * JOBS], 0, (size_t)(n - jobs->n_accounts) * JOBS * sizeof(struct job *));
		jobs->n_accounts = n;
	}
	at = &jobs->v[a->index * JOBS + (int)k];
	if (!*at) {
		int64_t first = jobs->conf->job_first + (int64_t)jobs->conf->tenants->n_accounts * FIRST_EACH_MS;

		if (first > every(jobs, k))
			first = every(jobs, k);
		j = mem_alloc(sizeof(*j));
		*j = (struct job){ .all = jobs, .kind = k, .account = a };
		j->due = mono_add_ms(mono_now(), (int64_t)(rand_u64() % (uint64_t)(first + 1)));
		*at = j;
	}
	return *at;
}

struct account *job_account(const struct job *j)
{
	return j->account;
}

/* ---- one run ---- */

static void lease_key(const struct job *j, char out[KEY_TEXT_MAX])
{
	key_job(j->all->conf, names[j->kind], j->account, out);
}

static void on_released(void *arg, const struct store_reply *r)
{
	(void)arg;
	if (r && r->error)
		log_error("script_failed", "script=release %s", r->error);
}

static void give_lease_back(struct job *j)
{
	char key[KEY_TEXT_MAX];

	j->has_lease = false;
	lease_key(j, key);
	if (store_script(j->all->store, SCRIPT_RELEASE, 1, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(j->all->owner) }, 2, on_released,
			 NULL) < 0)
		log_debug("job", "name=%s: its lease ends by itself", names[j->kind]);
}

static int64_t pause_after(const struct job *j)
{
	const struct conf *c = j->all->conf;
	int64_t ms = c->job_retry_min << (j->failures < 20 ? j->failures : 20);

	if (ms > c->job_retry_max || ms <= 0)
		ms = c->job_retry_max;
	return jitter(ms < every(j->all, j->kind) ? ms : every(j->all, j->kind));
}

void job_end(struct job *j, bool ok, int64_t again_ms, const char *fmt, ...)
{
	job_done_f *done = j->done;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->words, sizeof(j->words), fmt, ap);
	va_end(ap);
	j->all->n_running--;
	j->is_running = false;
	j->was_run = true;
	j->ok = ok;
	j->at_ms = wall_ms();
	j->failures = ok ? 0 : j->failures + 1;
	if (again_ms < 0)
		again_ms = ok ? jitter(every(j->all, j->kind)) : pause_after(j);
	j->ended = mono_now();
	j->due = mono_add_ms(j->ended, j->is_wanted && again_ms > SOON_MS ? SOON_MS : again_ms);
	if (!ok && j->has_lease)
		give_lease_back(j);
	j->has_lease = false;
	log_debug("job", "name=%s tenant=%s account=%s ok=%d %s", names[j->kind], j->account->tenant->id, j->account->id, ok, j->words);
	j->done = NULL;
	if (done)
		done(j->arg, ok, j->words);
}

static void run(struct job *j)
{
	j->is_wanted = false;
	j->all->kinds[j->kind].run(j->all->kinds[j->kind].arg, j);
}

/* Another host has it: what comes of it is seen in Redis, in alerts, and at the tenant service. */
static void on_lease(void *arg, const struct store_reply *r)
{
	struct job *j = arg;

	if (r && !r->error && r->n == 1 && r->v[0].kind == STORE_TEXT && !j->account->is_gone) {
		j->has_lease = true;
		run(j);
	} else {
		j->all->n_running--;
		j->is_running = false;
		j->due = mono_add_ms(mono_now(), r ? jitter(every(j->all, j->kind)) : pause_after(j));
		if (r && !j->was_run)
			snprintf(j->words, sizeof(j->words), "another host does it");
	}
}

static void start(struct job *j)
{
	struct jobs *jobs = j->all;
	char key[KEY_TEXT_MAX], ms[24];
	int64_t lease = every(jobs, j->kind) / 2 - every(jobs, j->kind) / LEASE_SLACK;

	j->is_running = true;
	jobs->n_running++;
	if (!jobs->kinds[j->kind].leased) {
		run(j);
		return;
	}
	lease_key(j, key);
	snprintf(ms, sizeof(ms), "%" PRId64, lease < 1 ? 1 : lease);
	if (store_command(jobs->store, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), STORE_ARG(jobs->owner), STORE_ARG("NX"),
							     STORE_ARG("PX"), STORE_ARG(ms) }, 6, on_lease, j) < 0)
		on_lease(j, NULL);
}

bool jobs_run_now(struct jobs *jobs, enum job_kind k, struct account *a, job_done_f *done, void *arg)
{
	struct job *j = job_of(jobs, a, k);

	if (j->is_running || !jobs->kinds[k].run)
		return false;
	j->done = done;
	j->arg = arg;
	j->is_running = true;
	jobs->n_running++;
	run(j);
	return true;
}

void jobs_soon(struct jobs *jobs, enum job_kind k, struct account *a)
{
	struct job *j = job_of(jobs, a, k);
	mono_t now = mono_now(), soon = j->was_run ? mono_add_ms(j->ended, SOON_MS) : now;

	j->is_wanted = true;
	if (!j->is_running && mono_before(soon, j->due))
		j->due = soon;
}

/* ---- the round ---- */

static struct account *next_account(struct jobs *jobs)
{
	const struct tenant_set *ts = jobs->conf->tenants;

	while (jobs->tenant < tenant_set_size(ts) && jobs->account >= tenant_set_at(ts, jobs->tenant)->n_accounts) {
		jobs->tenant++;
		jobs->account = 0;
	}
	if (jobs->tenant < tenant_set_size(ts))
		return tenant_set_at(ts, jobs->tenant)->accounts[jobs->account++];
	jobs->tenant = jobs->account = 0;
	return NULL;
}

static void look_at(struct jobs *jobs, struct account *a)
{
	mono_t now = loop_now(jobs->loop);

	if (account_is_off(a))
		return;
	for (int k = 0; k < JOBS; k++) {
		struct job *j;

		if (!jobs->kinds[k].run || jobs->n_running >= RUNNING_MAX)
			continue;
		j = job_of(jobs, a, (enum job_kind)k);
		if (!j->is_running && !mono_before(now, j->due))
			start(j);
		else
			jobs->is_due_soon |= mono_diff_ms(j->due, now) < REST_MS;
	}
}

static void on_tick(void *arg)
{
	struct jobs *jobs = arg;
	struct account *a = NULL;
	bool is_through = false;

	for (int i = 0; i < LOOKS_A_TICK && jobs->n_running < RUNNING_MAX && !is_through; i++) {
		a = next_account(jobs);
		if (a)
			look_at(jobs, a);
		else
			is_through = true;
	}
	loop_timer_set_beat(jobs->loop, &jobs->tick, is_through && !jobs->n_running && !jobs->is_due_soon ? REST_MS : TICK_MS);
	jobs->is_due_soon &= !is_through;
}

void jobs_each(const struct jobs *jobs, void (*f)(void *arg, const struct job_view *v), void *arg)
{
	for (int i = 0; i < jobs->n_accounts * JOBS; i++) {
		const struct job *j = jobs->v[i];
		int64_t next;

		if (!j || j->account->is_gone)
			continue;
		next = mono_diff_ms(j->due, mono_now());
		f(arg, &(struct job_view){ .kind = j->kind, .account = j->account, .was_run = j->was_run, .ok = j->ok,
					   .is_running = j->is_running, .at_ms = j->at_ms, .next_ms = next < 0 ? 0 : next,
					   .words = j->words });
	}
}

/* ---- birth and death ---- */

void jobs_add(struct jobs *jobs, enum job_kind k, bool leased, job_run_f *run_it, void *arg)
{
	jobs->kinds[k].run = run_it;
	jobs->kinds[k].arg = arg;
	jobs->kinds[k].leased = leased;
}

struct jobs *jobs_new(struct loop *l, const struct conf *c, struct store *store)
{
	struct jobs *jobs = mem_alloc(sizeof(*jobs));
	char host[24];

	if (gethostname(host, sizeof(host)) < 0)
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	*jobs = (struct jobs){ .loop = l, .conf = c, .store = store };
	snprintf(jobs->owner, sizeof(jobs->owner), "%s:%d:%08" PRIx32, host, (int)getpid(), (uint32_t)rand_u64());
	loop_timer_init(&jobs->tick, on_tick, jobs);
	loop_timer_set(l, &jobs->tick, TICK_MS);
	return jobs;
}

void jobs_free(struct jobs **jp)
{
	struct jobs *jobs = *jp;

	if (!jobs)
		return;
	loop_timer_stop(jobs->loop, &jobs->tick);
	for (int i = 0; i < jobs->n_accounts * JOBS; i++)
		free(jobs->v[i]);
	free(jobs->v);
	free(jobs);
	*jp = NULL;
}
