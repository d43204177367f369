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
	SURE_MS = 1000,
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

/*
 * How many may ask at once: no more than its limit lets through at once, for of those that ask together a later one may get what an
 * earlier one did not.  One alone, while nobody knows whether it may send: were many asked, and refused, they would come behind those
 * that had gone to the lane meanwhile.
 */
static bool is_unsure(const struct pace *p)
{
	return mono_diff_ms(loop_now(p->s->loop), p->admitted) > SURE_MS;
}

static int64_t may_ask_at_once(const struct pace *p)
{
	return p->paced || is_unsure(p) ? 1 : conf_burst(p->account->rate);
}

static bool waits_for_answer(const struct pace *p)
{
	return p->n_asking > 0 && (p->leaving || is_unsure(p));
}

static void update_runnable(struct pace *p)
{
	bool may = p->n_ready > 0 && !p->n_checks && !p->account->is_gone && !loop_timer_is_set(&p->wake) && !p->leaving &&
		   p->n_asking < may_ask_at_once(p) && p->n_active < share(p);

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
		alert_raise(p->s->alerts, ALERT_LIMIT_APPROACHING, &who, "it used %lld %% or more of its rate, configured as %lld messages a second",
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

static struct http_place *new_place(const struct conf *c, const struct account *a)
{
	struct strbuf url = STRBUF_INIT;
	struct http_place *place;

	strbuf_addf(&url, "%s/%s/%s/messages", c->graph_url, c->graph_version, a->phone_number_id);
	if (c->graph_proof && *a->proof)
		strbuf_addf(&url, "?appsecret_proof=%s", a->proof);
	place = http_place_new(url.buf);
	strbuf_release(&url);
	return place;
}

static void use_token(struct pace *p)
{
	const struct account *a = p->account;

	http_headers_unref(&p->headers);
	http_place_unref(&p->place);
	p->headers = new_headers(a);
	p->place = new_place(p->s->conf, a);
	p->token_serial = a->token_serial;
}

static void make_room(struct sender *s, int n)
{
	int more = s->n_paces + 64 > n ? s->n_paces + 64 : n;

	s->paces = mem_grow(s->paces, (size_t)more, sizeof(*s->paces));
	memset(&s->paces[s->n_paces], 0, (size_t)(more - s->n_paces) * sizeof(*s->paces));
	s->n_paces = more;
}

struct pace *pace_of(struct sender *s, const struct account *a)
{
	struct pace *p;

	if (a->index >= s->n_paces)
		make_room(s, a->index + 1);
	p = s->paces[a->index];
	if (p)
		return p;
	p = s->paces[a->index] = mem_alloc(sizeof(*p));
	p->s = s;
	p->account = a;
	list_init(&p->runnable);
	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		list_init(&p->ready[i]);
	loop_timer_init(&p->wake, on_wake, p);
	use_token(p);
	p->tier = board_tier(s->board, a->tier);
	p->is_off = account_is_off(a) != NULL;
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
	http_place_unref(&p->place);
	free(p);
	*pp = NULL;
}

/* What its limit lets out within hold_in_memory. */
static int64_t due(const struct pace *p)
{
	return p->account->rate * p->s->conf->hold_in_memory / 1000;
}

/* What its share leaves for those that wait.  Of what was sent only half counts, while Graph answers: it makes room at once. */
static int64_t unused(const struct pace *p)
{
	int sent = p->n_active - p->n_asking;

	return share(p) - (is_stalled(p) ? sent : sent / 2);
}

/*
 * How many of those that came from an input may wait here.  One that asks counts as if it waited, so nothing has to leave because it
 * came back.
 */
static int room(const struct pace *p)
{
	int64_t n = due(p) < unused(p) ? due(p) : unused(p);

	if (n < 2)
		n = 2;
	n -= p->n_asking - p->n_lane_asking;
	return n < 0 ? 0 : (int)n;
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
	log_debug("to_lane", DELIVERY_FMT " why=%s", DELIVERY_ARGS(d), why);
	take_out(p, d);
	board_count(p->s->slot, COUNT_WAITED);
	conclude_lane(d, d->hop.kind == HOP_NONE ? HOP_LANE : d->hop.kind, d->hop.attempt, why);
}

/* What comes now goes to the lane: it is there, or about to be. */
static bool follows_lane(const struct pace *p)
{
	return join_is_fresh(&p->join) || join_is_awaited(&p->join) || (p->lane && lane_is_open(p->lane));
}

/*
 * What was taken from the lane is not put there again: the lane gives no more than fits.  What is here from before there was one is
 * ahead of all that waits there, and does not go behind it for want of room, but for an account that hangs.
 */
static bool may_leave(const struct pace *p, const struct delivery *d, const char *why, bool has_lane)
{
	if (d->lane)
		return false;
	if (!strcmp(why, LANE_WHY_ORDER))
		return pace_minds_lane(d) && d->serial >= p->behind_lane;
	if (!strcmp(why, LANE_WHY_LIMIT) || !strcmp(why, LANE_WHY_SHARE))
		return !pace_minds_lane(d) || !has_lane || is_stalled(p);
	return true;
}

/* The last n of the lowest priorities leave, each priority in its order. */
static void send_away_last(struct pace *p, int n, const char *why)
{
	int of[ARRAY_LEN(p->ready)] = { 0 };
	bool has_lane = follows_lane(p);	/* with the first that leaves it has one */

	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		for (struct list *l = p->ready[i].prev; n > 0 && l != &p->ready[i]; l = l->prev)
			if (may_leave(p, CONTAINER_OF(l, struct delivery, queue), why, has_lane)) {
				of[i]++;
				n--;
			}
	for (size_t i = ARRAY_LEN(p->ready); i-- > 0; ) {
		struct list *l = &p->ready[i], *next;

		for (int k = of[i]; k > 0; ) {		/* from behind to the first that leaves */
			l = l->prev;
			k -= may_leave(p, CONTAINER_OF(l, struct delivery, queue), why, has_lane);
		}
		for (; of[i] && l != &p->ready[i]; l = next) {
			struct delivery *d = CONTAINER_OF(l, struct delivery, queue);

			next = l->next;
			if (may_leave(p, d, why, has_lane))
				send_away(p, d, why);
		}
	}
}

/* What came from the lane has its own bound, its consumers' prefetch: it must not push out what came before it. */
static void shed(struct pace *p)
{
	int extra = p->n_ready - p->n_from_lane - room(p);

	if (extra > 0 && !waits_for_answer(p)) {
		send_away_last(p, extra, p->paced || due(p) < unused(p) ? LANE_WHY_LIMIT : LANE_WHY_SHARE);
		update_runnable(p);
	}
}

bool pace_minds_lane(const struct delivery *d)
{
	return !d->lane && (d->hop.kind == HOP_NONE || d->hop.kind == HOP_LANE || d->hop.kind == HOP_BUSY);
}

const char *pace_goes_to_lane(const struct pace *p, const struct delivery *d)
{
	const char *off = account_is_off(p->account);

	if (d->lane || (p->leaving && p->n_asking > 0))
		return NULL;
	if (off)
		return off;
	if (mono_before(loop_now(p->s->loop), p->held_until))
		return p->held_why;
	return pace_minds_lane(d) && follows_lane(p) ? LANE_WHY_ORDER : NULL;
}

void pace_held(struct pace *p, int64_t ms, int64_t look_ms, const char *why)
{
	p->held_until = mono_add_ms(loop_now(p->s->loop), look_ms < HELD_MAX_MS ? look_ms : HELD_MAX_MS);
	p->held_why = p->leaving = why;
	if (p->lane && ms > p->s->conf->hold_in_memory)
		lane_sleep(p->lane, look_ms);
	update_runnable(p);
}

void pace_follow_lane(struct pace *p, const struct delivery *d)
{
	if (!p->leaving) {
		p->leaving = LANE_WHY_ORDER;
		p->behind_lane = d->serial;
	} else if (p->behind_lane > d->serial) {
		p->behind_lane = d->serial;
	}
}

void pace_goes_into_lane(struct pace *p, const struct delivery *d)
{
	if (follows_lane(p))
		return;
	p->ahead_of = d->serial;
	p->is_opener = false;
}

void pace_lane_joined(struct pace *p, bool first)
{
	p->is_opener |= first;
	if (!p->is_opener)
		p->ahead_of = 0;
}

void pace_go_on(struct pace *p)
{
	p->held_until = (mono_t){ 0 };
	p->leaving = NULL;
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

void pace_add_back(struct pace *p, struct delivery *d)
{
	p->seen = loop_now(p->s->loop);
	d->is_ready = true;
	delivery_queue(&p->ready[d->priority], d);
	p->n_ready++;
	p->n_from_lane += d->lane != NULL;
	p->s->n_ready++;
	update_runnable(p);
}

void pace_add(struct pace *p, struct delivery *d)
{
	pace_add_back(p, d);
	shed(p);
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
		p->n_lane_asking += d->lane != NULL;
		list_del(&p->runnable);		/* to the end of the line: accounts take turns */
		update_runnable(p);
		return d;
	}
	BUG("account %s is runnable and has nothing ready", p->account->id);
}

void pace_answered(struct delivery *d, bool must_wait, int64_t wait_ms)
{
	struct pace *p = d->pace;

	p->n_asking--;
	p->n_lane_asking -= d->lane != NULL;
	p->admitted = loop_now(p->s->loop);
	if (must_wait) {
		p->paced = true;
		/* All senders that wait for this number were told the same moment: by a hair's breadth each is the first at times. */
		loop_timer_set(p->s->loop, &p->wake, wait_ms + (int64_t)(rand_u64() % 3));
	} else if (p->n_ready == 0) {
		p->paced = false;
	}
	update_runnable(p);
}

void pace_tidy(struct pace *p)
{
	const char *why = p->leaving;

	if (why && p->n_asking == 0) {
		p->leaving = NULL;
		send_away_last(p, p->n_ready, why);
		update_runnable(p);
	} else {
		shed(p);
	}
}

void pace_check_token(struct pace *p, int change)
{
	p->n_checks += change;
	update_runnable(p);
}

/* Back to the broker: whoever gets them next finds out whose they are now. */
static void give_back_ready(struct pace *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->ready); i++)
		while (!list_is_empty(&p->ready[i]))
			delivery_drop(CONTAINER_OF(p->ready[i].next, struct delivery, queue), true);
}

void pace_retire(struct pace *p)
{
	give_back_ready(p);
	if (p->n_active == 0)
		http_headers_unref(&p->headers);
}

void pace_account_changed(struct pace *p)
{
	const struct account *a = p->account;
	const char *off = account_is_off(a);

	if (a->is_gone) {
		pace_retire(p);
		if (p->lane)
			lane_wake(p->lane);
		return;
	}
	if (a->token_serial != p->token_serial) {
		use_token(p);
		pace_go_on(p);
	}
	if (off) {
		pace_held(p, HELD_MAX_MS, HELD_MAX_MS, off);
		pace_tidy(p);
	} else if (p->is_off) {
		pace_go_on(p);
	} else if (p->lane) {
		lane_wake(p->lane);	/* it may have fallen asleep before this sender had a line for it */
	}
	p->is_off = off != NULL;
	p->tier = board_tier(p->s->board, a->tier);
}

int pace_seen(struct pace *const *paces, int n, mono_t now)
{
	int seen = 0;

	for (int i = 0; i < n; i++)
		seen += paces[i] && mono_diff_ms(now, paces[i]->seen) < SEEN_MS;
	return seen;
}
