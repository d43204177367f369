#include "io/http_waits.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

enum { DRAIN_IDLE_MS = 1000 };		/* a request may be on its way over a connection that was kept */

static void cut(struct http_wait *w)
{
	struct http_waits *s = w->all;

	loop_timer_stop(s->loop, &w->slow);
	list_del(&w->list);
	list_add_tail(&s->others, &w->list);
	w->is_cut = true;
	s->n_cut++;
	shutdown(w->fd, SHUT_RDWR);
}

static void on_slow(void *arg)
{
	cut(arg);
}

void http_waits_init(struct http_waits *s, struct loop *l, int64_t slow_ms, int max)
{
	*s = (struct http_waits){ .loop = l, .slow_ms = slow_ms, .max = max };
	list_init(&s->awaited);
	list_init(&s->others);
}

struct http_wait *http_wait_new(struct http_waits *s, int fd)
{
	struct http_wait *w = mem_alloc(sizeof(*w));

	*w = (struct http_wait){ .all = s, .fd = fd, .peer = http_peer_of(fd) };
	loop_timer_init(&w->slow, on_slow, w);
	list_add_tail(&s->others, &w->list);
	s->n++;
	http_wait_rests(w);
	return w;
}

void http_wait_free(struct http_wait **wp)
{
	struct http_wait *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	list_del(&w->list);
	loop_timer_stop(w->all->loop, &w->slow);
	w->all->n--;
	w->all->n_cut -= w->is_cut;
	free(w);
}

static void wait_for(struct http_wait *w, int64_t ms)
{
	if (w->is_cut)
		return;
	list_del(&w->list);
	list_add_tail(&w->all->awaited, &w->list);
	loop_timer_set(w->all->loop, &w->slow, ms);
}

void http_wait_for(struct http_wait *w, bool something)
{
	if (something) {
		wait_for(w, w->all->slow_ms);
	} else if (!w->is_cut) {
		list_del(&w->list);
		list_add_tail(&w->all->others, &w->list);
		loop_timer_stop(w->all->loop, &w->slow);
	}
}

void http_wait_rests(struct http_wait *w)
{
	w->is_asking = false;
	wait_for(w, w->all->is_draining ? DRAIN_IDLE_MS : w->all->slow_ms);
}

bool http_waits_make_room(struct http_waits *s, bool must)
{
	if (!must && s->n - s->n_cut < s->max)
		return true;
	if (list_is_empty(&s->awaited))
		return false;
	cut(CONTAINER_OF(s->awaited.next, struct http_wait, list));
	return true;
}

static int count_of(const struct list *l, uid_t uid)
{
	int n = 0;

	for (const struct list *i = l->next; i != l; i = i->next) {
		const struct http_wait *w = CONTAINER_OF(i, struct http_wait, list);

		n += !w->is_cut && w->peer.known && w->peer.uid == uid;
	}
	return n;
}

int http_waits_of(const struct http_waits *s, uid_t uid)
{
	return count_of(&s->awaited, uid) + count_of(&s->others, uid);
}

/* Behind the last of those that are there now come those that are waited for anew. */
void http_waits_drain(struct http_waits *s)
{
	struct list *last = s->awaited.prev, *next;

	s->is_draining = true;
	for (struct list *i = s->awaited.next; i != &s->awaited; i = next) {
		struct http_wait *w = CONTAINER_OF(i, struct http_wait, list);
		bool is_last = i == last;

		next = i->next;
		if (!w->is_asking)
			http_wait_rests(w);
		if (is_last)
			break;
	}
}
