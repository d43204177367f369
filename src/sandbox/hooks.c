#include "sandbox/hooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "sandbox/accounts.h"
#include "sandbox/hook_body.h"
#include "sandbox/hook_stats.h"

enum { BATCH_MAX = 1000, DOUBLINGS_MAX = 30, TARGETS_MAX = 1000, OWN_TIMEOUT_MS = 30000 };

/* An order, and the webhook that is being filled for it. */
struct outlet {
	struct hooks *hooks;
	struct hook_target *target;
	struct event **batch;
	int n;
	struct loop_timer timer;	/* the batch is not to wait any longer */
};

struct hooks {
	struct loop *loop;
	struct ledger *ledger;
	struct hook_client *client;
	struct outlet **outlets;
	int n_outlets;
	bool paused;
	struct list planned;		/* events with a timer */
	struct list held;		/* events that became due in a pause */
	struct list ready, resting;	/* posts that may go; posts on their way or in the pause before a retry */
	unsigned long long pending;	/* events */
	uint64_t joined;		/* events that were put into a batch */
	struct hook_stats stats;
};

/* One piece of news on its way. */
struct event {
	struct list list;
	struct hooks *hooks;
	struct loop_timer timer;
	uint64_t number;		/* of its joining a batch */
	struct hook_news news;
};

/* One webhook. */
struct post {
	struct list list;
	struct hooks *hooks;
	struct loop_timer timer;	/* until the retry */
	struct strbuf body;
	struct event **events;
	int n, tries;
};

static void pump(struct hooks *h);
static void on_due(void *arg);
static void on_batch_over(void *arg);

struct hooks *hooks_new(struct loop *loop, struct ledger *ledger)
{
	struct hooks *h = mem_alloc(sizeof(*h));

	h->loop = loop;
	h->ledger = ledger;
	h->client = hook_client_new(loop);
	list_init(&h->planned);
	list_init(&h->held);
	list_init(&h->ready);
	list_init(&h->resting);
	return h;
}

/* ---- the end of things ---- */

static void event_free(struct event *e)
{
	list_del(&e->list);
	loop_timer_stop(e->hooks->loop, &e->timer);
	hook_news_release(&e->news);
	e->hooks->pending--;
	free(e);
}

static void free_events(struct list *l)
{
	while (!list_is_empty(l))
		event_free(CONTAINER_OF(list_pop(l), struct event, list));
}

static void post_free(struct post *p)
{
	for (int i = 0; i < p->n; i++)
		event_free(p->events[i]);
	list_del(&p->list);
	loop_timer_stop(p->hooks->loop, &p->timer);
	strbuf_release(&p->body);
	free(p->events);
	free(p);
}

static void free_posts(struct list *l)
{
	while (!list_is_empty(l))
		post_free(CONTAINER_OF(list_pop(l), struct post, list));
}

static void outlet_empty(struct outlet *o)
{
	for (int i = 0; i < o->n; i++)
		event_free(o->batch[i]);
	o->n = 0;
	loop_timer_stop(o->hooks->loop, &o->timer);
}

static void outlet_free(struct outlet *o)
{
	outlet_empty(o);
	hook_target_free(&o->target);
	free(o->batch);
	free(o);
}

static void free_outlets(struct outlet **outlets, int n)
{
	for (int i = 0; i < n; i++)
		outlet_free(outlets[i]);
	free(outlets);
}

static void drop_all(struct hooks *h)
{
	bool paused = h->paused;

	h->paused = true;		/* what is given up is not sent again */
	hook_client_abort(h->client);
	h->paused = paused;
	free_events(&h->planned);
	free_events(&h->held);
	free_posts(&h->ready);
	free_posts(&h->resting);
	for (int i = 0; i < h->n_outlets; i++)
		outlet_empty(h->outlets[i]);
}

void hooks_reset(struct hooks *h)
{
	drop_all(h);
	h->stats = (struct hook_stats){ 0 };
}

void hooks_clear(struct hooks *h)
{
	drop_all(h);
	free_outlets(h->outlets, h->n_outlets);
	h->outlets = NULL;
	h->n_outlets = 0;
	h->paused = false;
}

void hooks_free(struct hooks **hp)
{
	if (!*hp)
		return;
	hooks_clear(*hp);
	hook_client_free(&(*hp)->client);
	free(*hp);
	*hp = NULL;
}

/* ---- webhooks ---- */

static struct outlet *outlet_of(const struct hooks *h, const char *waba)
{
	for (int i = 0; i < h->n_outlets; i++)
		if (hook_target_takes(h->outlets[i]->target, waba))
			return h->outlets[i];
	return NULL;
}

static void on_answered(void *arg, int status, int64_t took_us, const char *why);

