/* The breaker for Graph and the retry budget, with eight processes in one mapping. */
#include "test_host.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

enum { PROCESSES = 8, CYCLES = 1500, LEASES_MAX = 1 << 16, MORTAL = 3, MORTAL_AFTER = 10 };

static const struct host_rules quick = { .window_ms = 10000, .open_ms = 3, .open_max_ms = 6, .probe_ms = 40,
					 .calls_min = 4, .failed_percent = 50, .retry_percent = 20, .retry_floor = 1 };

/* Every reading of the clock is another one, so that what was read before is before: asked is before the question, from after its
   answer, to before the result was told. */
struct lease { int64_t asked, from, to; };
struct change { int64_t told, done; enum host_change what; };

struct arena {
	struct host host;
	_Atomic int64_t clock_ms;
	_Atomic int n_leases, n_changes, closings, go, died;
	host_pass pass[2];
	struct lease leases[LEASES_MAX];
	struct change changes[LEASES_MAX];
};

static int64_t tick(struct arena *a)
{
	return atomic_fetch_add(&a->clock_ms, 1) + 1;
}

static uint32_t dice(uint32_t *state, uint32_t sides)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 16) % sides;
}

static void tell_result(struct arena *a, host_pass pass, bool failed)
{
	int64_t told = tick(a);
	enum host_change what = host_result(&a->host, &quick, at(told), pass, failed);
	int i;

	if (what == HOST_SAME)
		return;
	i = atomic_fetch_add(&a->n_changes, 1);
	if (i < LEASES_MAX)
		a->changes[i] = (struct change){ told, tick(a), what };
	if (what == HOST_CLOSED)
		atomic_fetch_add(&a->closings, 1);
}

/* Answers well, badly, or not at all. */
static void probe(struct arena *a, int64_t asked, host_pass pass, uint32_t *random, bool dies)
{
	int64_t from = tick(a);
	int i = atomic_fetch_add(&a->n_leases, 1);
	struct lease *l = &a->leases[i % LEASES_MAX];

	*l = (struct lease){ asked, from, asked + quick.probe_ms };
	if (dies) {
		atomic_store(&a->died, 1);
		raise(SIGKILL);
	}
	for (uint32_t n = dice(random, 4); n > 0; n--)
		tick(a);
	if (dice(random, 8) == 0)
		return;
	from = tick(a);
	if (from < l->to)
		l->to = from;
	tell_result(a, pass, dice(random, 2));
}

static NORETURN void hammer(struct arena *a, int number)
{
	uint32_t random = (uint32_t)number * 77777 + 1;
	int probes = 0;

	while (!atomic_load(&a->go))
		;
	while ((atomic_load(&a->closings) < CYCLES || !atomic_load(&a->died)) && atomic_load(&a->n_leases) < LEASES_MAX) {
		int64_t asked = tick(a), wait;
		host_pass pass;

		switch (host_may_send(&a->host, &quick, at(asked), &pass, &wait)) {
		case HOST_GO:
			tell_result(a, pass, dice(&random, 5) != 0);
			break;
		case HOST_PROBE:
			probe(a, asked, pass, &random, number == MORTAL && ++probes == MORTAL_AFTER);
			break;
		case HOST_WAIT:
			if (wait < 1)
				_exit(2);
			break;
		}
	}
	_exit(0);
}

static int by_time(const void *x, const void *y)
{
	const struct change *a = x, *b = y;

	return a->told < b->told ? -1 : a->told > b->told;
}

/* A closing ends the lease that was out; one that may have been before the lease is no excuse. */
static void end_with_closing(const struct arena *a, struct lease *l)
{
	for (int i = 0; i < a->n_changes; i++)
		if (a->changes[i].what == HOST_CLOSED && a->changes[i].done > l->asked && a->changes[i].told < l->to)
			l->to = a->changes[i].told;
}

static int overlaps(struct arena *a, int *held)
{
	int bad = 0;

	*held = 0;
	for (int i = 0; i < a->n_leases; i++)
		end_with_closing(a, &a->leases[i]);
	for (int i = 0; i < a->n_leases; i++) {
		const struct lease *x = &a->leases[i];

		*held += x->from < x->to;
		for (int k = 0; k < i; k++) {
			const struct lease *y = &a->leases[k];
			int64_t from = x->from > y->from ? x->from : y->from, to = x->to < y->to ? x->to : y->to;

			bad += from < to;
		}
	}
	return bad;
}

static void run_all(struct arena *a, NORETURN void (*f)(struct arena *a, int number), int mortal)
{
	pid_t pid[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		ck_assert_int_ge(pid[i], 0);
		if (pid[i] == 0)
			f(a, i);
	}
	atomic_store(&a->go, 1);
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
		if (i == mortal)
			ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		else
			ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: %#x", i, (unsigned)status);
	}
}

START_TEST(eight_processes_never_probe_together_and_tell_each_change_once)
{
	struct arena *a = shared(sizeof(*a));
	int held, bad;

	a->clock_ms = 100000;
	run_all(a, hammer, MORTAL);
	ck_assert_int_ge(a->closings, CYCLES);
	ck_assert_int_lt(a->n_leases, LEASES_MAX);
	bad = overlaps(a, &held);
	ck_assert_msg(bad == 0, "%d of %d leases were out together", bad, a->n_leases);
	ck_assert_int_ge(held, CYCLES / 2);	/* or the test has seen nothing */
	qsort(a->changes, (size_t)a->n_changes, sizeof(a->changes[0]), by_time);
	for (int i = 0; i < a->n_changes; i++)
		ck_assert_msg(a->changes[i].what == (i % 2 ? HOST_CLOSED : HOST_OPENED), "change %d of %d", i, a->n_changes);
	ck_assert(host_is_open(&a->host) == (a->n_changes % 2 == 1));
	munmap(a, sizeof(*a));
}
END_TEST

