#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"

enum { BATCH = 64, LONG_TURN_US = 2000, WAITS_US = 10000 };

/* Which watcher a descriptor belongs to now; the generation tells events of a batch from those of an earlier owner. */
struct slot { struct loop_io *io; uint32_t generation; };

struct loop {
	int epoll_fd;
	struct slot *slots;
	int n_slots;
	struct heap timers;
	struct list hooks;
	mono_t now;
	bool stopping;
	int code;
	int64_t longest_us;
	uint64_t turns;
	int signal_fd, sched_fd;
	int64_t waited_us;		/* for a CPU, as of waited_at */
	mono_t waited_at;
	struct loop_io signal_io;
	void (*on_signal)(void *arg, int signo);
	void *signal_arg;
};

static bool timer_less(const struct heap_node *a, const struct heap_node *b)
{
	const struct loop_timer *x = CONTAINER_OF(a, const struct loop_timer, node);
	const struct loop_timer *y = CONTAINER_OF(b, const struct loop_timer, node);

	return x->at.us < y->at.us;
}

struct loop *loop_new(void)
{
	struct loop *l = mem_alloc(sizeof(*l));

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		fatal(EX_OSERR, "epoll_create1: %s", strerror(errno));
	l->signal_fd = -1;
	l->sched_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	heap_init(&l->timers, timer_less);
	list_init(&l->hooks);
	l->now = mono_now();
	return l;
}

void loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (!l)
		return;
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	if (l->sched_fd >= 0)
		close(l->sched_fd);
	close(l->epoll_fd);
	heap_release(&l->timers);
	free(l->slots);
	free(l);
	*lp = NULL;
}

mono_t loop_now(const struct loop *l)
{
	return l->now;
}

int64_t loop_longest_turn_us(struct loop *l)
{
	int64_t us = l->longest_us;

	l->longest_us = 0;
	return us;
}

uint64_t loop_turns(const struct loop *l)
{
	return l->turns;
}

void loop_io_init(struct loop_io *w, void (*on_ready)(void *arg, unsigned events), void *arg)
{
	*w = (struct loop_io){ .fd = -1, .on_ready = on_ready, .arg = arg };
}

static struct slot *slot_of(struct loop *l, int fd)
{
	if (fd >= l->n_slots) {
		int n = fd + 64;

		l->slots = mem_grow(l->slots, (size_t)n, sizeof(*l->slots));
		memset(l->slots + l->n_slots, 0, (size_t)(n - l->n_slots) * sizeof(*l->slots));
		l->n_slots = n;
	}
	return &l->slots[fd];
}

void loop_io_del(struct loop *l, struct loop_io *w)
{
	struct slot *s;

	if (w->fd < 0)
		return;
	s = slot_of(l, w->fd);
	if (s->io == w) {
		s->io = NULL;
		s->generation++;
		/* A library may have closed it already: EBADF and ENOENT are fine. */
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	}
	w->fd = -1;
	w->events = 0;
}

void loop_io_set(struct loop *l, struct loop_io *w, int fd, unsigned events)
{
	struct epoll_event ev = { 0 };
	struct slot *s;

	if (!events || (w->fd >= 0 && w->fd != fd))
		loop_io_del(l, w);
	if (!events)
		return;	/* with an empty mask epoll still reports EPOLLHUP, for ever */
	if (w->fd == fd && w->events == events)
		return;
	s = slot_of(l, fd);
	if (s->io != w) {
		s->io = w;
		s->generation++;
	}
	ev.events = (events & LOOP_READ ? EPOLLIN : 0U) | (events & LOOP_WRITE ? EPOLLOUT : 0U);
	ev.data.u64 = (uint64_t)s->generation << 32 | (uint32_t)fd;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0 &&
	    (errno != ENOENT || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0))
		BUG("epoll_ctl fd=%d: %s", fd, strerror(errno));
	w->fd = fd;
	w->events = events;
}

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *arg), void *arg)
{
	*t = (struct loop_timer){ .node = { .index = -1 }, .on_time = on_time, .arg = arg };
}

void loop_timer_set_at(struct loop *l, struct loop_timer *t, mono_t at)
{
	heap_remove(&l->timers, &t->node);
	t->at = at;
	heap_push(&l->timers, &t->node);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms)
{
	loop_timer_set_at(l, t, mono_add_ms(mono_now(), ms));
}

void loop_timer_set_beat(struct loop *l, struct loop_timer *t, int64_t ms)
{
	int64_t step = ms * 1000, now = mono_now().us;

	loop_timer_set_at(l, t, (mono_t){ .us = now - now % step + step });
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	heap_remove(&l->timers, &t->node);
}

bool loop_timer_is_set(const struct loop_timer *t)
{
	return t->node.index >= 0;
}