static void send_post(struct post *p, const struct hook_target *t)
{
	struct hooks *h = p->hooks;
	char signature[HOOK_SIGNATURE_SIZE];
	struct hook_request r = { .url = &t->url, .signature = signature, .body = p->body.buf, .len = p->body.len,
				  .timeout_ms = t->timeout_ms, .cut = hook_chance(t->cut) };

	hook_sign(t->secret, p->body.buf, p->body.len, signature);
	h->stats.posts++;
	h->stats.retries += p->tries > 0;
	p->tries++;
	list_add_tail(&h->resting, &p->list);
	hook_client_post(h->client, &r, on_answered, p);
}

/* The first of its news says whose it is: a batch is filled for one order, which may be another by now. */
static void pump(struct hooks *h)
{
	while (!h->paused && !list_is_empty(&h->ready)) {
		struct post *p = CONTAINER_OF(list_pop(&h->ready), struct post, list);
		struct outlet *o = outlet_of(h, hook_news_waba(&p->events[0]->news));

		if (o && hook_client_busy(h->client) >= o->target->connections) {
			list_add_head(&h->ready, &p->list);
			return;
		}
		if (o) {
			send_post(p, o->target);
		} else {
			h->stats.forgotten += (uint64_t)p->n;
			post_free(p);
		}
	}
}

static void on_retry(void *arg)
{
	struct post *p = arg;

	list_del(&p->list);
	list_add_tail(&p->hooks->ready, &p->list);
	pump(p->hooks);
}

static int64_t pause_before_retry(const struct post *p)
{
	const struct outlet *o = outlet_of(p->hooks, hook_news_waba(&p->events[0]->news));
	int doublings = p->tries - 1 < DOUBLINGS_MAX ? p->tries - 1 : DOUBLINGS_MAX;
	int64_t ms;

	if (!o)
		return 0;
	ms = o->target->retry_ms.from << doublings;
	return ms < o->target->retry_ms.to ? ms : o->target->retry_ms.to;
}

static void note_delivered(struct post *p)
{
	struct hooks *h = p->hooks;

	h->stats.delivered_news += (uint64_t)p->n;
	for (int i = 0; i < p->n; i++)
		if (p->events[i]->news.message)
			ledger_mark_webhook(h->ledger, p->events[i]->news.message->ref, p->events[i]->news.status);
}

static void on_answered(void *arg, int status, int64_t took_us, const char *why)
{
	struct post *p = arg;
	struct hooks *h = p->hooks;

	if (status)
		hook_stats_time(&h->stats, took_us);
	h->stats.delivered += status == 200;
	h->stats.refused += status && status != 200;
	h->stats.lost += !status;
	if (status == 200) {
		note_delivered(p);
		post_free(p);
	} else {
		log_debug("webhook-again", "status=%d tries=%d reason=\"%s\"", status, p->tries, why ? why : "");
		p->timer.on_time = on_retry;
		loop_timer_set(h->loop, &p->timer, pause_before_retry(p));
	}
	pump(h);
}

static int by_place(const void *a, const void *b)
{
	const struct event *e = *(struct event *const *)a, *f = *(struct event *const *)b;
	const struct hook_news *x = &e->news, *y = &f->news;
	int r = strcmp(hook_news_waba(x), hook_news_waba(y));

	if (r == 0)
		r = strcmp(x->message ? x->message->pnid : "", y->message ? y->message->pnid : "");
	return r ? r : e->number < f->number ? -1 : 1;
}

/* In the order in which they came, but those of one account and number together. */
static void write_body(struct post *p)
{
	const struct hook_news **news = mem_array((size_t)p->n, sizeof(*news));

	qsort(p->events, (size_t)p->n, sizeof(struct event *), by_place);
	for (int i = 0; i < p->n; i++)
		news[i] = &p->events[i]->news;
	hook_body_write(news, p->n, &p->body);
	free(news);
}

static void close_batch(struct outlet *o)
{
	struct post *p;

	loop_timer_stop(o->hooks->loop, &o->timer);
	if (o->n == 0)
		return;
	p = mem_alloc(sizeof(*p));
	p->hooks = o->hooks;
	p->n = o->n;
	p->events = mem_array((size_t)o->n, sizeof(struct event *));
	memcpy(p->events, o->batch, (size_t)o->n * sizeof(struct event *));
	o->n = 0;
	strbuf_init(&p->body);
	loop_timer_init(&p->timer, on_retry, p);
	list_init(&p->list);
	list_add_tail(&o->hooks->ready, &p->list);
	write_body(p);
}

static void on_batch_over(void *arg)
{
	struct outlet *o = arg;

	close_batch(o);
	pump(o->hooks);
}