/* Two probes, the lease of the first one over, succeed in the same moment. */
enum { ROUNDS = 20000 };

static void meet(struct arena *a, int round)
{
	atomic_fetch_add(&a->go, 1);
	while (atomic_load(&a->go) < 2 * round)
		sched_yield();
}

static void close_together(struct arena *a, int number)
{
	uint32_t random = (uint32_t)number + 1;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t wait, ms = 100000 + (int64_t)i * 1000;

		if (number == 0) {
			host_trip(&a->host, at(ms), 0);
			(void)host_may_send(&a->host, &quick, at(ms), &a->pass[0], &wait);
			(void)host_may_send(&a->host, &quick, at(ms + quick.probe_ms), &a->pass[1], &wait);
		}
		meet(a, 2 * i + 1);
		for (uint32_t n = dice(&random, 100); n > 0; n--)	/* else the one that arrives last always loses */
			(void)atomic_load(&a->go);
		atomic_fetch_add(&a->closings, host_result(&a->host, &quick, at(ms + 100), a->pass[number], false) == HOST_CLOSED);
		meet(a, 2 * i + 2);
	}
}

START_TEST(two_that_close_it_together_tell_it_once)
{
	struct arena *a = shared(sizeof(*a));
	pid_t pid = fork();
	int status = -1;

	ck_assert_int_ge(pid, 0);
	close_together(a, pid == 0);
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(a->closings, ROUNDS);
	munmap(a, sizeof(*a));
}
END_TEST

START_TEST(a_killed_prober_blocks_for_its_lease)
{
	struct host *h = shared(sizeof(*h));
	host_pass pass;
	int64_t wait;
	pid_t pid;
	int status;

	host_trip(h, at(100000), 2000);
	pid = fork();
	if (pid == 0) {
		if (host_may_send(h, &rules, at(102000), &pass, &wait) == HOST_PROBE)
			raise(SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(host_may_send(h, &rules, at(102000), &pass, &wait), HOST_WAIT);
	ck_assert_int_eq(host_may_send(h, &rules, at(111999), &pass, &wait), HOST_WAIT);
	ck_assert_int_eq(host_may_send(h, &rules, at(112000), &pass, &wait), HOST_PROBE);
	ck_assert_int_eq(host_result(h, &rules, at(112000), pass, false), HOST_CLOSED);
	munmap(h, sizeof(*h));
}
END_TEST

enum { CROWD_FIRST = 20000, CROWD_WANTED = 5000, CROWD_FITS = CROWD_FIRST / 5 + 10 };

static NORETURN void crowd(struct arena *a, int number)
{
	(void)number;
	while (!atomic_load(&a->go))
		;
	for (int i = 0; i < CROWD_WANTED; i++)
		atomic_fetch_add(&a->n_changes, host_take_retry(&a->host, &rules, at(100000)));
	_exit(0);
}

START_TEST(eight_processes_take_no_retry_too_many)
{
	struct arena *a = shared(sizeof(*a));

	answer(&a->host, 100000, 0, 1);
	for (int i = 0; i < CROWD_FIRST; i++)
		host_count_first(&a->host, at(100000));
	run_all(a, crowd, -1);
	ck_assert_int_eq(a->n_changes, CROWD_FITS);
	ck_assert_int_eq(look(&a->host, 100000).retries, CROWD_FITS);
	munmap(a, sizeof(*a));
}
END_TEST

enum { ANSWERS = 40000 };

static NORETURN void answer_all(struct arena *a, int number)
{
	struct host_rules never = rules;
	host_pass pass;
	int64_t wait;

	never.failed_percent = 101;
	while (!atomic_load(&a->go))
		;
	for (int64_t i = 0; i < ANSWERS; i++) {
		int64_t ms = 100000 + i / 5;		/* through eight turns of the second */

		if (host_may_send(&a->host, &never, at(ms), &pass, &wait) != HOST_GO ||
		    host_result(&a->host, &never, at(ms), pass, number == 0) != HOST_SAME)
			_exit(1);
	}
	_exit(0);
}

START_TEST(eight_processes_lose_no_answer)
{
	struct arena *a = shared(sizeof(*a));
	struct host_view v;

	run_all(a, answer_all, -1);
	v = look(&a->host, 108000);
	ck_assert_int_eq(v.good, 7 * ANSWERS);
	ck_assert_int_eq(v.failed, ANSWERS);
	munmap(a, sizeof(*a));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("host_many");
	TCase *c = unit_case(s, "host_many");

	tcase_add_test(c, eight_processes_never_probe_together_and_tell_each_change_once);
	tcase_add_test(c, two_that_close_it_together_tell_it_once);
	tcase_add_test(c, a_killed_prober_blocks_for_its_lease);
	tcase_add_test(c, eight_processes_take_no_retry_too_many);
	tcase_add_test(c, eight_processes_lose_no_answer);
	return unit_run(s);
}
