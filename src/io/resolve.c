#include "io/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

/* What thread and loop share; the second to let go frees it. */
struct lookup {
	atomic_int users;
	int event_fd;
	char *host;
	char port[8];
	int error;
	struct addresses found;
};

struct resolve {
	struct loop *loop;
	struct loop_io io;
	struct lookup *lookup;
	resolve_f *done;
	void *arg;
};

static void lookup_leave(struct lookup *k)
{
	if (atomic_fetch_sub(&k->users, 1) > 1)
		return;
	close(k->event_fd);
	free(k->host);
	free(k);
}

static int look_up(const char *host, const char *port, int flags, struct addresses *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags }, *list = NULL;
	int error = getaddrinfo(host, port, &hints, &list);

	out->n = 0;
	for (struct addrinfo *a = list; a && out->n < RESOLVE_MAX; a = a->ai_next) {
		struct address *to = &out->at[out->n++];

		memcpy(&to->sa, a->ai_addr, a->ai_addrlen);
		to->len = a->ai_addrlen;
	}
	if (list)
		freeaddrinfo(list);
	return error;
}

bool resolve_numeric(const char *host, int port, struct addresses *out)
{
	char text[8];

	snprintf(text, sizeof(text), "%d", port);
	return look_up(host, text, AI_NUMERICHOST | AI_NUMERICSERV, out) == 0;
}

static void *run(void *arg)
{
	struct lookup *k = arg;
	const uint64_t one = 1;

	k->error = look_up(k->host, k->port, AI_NUMERICSERV, &k->found);
	if (write(k->event_fd, &one, sizeof(one)) < 0)
		k->error = EAI_SYSTEM;	/* cannot happen on a fresh eventfd; the caller's deadline would end the wait */
	lookup_leave(k);
	return NULL;
}

/* -1: no thread could be had; the loop still gets its answer, through the same eventfd. */
static int start_thread(struct lookup *k)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);	/* signals are the loop's, never this thread's */
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attr, run, k);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? -1 : 0;
}

static void on_found(void *arg, unsigned events UNUSED)
{
	struct resolve *r = arg;
	struct lookup *k = r->lookup;
	resolve_f *done = r->done;
	void *done_arg = r->arg;
	uint64_t count;

	if (read(k->event_fd, &count, sizeof(count)) < 0)
		return;
	loop_io_del(r->loop, &r->io);
	free(r);
	done(done_arg, &k->found, k->error ? gai_strerror(k->error) : k->found.n ? NULL : "no address");
	lookup_leave(k);
}

struct resolve *resolve_start(struct loop *l, const char *host, int port, resolve_f *done, void *arg)
{
	struct resolve *r = mem_alloc(sizeof(*r));
	struct lookup *k = mem_alloc(sizeof(*k));

	r->loop = l;
	r->lookup = k;
	r->done = done;
	r->arg = arg;
	atomic_init(&k->users, 2);
	k->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->event_fd < 0)
		BUG("eventfd: %s", strerror(errno));
	k->host = mem_strdup(host);
	snprintf(k->port, sizeof(k->port), "%d", port);
	loop_io_init(&r->io, on_found, r);
	loop_io_set(l, &r->io, k->event_fd, LOOP_READ);
	if (start_thread(k) < 0) {
		const uint64_t one = 1;

		k->error = EAI_AGAIN;
		atomic_store(&k->users, 1);
		if (write(k->event_fd, &one, sizeof(one)) < 0)
			BUG("eventfd: %s", strerror(errno));
	}
	return r;
}

void resolve_cancel(struct resolve **rp)
{
	struct resolve *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	loop_io_del(r->loop, &r->io);
	lookup_leave(r->lookup);
	free(r);
}
