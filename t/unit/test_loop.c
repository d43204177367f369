/* The loop: order of timers, watchers and hooks that go away while they are being served, signals. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"

static struct loop *loop;
static char story[64];

static void tell(char c)
{
	size_t n = strlen(story);

	story[n] = c;
	story[n + 1] = 0;
}

static void begin(void)
{
	loop = loop_new();
	story[0] = 0;
}

static void end(void)
{
	loop_free(&loop);
	ck_assert_ptr_null(loop);
}

struct told_timer { struct loop_timer t; char name; struct loop_timer *stops; bool is_last; };

static void on_told(void *arg)
{
	struct told_timer *x = arg;

	ck_assert(!loop_timer_is_set(&x->t));
	tell(x->name);
	if (x->stops)
		loop_timer_stop(loop, x->stops);
	if (x->is_last)
		loop_stop(loop, 42);
}

START_TEST(timers_come_in_the_order_of_their_times)
{
	struct told_timer t[] = { { .name = 'c' }, { .name = 'a' }, { .name = 'x' }, { .name = 'd', .is_last = true }, { .name = 'b' } };
	static const int64_t ms[] = { 20, 0, 25, 30, 10 };

	t[4].stops = &t[2].t;			/* b stops x */
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		loop_timer_init(&t[i].t, on_told, &t[i]);
		ck_assert(!loop_timer_is_set(&t[i].t));
		loop_timer_set(loop, &t[i].t, 5);
		loop_timer_set(loop, &t[i].t, ms[i]);	/* setting it again moves it */
		ck_assert(loop_timer_is_set(&t[i].t));
	}
	ck_assert_int_eq(loop_run(loop), 42);
	ck_assert_str_eq(story, "abcd");
	loop_timer_stop(loop, &t[0].t);			/* is stopped already: nothing happens */
}
END_TEST

START_TEST(a_timer_never_comes_early)
{
	struct told_timer t = { .name = 't', .is_last = true };
	mono_t start = mono_now();

	loop_timer_init(&t.t, on_told, &t);
	loop_timer_set_at(loop, &t.t, mono_add_ms(start, 15));
	loop_run(loop);
	ck_assert_int_ge(mono_diff_ms(mono_now(), start), 15);
	ck_assert_int_ge(mono_diff_ms(loop_now(loop), start), 15);
	ck_assert_uint_ge(loop_turns(loop), 1);
}
END_TEST

START_TEST(timers_on_the_beat_come_together)
{
	static const int64_t ms[] = { 7, 250, 1000 };
	struct told_timer t = { .name = 't' };

	loop_timer_init(&t.t, on_told, &t);
	for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
		mono_t before = mono_now();

		loop_timer_set_beat(loop, &t.t, ms[i]);
		ck_assert_int_eq(t.t.at.us % (ms[i] * 1000), 0);
		ck_assert(mono_before(before, t.t.at));
		ck_assert_int_le(mono_diff_us(t.t.at, mono_now()), ms[i] * 1000);
	}
	loop_timer_stop(loop, &t.t);
}
END_TEST

/* Two pairs of sockets, both readable at once: who is served first removes the other. */
struct watcher { struct loop_io io; char name; struct watcher *other; int fds[2]; };

static void on_ready_remove_other(void *arg, unsigned events)
{
	struct watcher *w = arg;
	char c;

	ck_assert_uint_eq(events, LOOP_READ);
	ck_assert_int_eq(read(w->fds[0], &c, 1), 1);
	tell('!');
	loop_io_del(loop, &w->other->io);
	ck_assert_int_eq(w->other->io.fd, -1);
}

static void on_ready_take_over(void *arg, unsigned events UNUSED)
{
	struct watcher *w = arg;
	char c;

	/* The other's descriptor number goes to a new watcher within the batch: the old event is not the new one's. */
	ck_assert_int_eq(read(w->fds[0], &c, 1), 1);
	tell('!');
	loop_io_del(loop, &w->other->io);
	ck_assert_int_eq(read(w->other->fds[0], &c, 1), 1);
	loop_io_set(loop, &w->other->io, w->other->fds[0], LOOP_READ);
}

static void two_at_once(void (*on_ready)(void *arg, unsigned events))
{
	struct watcher w[2] = { { .name = 'a' }, { .name = 'b' } };
	struct told_timer stop = { .name = '.', .is_last = true };

	for (int i = 0; i < 2; i++) {
		w[i].other = &w[1 - i];
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, w[i].fds), 0);
		ck_assert_int_eq(write(w[i].fds[1], "x", 1), 1);
		loop_io_init(&w[i].io, on_ready, &w[i]);
		loop_io_set(loop, &w[i].io, w[i].fds[0], LOOP_READ);
	}
	loop_timer_init(&stop.t, on_told, &stop);
	loop_timer_set(loop, &stop.t, 20);
	loop_run(loop);
	for (int i = 0; i < 2; i++) {
		loop_io_del(loop, &w[i].io);
		loop_io_del(loop, &w[i].io);		/* twice is fine */
		close(w[i].fds[0]);
		close(w[i].fds[1]);
	}
}

