#include "flow/pace.h"

#include "base/log.h"
#include "base/mem.h"
#include "flow/backoff.h"

static void update_runnable(struct pace *p)
{
	bool may = p->n_ready > 0 && !loop_timer_is_set(&p->wake) && (!p->paced || p->n_asking == 0);

	if (may && list_is_empty(&p->runnable))
		list_add_tail(&p->s->runnable, &p->runnable);
	else if (!may)
		list_del(&p->runnable);
}

static void on_wake(void *arg)
{
	update_runnable(arg);
}

static struct http_headers *new_headers(const struct account *a)
{
	struct strbuf bearer = STRBUF_INIT;
	struct http_headers *h;

	strbuf_addf(&bearer, "Authorization: Bearer %s", a->token);
	h = http_headers_new((const char *const[]){ bearer.buf, "Content-Type: application/json" }, 2);
	mem_wipe(bearer.buf, bearer.len);
	strbuf_release(&bearer);
	return h;
}

struct pace *pace_of(struct sender *s, const struct account *a)
{
	struct pace *p = s->paces[a->index];

	if (p)
		return p;
	p = s->paces[a->index] = mem_alloc(sizeof(*p));
	p->s = s;
	p->account = a;
	list_init(&p->runnable);
	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		list_init(&p->ready[i]);
	loop_timer_init(&p->wake, on_wake, p);
	p->headers = new_headers(a);
	return p;
}

void pace_free(struct pace **pp)
{
	struct pace *p = *pp;

	loop_timer_stop(p->s->loop, &p->wake);
	list_del(&p->runnable);
	http_headers_unref(&p->headers);
	free(p);
	*pp = NULL;
}

/* How many may wait here: what goes out within hold_in_memory, and no more than a quarter of the window. */
static int room(const struct pace *p)
{
	int64_t by_time = p->account->rate * p->s->conf->hold_in_memory / 1000, share = p->s->conf->amqp_prefetch / 4;
	int64_t n = by_time < share ? by_time : share;

	return n < 2 ? 2 : (int)n;
}

static void take_out(struct pace *p, struct delivery *d)
{
	list_del(&d->queue);
	d->is_ready = false;
	p->n_ready--;
	p->s->n_ready--;
}

/*
 * The way out for what cannot wait here: a delay queue, as the kind of copy it is.  All senders drain the number's budget, so
 * the backlog of one of them stands for that of all; half of its time, or the queue would come back after the others ran dry.
 */
static void send_away(struct pace *p, struct delivery *d)
{
	int64_t ms = p->n_ready * 1000 / p->account->rate * p->s->conf->senders / 2;

	take_out(p, d);
	board_count(p->s->slot, COUNT_WAITED);
	conclude_copy(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt,
		      backoff_wait(&p->s->conf->retry_wait, ms));
}

static struct delivery *last_of_lowest(struct pace *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		if (!list_is_empty(&p->ready[i]))
			return CONTAINER_OF(p->ready[i].prev, struct delivery, queue);
	BUG("account %s counts %d ready and has none", p->account->id, p->n_ready);
}

static void shed(struct pace *p)
{
	while (p->paced && p->n_ready > room(p))
		send_away(p, last_of_lowest(p));
}

static void add(struct pace *p, struct delivery *d, bool first)
{
	d->is_ready = true;
	if (first)
		list_add_head(&p->ready[d->priority], &d->queue);
	else
		list_add_tail(&p->ready[d->priority], &d->queue);
	p->n_ready++;
	p->s->n_ready++;
	shed(p);
	update_runnable(p);
}

void pace_add(struct pace *p, struct delivery *d)
{
	add(p, d, false);
}

void pace_add_back(struct pace *p, struct delivery *d)
{
	add(p, d, true);
}

void pace_remove(struct pace *p, struct delivery *d)
{
	take_out(p, d);
	update_runnable(p);
}

struct delivery *pace_next(struct pace *p)
{
	for (int i = MESSAGE_PRIORITY_MAX; i >= 0; i--) {
		struct delivery *d;

		if (list_is_empty(&p->ready[i]))
			continue;
		d = CONTAINER_OF(p->ready[i].next, struct delivery, queue);
		take_out(p, d);
		p->n_asking++;
		list_del(&p->runnable);		/* to the end of the line: accounts take turns */
		update_runnable(p);
		return d;
	}
	BUG("account %s is runnable and has nothing ready", p->account->id);
}

void pace_answered(struct pace *p, bool must_wait, int64_t wait_ms)
{
	p->n_asking--;
	if (must_wait) {
		p->paced = true;
		loop_timer_set(p->s->loop, &p->wake, wait_ms);
		shed(p);
	} else if (p->n_ready == 0) {
		p->paced = false;
	}
	update_runnable(p);
}
