/*
 * The breaker's promise among many: senders that hammer one account never have two probes on their way at once, and a sender that is
 * killed with its probe holds up the others for the probe's lease and no longer.  Real processes, a real Redis, real time.
 */
#include "test_scripts.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { SENDERS = 8, OPEN_MS = 20, PROBE_MS = 200, LATE_MS = 1000, KILLED_EVERY = 10, CLOSES_EVERY = 4 };

/*
 * A probe is on its way from the answer of admit until just before settle is asked, or until its lease ends, counted - as a sender
 * does - from before admit was asked; Redis's own lease ends later, but for a millisecond that it rounds away.  So what is two at once
 * here, is two at once for Redis.
 */
static struct shared {
	_Atomic int64_t probe_until[SENDERS];	/* µs, monotonic; 0: none on its way */
	_Atomic int64_t killed_at;		/* the last prober's death, until the next probe; 0: none to wait for */
	_Atomic int64_t latest;			/* longest time from a death to the next probe, µs */
	_Atomic int probes, opened, closed, killed, overlaps;
	_Atomic bool is_over;
} *shared;

static int64_t monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* Entered first and looked around afterwards: of two that overlap at least one sees the other.  Returns which probe it is. */
static int probe_begins(int me, int64_t asked)
{
	int64_t now = monotonic_us(), killed_at = atomic_exchange(&shared->killed_at, 0), until = asked + (PROBE_MS - 1) * 1000;

	if (killed_at && now - killed_at > atomic_load(&shared->latest))
		atomic_store(&shared->latest, now - killed_at);
	if (atomic_exchange(&shared->probe_until[me], until) > now)	/* of a predecessor that was killed */
		atomic_fetch_add(&shared->overlaps, 1);
	for (int i = 0; i < SENDERS; i++) {
		int64_t other = i == me ? 0 : atomic_load(&shared->probe_until[i]);

		now = monotonic_us();
		if (other > now && until > now)
			atomic_fetch_add(&shared->overlaps, 1);
	}
	return atomic_fetch_add(&shared->probes, 1) + 1;
}

static void die(void)
{
	atomic_fetch_add(&shared->killed, 1);
	atomic_store(&shared->killed_at, monotonic_us());
	kill(getpid(), SIGKILL);
}

/* One message: admit and, if it may go, settle.  All fail but a probe now and then, so the breaker opens again and again. */
static void send_one(int me, const char *owner, struct strbuf *answer)
{
	struct settle a = { .owner = owner, .n = 1, .what = "retry", .says = "failed", .calls = 1, .open_ms = OPEN_MS, .open_max_ms = OPEN_MS };
	int64_t asked = monotonic_us();
	int nth;

	freeReplyObject(ask((const char *[]){ "DEL", record }, 2));
	set_number_tat(0);	/* a limit would only slow this down */
	admit(&(struct admit){ .owner = owner, .interval_us = 1, .probe_ms = PROBE_MS, .ramp_ms = 1 }, answer);
	if (!str_starts(answer->buf, "go|"))
		return;
	if (str_starts(answer->buf, "go|1|0|1||")) {
		nth = probe_begins(me, asked);
		a.is_probe = true;
		if (nth % KILLED_EVERY == 0)
			die();
		if (nth % CLOSES_EVERY == 0) {
			a.what = "sent";
			a.says = "good";
		}
		atomic_store(&shared->probe_until[me], 0);
	}
	settle(&a, answer);
	if (strstr(answer->buf, "breaker_opened"))
		atomic_fetch_add(&shared->opened, 1);
	else if (strstr(answer->buf, "breaker_closed"))
		atomic_fetch_add(&shared->closed, 1);
}

static void name_message(int me, pid_t test)
{
	snprintf(record, sizeof(record), "test%d:m:{d}:K%d", test, me);
	snprintf(id_index, sizeof(id_index), "test%d:i:{d}:t:m%d", test, me);
}

static void sender(int me)
{
	char owner[32];
	struct strbuf answer = STRBUF_INIT;

	connect_redis();
	snprintf(owner, sizeof(owner), "%d:%d", me, getpid());
	name_message(me, getppid());
	while (!atomic_load(&shared->is_over))
		send_one(me, owner, &answer);
	_exit(0);
}

static pid_t start_sender(int me)
{
	pid_t parent = getpid(), pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		sender(me);
	_exit(1);
}

static void replace(pid_t pids[SENDERS], pid_t dead)
{
	for (int i = 0; i < SENDERS; i++)
		if (pids[i] == dead)
			pids[i] = start_sender(i);
}

START_TEST(never_two_probes_and_none_for_ever)
{
	int cycles = getenv("WAMD_LONG") ? 1000 : 50, status;
	pid_t pids[SENDERS], dead;

	write_record("");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	for (int i = 0; i < SENDERS; i++)
		pids[i] = start_sender(i);
	while (atomic_load(&shared->opened) < cycles) {
		dead = wait(&status);	/* killed probers drive us on: there is one in every few cycles */
		ck_assert_int_gt(dead, 0);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a sender ended with %d", status);
		replace(pids, dead);
	}
	atomic_store(&shared->is_over, true);
	for (int i = 0; i < SENDERS; i++) {
		waitpid(pids[i], &status, 0);
		name_message(i, getpid());
		freeReplyObject(ask((const char *[]){ "DEL", record, id_index }, 3));
	}
	printf("# %d probes, %d times opened, %d closed, %d killed; at most %lld ms from a death to the next probe\n", shared->probes,
	       shared->opened, shared->closed, shared->killed, (long long)shared->latest / 1000);
	ck_assert_int_eq(shared->overlaps, 0);
	ck_assert_int_gt(shared->closed, 0);
	ck_assert_int_gt(shared->killed, cycles / KILLED_EVERY / 2);
	ck_assert_int_gt(shared->latest, 0);
	ck_assert_int_le(shared->latest / 1000, PROBE_MS + LATE_MS);
	munmap(shared, sizeof(*shared));
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *real;

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return EXIT_SUCCESS;
	}
	s = suite_create("scripts_race");
	real = unit_case(s, "race");
	tcase_set_timeout(real, 600);
	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_add_test(real, never_two_probes_and_none_for_ever);
	return unit_run(s);
}