START_TEST(a_watcher_removed_in_the_batch_hears_nothing)
{
	two_at_once(on_ready_remove_other);
	ck_assert_str_eq(story, "!.");
}
END_TEST

START_TEST(a_new_watcher_does_not_inherit_an_event)
{
	two_at_once(on_ready_take_over);
	ck_assert_str_eq(story, "!.");
}
END_TEST

static void on_writable(void *arg, unsigned events)
{
	struct watcher *w = arg;

	tell(events == LOOP_WRITE ? 'w' : '?');
	loop_io_set(loop, &w->io, w->fds[0], 0);	/* nothing any more: it may not come again */
}

START_TEST(watching_nothing_is_not_watching)
{
	struct watcher w = { 0 };
	struct told_timer stop = { .name = '.', .is_last = true };

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, w.fds), 0);
	loop_io_init(&w.io, on_writable, &w);
	loop_io_set(loop, &w.io, w.fds[0], LOOP_WRITE);
	loop_timer_init(&stop.t, on_told, &stop);
	loop_timer_set(loop, &stop.t, 20);
	loop_run(loop);
	ck_assert_int_eq(w.io.fd, -1);
	close(w.fds[1]);				/* a hang-up would be reported even with an empty mask */
	loop_timer_set(loop, &stop.t, 20);
	loop_run(loop);
	ck_assert_str_eq(story, "w..");
	close(w.fds[0]);
}
END_TEST

struct told_hook { struct loop_hook h; char name; struct loop_hook *removes[2]; };

static void on_hook(void *arg)
{
	struct told_hook *x = arg;

	tell(x->name);
	for (size_t i = 0; i < ARRAY_LEN(x->removes); i++)
		if (x->removes[i])
			loop_hook_del(x->removes[i]);
}

START_TEST(hooks_may_remove_themselves_and_each_other)
{
	struct told_hook h[] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' }, { .name = 'd' }, { .name = 'e' } };
	struct told_timer now = { .name = '.', .is_last = true };

	h[0].removes[0] = &h[0].h;			/* itself */
	h[1].removes[0] = &h[2].h;			/* the next, */
	h[1].removes[1] = &h[0].h;			/* and one that is gone */
	h[3].removes[0] = &h[1].h;			/* the one before */
	for (size_t i = 0; i < ARRAY_LEN(h); i++) {
		loop_hook_init(&h[i].h, on_hook, &h[i]);
		loop_hook_add(loop, &h[i].h);
	}
	loop_hook_add(loop, &h[4].h);			/* once in the list, however often added */
	loop_timer_init(&now.t, on_told, &now);
	loop_timer_set(loop, &now.t, 0);
	loop_run(loop);					/* before the first wait, then after it */
	ck_assert_str_eq(story, "abde.de");
}
END_TEST

static void on_signal(void *arg UNUSED, int signo)
{
	tell(signo == SIGUSR1 ? 'u' : 'h');
	if (signo == SIGUSR1)
		loop_stop(loop, 0);
}

START_TEST(signals_come_between_callbacks)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	loop_signals(loop, &set, on_signal, NULL);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGHUP);				/* one signal, asked for twice */
	kill(getpid(), SIGUSR1);
	loop_run(loop);
	ck_assert(!strcmp(story, "hu") || !strcmp(story, "uh"));
}
END_TEST

struct blocker { struct loop_timer t; int turns; };

/* Short turns, and then one that waits for something. */
static void on_blocker(void *arg)
{
	struct blocker *b = arg;

	if (b->turns-- > 0) {
		loop_timer_set(loop, &b->t, 1);
		return;
	}
	nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
	loop_stop(loop, 0);
}

/* The kernel's count of waits for a CPU may be from 10 ms before the turn: it can hide so much, and no more. */
START_TEST(a_turn_that_blocks_is_seen_among_short_ones)
{
	struct blocker b = { .turns = 20 };

	loop_timer_init(&b.t, on_blocker, &b);
	loop_timer_set(loop, &b.t, 0);
	loop_run(loop);
	ck_assert_uint_ge(loop_turns(loop), 21);
	ck_assert_int_ge(loop_longest_turn_us(loop), 30000);
	ck_assert_int_eq(loop_longest_turn_us(loop), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *turns = unit_case(s, "loop");

	tcase_add_checked_fixture(turns, begin, end);
	tcase_add_test(turns, timers_come_in_the_order_of_their_times);
	tcase_add_test(turns, a_timer_never_comes_early);
	tcase_add_test(turns, timers_on_the_beat_come_together);
	tcase_add_test(turns, a_watcher_removed_in_the_batch_hears_nothing);
	tcase_add_test(turns, a_new_watcher_does_not_inherit_an_event);
	tcase_add_test(turns, watching_nothing_is_not_watching);
	tcase_add_test(turns, hooks_may_remove_themselves_and_each_other);
	tcase_add_test(turns, signals_come_between_callbacks);
	tcase_add_test(turns, a_turn_that_blocks_is_seen_among_short_ones);
	return unit_run(s);
}