/* ---- news ---- */

static void join_batch(struct outlet *o, struct event *e)
{
	if (o->n == 0 && o->target->batch > 1)
		loop_timer_set(o->hooks->loop, &o->timer, o->target->batch_ms);
	e->number = o->hooks->joined++;
	o->batch[o->n++] = e;
	if (o->n >= o->target->batch)
		close_batch(o);
}

static void deliver(struct event *e)
{
	struct hooks *h = e->hooks;
	struct outlet *o = outlet_of(h, hook_news_waba(&e->news));

	list_del(&e->list);
	if (h->paused) {
		list_add_tail(&h->held, &e->list);
	} else if (o) {
		join_batch(o, e);
	} else {
		h->stats.forgotten++;
		event_free(e);
	}
}

static void on_due(void *arg)
{
	struct hooks *h = ((struct event *)arg)->hooks;

	deliver(arg);
	pump(h);
}

static struct event *event_new(struct hooks *h, mono_t due)
{
	struct event *e = mem_alloc(sizeof(*e));

	e->hooks = h;
	list_init(&e->list);
	list_add_tail(&h->planned, &e->list);
	loop_timer_init(&e->timer, on_due, e);
	loop_timer_set_at(h->loop, &e->timer, due);
	h->pending++;
	h->stats.news++;
	return e;
}

static void plan_one(struct hooks *h, struct hook_message *m, enum hook_status s, int code, mono_t due, int64_t at_s)
{
	struct event *e = event_new(h, due);

	e->news = (struct hook_news){ .message = hook_message_hold(m), .status = s, .code = code, .at_s = at_s };
}

/* A status is dropped, comes once, or comes twice. */
static void plan(struct hooks *h, struct hook_message *m, const struct hook_target *t, enum hook_status s, int code, mono_t due, int64_t at_s)
{
	if (hook_chance(t->drop)) {
		h->stats.dropped++;
		return;
	}
	plan_one(h, m, s, code, due, at_s);
	if (!hook_chance(t->duplicates))
		return;
	h->stats.duplicates++;
	due.us++;
	plan_one(h, m, s, code, mono_add_ms(due, hook_draw(&t->latency_ms)), at_s);
}

static int choose_statuses(const struct hook_target *t, const char *type, bool is_late, enum hook_status out[HOOK_STATUSES])
{
	int n = 0;

	if (is_late) {
		if (t->wanted[HOOK_SENT])
			out[n++] = HOOK_SENT;
		out[n++] = HOOK_FAILED;
		return n;
	}
	if (hook_chance(t->fail_rate)) {
		out[0] = HOOK_FAILED;
		return 1;
	}
	for (int s = HOOK_SENT; s < HOOK_FAILED; s++) {
		if (!t->wanted[s] || (s > HOOK_SENT && strcmp(type, "reaction") == 0) || (s == HOOK_PLAYED && strcmp(type, "audio")))
			continue;
		if (s == HOOK_READ && !hook_chance(t->read_rate))
			break;
		out[n++] = (enum hook_status)s;
	}
	return n;
}

/*
 * Each comes about some time after the one before, a microsecond at least, so that equal times keep their order.  Shuffled ones are
 * told after the last has come about: none is told before it is true.
 */
static void plan_all(struct hooks *h, struct hook_message *m, struct hook_target *t, const char *type)
{
	enum hook_status statuses[HOOK_STATUSES];
	mono_t now = loop_now(h->loop), at[HOOK_STATUSES] = { { 0 } }, due = now;
	int64_t wall = wall_ms();
	int late = hook_target_late(t, m->recipient.wa_id), n = choose_statuses(t, type, late != 0, statuses);

	for (int i = 0; i < n; i++) {
		due = mono_add_ms(due, hook_draw(&t->latency_ms));
		due.us++;
		at[i] = due;
	}
	for (int i = 0; i < n; i++) {
		int64_t at_s = (wall + mono_diff_ms(at[i], now)) / 1000;

		plan(h, m, t, statuses[i], late ? late : t->fail_code, t->shuffle ? mono_add_ms(due, hook_draw(&t->latency_ms)) : at[i], at_s);
	}
}

void hooks_accepted(struct hooks *h, const struct hook_accepted *a)
{
	const struct outlet *o = a->number->waba ? outlet_of(h, a->number->waba->id) : NULL;
	struct hook_message *m;

	if (!o)
		return;
	m = mem_alloc(sizeof(*m));
	m->refs = 1;
	m->waba = mem_strdup(a->number->waba->id);
	m->pnid = mem_strdup(a->number->pnid);
	m->callback = mem_strdup(a->callback);
	m->recipient = *a->recipient;
	m->is_template = strcmp(a->type, "template") == 0;
	m->ref = a->ref;
	wamid_format(a->recipient->wa_id, a->recipient->len, a->wamid_id, m->wamid);
	plan_all(h, m, o->target, a->type);
	hook_message_drop(&m);
}