void loop_hook_init(struct loop_hook *h, void (*on_turn)(void *arg), void *arg)
{
	*h = (struct loop_hook){ .on_turn = on_turn, .arg = arg };
	list_init(&h->list);
}

void loop_hook_add(struct loop *l, struct loop_hook *h)
{
	list_del(&h->list);
	list_add_tail(&l->hooks, &h->list);
}

void loop_hook_del(struct loop_hook *h)
{
	list_del(&h->list);
}

static void on_signal_ready(void *arg, unsigned events)
{
	struct loop *l = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(l->signal_fd, &info, sizeof(info)) == sizeof(info))
		l->on_signal(l->signal_arg, (int)info.ssi_signo);
}

void loop_signals(struct loop *l, const sigset_t *set, void (*on_signal)(void *arg, int signo), void *arg)
{
	if (l->signal_fd >= 0)
		BUG("loop_signals called twice");
	sigprocmask(SIG_BLOCK, set, NULL);
	l->signal_fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signal_fd < 0)
		fatal(EX_OSERR, "signalfd: %s", strerror(errno));
	l->on_signal = on_signal;
	l->signal_arg = arg;
	loop_io_init(&l->signal_io, on_signal_ready, l);
	loop_io_set(l, &l->signal_io, l->signal_fd, LOOP_READ);
}

static void run_timers(struct loop *l)
{
	struct heap_node *n;

	/* Timers set by these callbacks for "now" run in the next turn: descriptors get their share. */
	while ((n = heap_top(&l->timers))) {
		struct loop_timer *t = CONTAINER_OF(n, struct loop_timer, node);

		if (mono_before(l->now, t->at))
			break;
		heap_pop(&l->timers);
		t->on_time(t->arg);
	}
}

/* The hook that is running may remove itself or others: a marker holds the place. */
static void run_hooks(struct loop *l)
{
	struct list here;

	list_init(&here);
	list_add_head(&l->hooks, &here);
	while (here.next != &l->hooks) {
		struct loop_hook *h = CONTAINER_OF(here.next, struct loop_hook, list);

		list_del(&here);
		list_add_head(&h->list, &here);
		h->on_turn(h->arg);
	}
	list_del(&here);
}

static int wait_ms(const struct loop *l)
{
	struct heap_node *n = heap_top(&l->timers);
	int64_t us;

	if (!n)
		return -1;
	us = mono_diff_us(CONTAINER_OF(n, struct loop_timer, node)->at, mono_now());
	if (us <= 0)
		return 0;
	return us > 3600000000LL ? 3600000 : (int)((us + 999) / 1000);
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
	int fd = (int)(uint32_t)ev->data.u64;
	struct slot *s = &l->slots[fd];
	unsigned events = 0;

	if (s->generation != (uint32_t)(ev->data.u64 >> 32) || !s->io)
		return;		/* removed by an earlier callback of this batch */
	if (ev->events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP))
		events |= LOOP_READ;
	if (ev->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		events |= LOOP_WRITE;
	s->io->on_ready(s->io->arg, events);
}

/* How long this thread has waited for a CPU since it began, 0 where the kernel does not say. */
static int64_t waited_for_cpu_us(const struct loop *l)
{
	char text[96];
	long long delay_ns;
	ssize_t n = l->sched_fd < 0 ? -1 : pread(l->sched_fd, text, sizeof(text) - 1, 0);
	char *second;

	if (n <= 0)
		return 0;
	text[n] = 0;
	second = strchr(text, ' ');
	delay_ns = second ? strtoll(second, NULL, 10) : 0;
	return delay_ns / 1000;
}

static void note_waits(struct loop *l)
{
	l->waited_us = waited_for_cpu_us(l);
	l->waited_at = l->now;
}

/* The kernel's count costs as much as a short turn: under load it is read for some together, and a long turn is spared their waits, too. */
static void measure_turn(struct loop *l)
{
	int64_t took = mono_diff_us(mono_now(), l->now), before = l->waited_us;

	if (took > LONG_TURN_US) {
		note_waits(l);
		took -= l->waited_us - before;
	}
	if (took > l->longest_us)
		l->longest_us = took;
}

int loop_run(struct loop *l)
{
	struct epoll_event batch[BATCH];

	l->stopping = false;
	run_hooks(l);
	while (!l->stopping) {
		int n = epoll_wait(l->epoll_fd, batch, BATCH, wait_ms(l));

		if (n < 0 && errno != EINTR)
			BUG("epoll_wait: %s", strerror(errno));
		l->now = mono_now();
		if (mono_diff_us(l->now, l->waited_at) >= WAITS_US)
			note_waits(l);
		for (int i = 0; i < n; i++)
			dispatch(l, &batch[i]);
		run_timers(l);
		run_hooks(l);
		l->turns++;
		measure_turn(l);
	}
	return l->code;
}

void loop_stop(struct loop *l, int code)
{
	l->stopping = true;
	l->code = code;
}
