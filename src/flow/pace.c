#include "flow/pace.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/alert.h"
#include "flow/lane.h"

enum {
	HELD_MAX_MS = 5000,		/* then it is asked again: an operator may have changed his mind */
	STALLED_MS = 500,
	SEEN_MS = 60000,
};

/* What one account may have under way: its part of the window, or amqp.account_share of it where there are many. */
static int share(const struct pace *p)
{
	const struct sender *s = p->s;
	int64_t window = s->conf->amqp_prefetch, n = window * s->conf->amqp_share / 100;

	if (s->n_accounts_seen > 0 && window / s->n_accounts_seen > n)
		n = window / s->n_accounts_seen;
	return n < 2 ? 2 : (int)n;
}

/* Its share is under way, and Graph has not answered for a while: an account that hangs. */
static bool is_stalled(const struct pace *p)
{
	return p->n_active >= share(p) && mono_diff_ms(loop_now(p->s->loop), p->answered) > STALLED_MS;
}

static void update_runnable(struct pace *p)
{
	bool may = p->n_ready > 0 && !loop_timer_is_set(&p->wake) && (!p->paced || p->n_asking == 0) && p->n_active < share(p);

	if (may && list_is_empty(&p->runnable))
		list_add_tail(&p->s->runnable, &p->runnable);
	else if (!may)
		list_del(&p->runnable);
}

static void on_wake(void *arg)
{
	update_runnable(arg);
}

void pace_near_limit(struct pace *p, bool near)
{
	const struct account *a = p->account;
	struct alert_subject who = { a->tenant->id, a->id, NULL };

	if (near)
		alert_raise(p->s->alerts, ALERT_LIMIT_APPROACHING, &who, "it used %lld %% or more of its %lld messages a second",
			    (long long)p->s->conf->limit_warn, (long long)a->rate);
	else
		alert_resolve(p->s->alerts, ALERT_LIMIT_APPROACHING, &who, "it uses less of its limit again");
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
	hold_fields_of(a, &p->holds);
	join_init(&p->join, p);
	return p;
}

void pace_free(struct pace **pp)
{
	struct pace *p = *pp;

	loop_timer_stop(p->s->loop, &p->wake);
	join_release(&p->join);
	list_del(&p->runnable);
	http_headers_unref(&p->headers);
	free(p);
	*pp = NULL;
}

/*
 * How many may wait here: what goes out within hold_in_memory, and with what is under way no more than its share.  One that is only
 * busy may have half as many more: its answers make room at once.
 */
static int room(const struct pace *p)
{
	int64_t n = p->account->rate * p->s->conf->hold_in_memory / 1000, most = share(p) - p->n_active;

	if (!p->paced && !is_stalled(p))
		most = share(p) / 2;
	if (n > most)
		n = most;
	return n < 2 ? 2 : (int)n;
}

static void take_out(struct pace *p, struct delivery *d)
{
	list_del(&d->queue);
	d->is_ready = false;
	p->n_ready--;
	p->n_from_lane -= d->lane != NULL;
	p->s->n_ready--;
}

static void send_away(struct pace *p, struct delivery *d, const char *why)
{
	take_out(p, d);
	board_count(p->s->slot, COUNT_WAITED);
	conclude_lane(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, why);
}

/* What was taken from the lane is not put there again: the lane gives no more than fits. */
static struct delivery *last_of_lowest(struct pace *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		for (struct list *l = p->ready[i].prev; l != &p->ready[i]; l = l->prev) {
			struct delivery *d = CONTAINER_OF(l, struct delivery, queue);

			if (!d->lane)
				return d;
		}
	return NULL;
}

static void shed(struct pace *p)
{
	bool is_full = p->n_active >= share(p);
	struct delivery *d;

	/* What came from the lane has its own bound, its consumers' prefetch: it must not push out what came before it. */
	while ((p->paced || is_full) && p->n_ready - p->n_from_lane > room(p) && (d = last_of_lowest(p)))
		send_away(p, d, p->paced ? LANE_WHY_LIMIT : "share");
}

bool pace_minds_lane(const struct delivery *d)
{
	return !d->lane && (d->hop.kind == HOP_NONE || d->hop.kind == HOP_LANE || d->hop.kind == HOP_BUSY);
}

const char *pace_goes_to_lane(const struct pace *p, const struct delivery *d)
{
	if (d->lane)
		return NULL;
	if (mono_before(loop_now(p->s->loop), p->held_until))
		return p->held_why;
	return pace_minds_lane(d) && join_is_fresh(&p->join) ? "order" : NULL;
}

void pace_held(struct pace *p, int64_t ms, const char *why)
{
	struct delivery *d;

	p->held_until = mono_add_ms(loop_now(p->s->loop), ms < HELD_MAX_MS ? ms : HELD_MAX_MS);
	p->held_why = why;
	while ((d = last_of_lowest(p)))
		send_away(p, d, why);
	if (p->lane && ms > p->s->conf->hold_in_memory)
		lane_sleep(p->lane, ms);
	update_runnable(p);
}

void pace_go_on(struct pace *p)
{
	p->held_until = (mono_t){ 0 };
	loop_timer_stop(p->s->loop, &p->wake);
	if (p->lane)
		lane_wake(p->lane);
	update_runnable(p);
}

void pace_active(struct pace *p, int change)
{
	p->n_active += change;
	if (change < 0 || p->n_active == 1)
		p->answered = loop_now(p->s->loop);
	update_runnable(p);
}

static void add(struct pace *p, struct delivery *d, struct list *before)
{
	p->seen = loop_now(p->s->loop);
	d->is_ready = true;
	list_add_tail(before, &d->queue);
	p->n_ready++;
	p->n_from_lane += d->lane != NULL;
	p->s->n_ready++;
	shed(p);
	update_runnable(p);
}

void pace_add(struct pace *p, struct delivery *d)
{
	add(p, d, &p->ready[d->priority]);
}

/* Many may have asked at once and come back one by one: each to its own place. */
void pace_add_back(struct pace *p, struct delivery *d)
{
	struct list *ready = &p->ready[d->priority], *at = ready->next;

	while (at != ready && CONTAINER_OF(at, struct delivery, queue)->serial < d->serial)
		at = at->next;
	add(p, d, at);
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
		/* All senders that wait for this number were told the same moment: by a hair's breadth each is the first at times. */
		loop_timer_set(p->s->loop, &p->wake, wait_ms + (int64_t)(rand_u64() % 3));
		shed(p);
	} else if (p->n_ready == 0) {
		p->paced = false;
	}
	update_runnable(p);
}

int pace_seen(struct pace *const *paces, int n, mono_t now)
{
	int seen = 0;

	for (int i = 0; i < n; i++)
		seen += paces[i] && mono_diff_ms(now, paces[i]->seen) < SEEN_MS;
	return seen;
}