int hooks_tell(struct hooks *h, const char *waba, const json_t *change, bool timed, struct strbuf *why)
{
	struct event *e;

	if (!outlet_of(h, waba))
		return why_set(why, "no order takes webhooks of this business account");
	e = event_new(h, loop_now(h->loop));
	e->news = (struct hook_news){ .at_s = wall_ms() / 1000, .waba = mem_strdup(waba), .timed = timed,
				      .change = json_dumps(change, JSON_COMPACT) };
	return 0;
}

/* ---- orders ---- */

static struct outlet *outlet_new(struct hooks *h, const json_t *order, struct strbuf *why)
{
	struct hook_target *t = hook_target_new(order, why);
	struct outlet *o;

	if (!t)
		return NULL;
	o = mem_alloc(sizeof(*o));
	o->hooks = h;
	o->target = t;
	o->batch = mem_array(BATCH_MAX, sizeof(struct event *));
	loop_timer_init(&o->timer, on_batch_over, o);
	return o;
}

static void resume(struct hooks *h)
{
	struct list held;

	list_init(&held);
	while (!list_is_empty(&h->held))
		list_add_tail(&held, list_pop(&h->held));
	while (!list_is_empty(&held))
		deliver(CONTAINER_OF(list_pop(&held), struct event, list));
	pump(h);
}

/* All or none.  Batches that are half full go with the old orders; what was posted is looked at anew before each retry. */
static int replace(struct hooks *h, const json_t *list, struct strbuf *why)
{
	struct outlet **outlets = mem_array(json_array_size(list) + 1, sizeof(*outlets));
	const json_t *o;
	int n = 0;
	size_t i;

	json_array_foreach(list, i, o) {
		outlets[n] = n < TARGETS_MAX ? outlet_new(h, o, why) : NULL;
		if (outlets[n++])
			continue;
		free_outlets(outlets, n - 1);
		return why->len ? -1 : why_set(why, "more than %d orders", TARGETS_MAX);
	}
	for (int k = 0; k < h->n_outlets; k++)
		close_batch(h->outlets[k]);
	free_outlets(h->outlets, h->n_outlets);
	h->outlets = outlets;
	h->n_outlets = n;
	h->paused = json_is_true(json_object_get(json_array_get(list, 0), "pause"));
	resume(h);
	return 0;
}

int hooks_order(struct hooks *h, const json_t *order, struct strbuf *why)
{
	const json_t *pause = json_object_get(order, "pause");
	json_t *list;
	int result;

	if (pause && !json_is_boolean(pause))
		return why_set(why, "\"pause\" is not true or false");
	if (pause && json_object_size(order) == 1) {
		h->paused = json_is_true(pause);
		resume(h);
		return 0;
	}
	if (json_is_array(order))
		return replace(h, order, why);
	list = json_array();
	json_array_append(list, (json_t *)(uintptr_t)order);
	result = replace(h, list, why);
	json_decref(list);
	return result;
}

/* ---- a test's own webhooks ---- */

int hooks_post(struct hooks *h, const struct hook_own *own, hook_answer_f *on_answer, void *arg, struct strbuf *why)
{
	const struct hook_target *first = h->n_outlets ? h->outlets[0]->target : NULL;
	const char *secret = own->secret ? own->secret : first ? first->secret : NULL;
	struct hook_request r = { .body = own->body, .len = own->len, .timeout_ms = OWN_TIMEOUT_MS };
	char signature[HOOK_SIGNATURE_SIZE];
	struct hook_url url = { 0 };

	if (!own->url && !first)
		return why_set(why, "\"url\" is missing, and there is no order that has one");
	if (!own->signature && !secret)
		return why_set(why, "\"secret\" is missing, and there is no order that has one");
	if (own->url && hook_url_parse(&url, own->url, why) < 0)
		return -1;
	if (!own->signature)
		hook_sign(secret, own->body, own->len, signature);
	r.url = own->url ? &url : &first->url;
	r.signature = !own->signature ? signature : *own->signature ? own->signature : NULL;
	hook_client_post(h->client, &r, on_answer, arg);
	hook_url_release(&url);
	return 0;
}

void hooks_print(const struct hooks *h, struct strbuf *out)
{
	strbuf_addc(out, '{');
	hook_stats_print(&h->stats, out);
	strbuf_addf(out, ",\"pending\":%llu,\"in_flight\":%d,\"paused\":%s}", h->pending, hook_client_busy(h->client),
		    h->paused ? "true" : "false");
}
