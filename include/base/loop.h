/*
 * loop - level-triggered epoll, one timer heap, signals, and work at the end of a turn.
 *
 * Ownership: watchers, timers and hooks are embedded in the caller's structs; remove them before freeing the struct.
 * A watcher removed in a callback gets no event of the same batch any more.  Make the loop after fork.
 * Nothing in a callback may block: the longest turn is measured (loop_longest_turn_us).
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <signal.h>
#include "base/clock.h"
#include "base/heap.h"
#include "base/list.h"

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };	/* errors and hang-ups are reported as both */

struct loop_io {
	int fd;			/* -1: not watched */
	unsigned events;
	void (*on_ready)(void *arg, unsigned events);
	void *arg;
};

struct loop_timer {
	struct heap_node node;
	mono_t at;
	void (*on_time)(void *arg);
	void *arg;
};

struct loop_hook {		/* called once at the end of every turn, before waiting: flush here */
	struct list list;
	void (*on_turn)(void *arg);
	void *arg;
};

struct loop *loop_new(void);
void loop_free(struct loop **lp);
int loop_run(struct loop *l);			/* returns what loop_stop() was given */
void loop_stop(struct loop *l, int code);
mono_t loop_now(const struct loop *l);		/* time at the start of this turn: cheap */
/*
 * Since the last call.  A turn counts with its wall time but for the waits for a CPU, its own and some of the 10 ms before: others on the
 * machine are no fault of ours.
 */
int64_t loop_longest_turn_us(struct loop *l);
uint64_t loop_turns(const struct loop *l);

void loop_io_init(struct loop_io *w, void (*on_ready)(void *arg, unsigned events), void *arg);
void loop_io_set(struct loop *l, struct loop_io *w, int fd, unsigned events);	/* adds or changes; events 0 stops watching */
void loop_io_del(struct loop *l, struct loop_io *w);

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *arg), void *arg);
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms);		/* re-arms when armed */
void loop_timer_set_at(struct loop *l, struct loop_timer *t, mono_t at);
/*
 * At the next whole multiple of ms since boot.  For what looks around from time to time: all such timers of a process, and those whose
 * ms divides another's, come in one turn, so a process at rest wakes up once for all of them.
 */
void loop_timer_set_beat(struct loop *l, struct loop_timer *t, int64_t ms);
void loop_timer_stop(struct loop *l, struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);

void loop_hook_init(struct loop_hook *h, void (*on_turn)(void *arg), void *arg);
void loop_hook_add(struct loop *l, struct loop_hook *h);
void loop_hook_del(struct loop_hook *h);

/* All signals of the set are blocked and delivered through on_signal between callbacks.  Once per loop. */
void loop_signals(struct loop *l, const sigset_t *set, void (*on_signal)(void *arg, int signo), void *arg);

#endif
