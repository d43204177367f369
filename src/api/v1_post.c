#include "api/v1_posting.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/mem.h"

/* How long another process must have been silent before its request may be done again: its own deadline, and some more. */
enum { LEASE_MARGIN_MS = 5000, RETRY_S = 1, BLOCKED_RETRY_S = 5 };

/* ---- the answer ---- */

json_t *v1_item_json(const struct post_item *i, int index)
{
	json_t *o = json_object();

	json_put_int(o, "index", index);
	json_put_text(o, "id", i->id);
	json_put_text(o, "status", i->state == ITEM_QUEUED ? "queued" : i->state == ITEM_REFUSED ? "refused" : "failed");
	if (i->state == ITEM_QUEUED)
		return o;
	json_put_text(o, "code", i->state == ITEM_REFUSED ? i->code : i->p->failure);
	json_put_text(o, "detail", i->state == ITEM_REFUSED ? i->why.buf : "it is not known to be on the queue: send it again");
	return o;
}

static int count_of(const struct posting *p, enum item_state state)
{
	int n = 0;

	for (int i = 0; i < p->n; i++)
		n += p->items[i].state == state;
	return n;
}

static void write_answer(const struct posting *p, struct strbuf *out)
{
	json_t *o = json_object(), *results = json_array();

	if (p->is_batch) {
		for (int i = 0; i < p->n; i++)
			json_array_append_new(results, v1_item_json(&p->items[i], i));
		json_put_int(o, "queued", count_of(p, ITEM_QUEUED));
		json_put_int(o, "refused", count_of(p, ITEM_REFUSED));
		json_put_int(o, "failed", p->n - count_of(p, ITEM_QUEUED) - count_of(p, ITEM_REFUSED));
		json_object_set_nocheck(o, "results", results);
	} else {
		json_put_text(o, "id", p->items[0].id);
		json_put_text(o, "status", "queued");
	}
	json_dump_to(o, JSON_COMPACT, out);
	strbuf_addc(out, '\n');
	json_decref(results);
	json_decref(o);
}

static struct v1_call *take_call(struct posting *p)
{
	struct v1_call *q = p->q;

	p->q = NULL;
	if (q)
		q->work = NULL;
	loop_timer_stop(p->v->loop, &p->deadline);
	return q;
}

/* Freed as soon as neither the client nor the broker is waited for. */
static void let_go(struct posting *p)
{
	if (!p->q && !p->n_published)
		v1_posting_free(p);
}

static void answer_queued(struct posting *p)
{
	struct strbuf body = STRBUF_INIT;
	struct v1_call *q = take_call(p);

	write_answer(p, &body);
	if (q && !p->is_batch && p->wait_ms)
		v1_wait(q, p->items[0].key, p->items[0].digest, p->wait_ms, body.buf, body.len);
	else if (q)
		v1_answer_text(q, 202, body.buf, body.len);
	strbuf_release(&body);
	let_go(p);
}

/* ---- the record of a request with an Idempotency-Key ---- */

static void on_nothing(void *arg UNUSED, const struct store_reply *r UNUSED)
{
}

static int say_request(struct posting *p, const char *verb, int64_t ms, const char *body, store_reply_f *done, void *arg)
{
	char text[24];
	struct store_arg args[] = { STORE_ARG(p->record), STORE_ARG(verb), STORE_ARG(p->owner), STORE_ARG(p->digest), { text, 0 },
				    STORE_ARG("202"), STORE_ARG(body) };

	args[4].len = (size_t)snprintf(text, sizeof(text), "%" PRId64, ms);
	return store_script(p->v->store, SCRIPT_REQUEST, 1, args, ARRAY_LEN(args), done, arg);
}

static void drop_request(struct posting *p)
{
	if (p->idempotency_key && say_request(p, "drop", 0, "", on_nothing, NULL) < 0)
		log_debug("request", "its lease runs out by itself");
}

static bool is_blocked(const struct v1 *v)
{
	return v->publisher && broker_is_blocked(v->publisher);
}

static void answer_failed(struct posting *p)
{
	struct v1_call *q = take_call(p);

	drop_request(p);
	if (q)
		v1_retry(q, is_blocked(p->v) ? BLOCKED_RETRY_S : RETRY_S, p->failure,
			 "the message is not known to be on the queue; send it again, with the same Idempotency-Key or id it is sent once");
	let_go(p);
}

/* ---- on the queue ---- */

static void on_marked(void *arg, const struct store_reply *r UNUSED)
{
	answer_queued(arg);		/* Redis away: it is on the queue all the same */
}

static bool mark_items(struct posting *p, bool ends_request)
{
	bool asked = false;
	int last = p->n - 1;

	while (last >= 0 && p->items[last].state != ITEM_QUEUED)
		last--;
	for (int i = 0; i <= last; i++) {
		bool is_last = i == last && !ends_request;

		if (p->items[i].state == ITEM_QUEUED)
			asked = post_item_mark(&p->items[i], p->v->conf, p->tenant, p->v->store, is_last ? on_marked : on_nothing, p);
	}
	return asked && !ends_request;
}

static bool end_request(struct posting *p)
{
	struct strbuf body = STRBUF_INIT;
	bool asked;

	write_answer(p, &body);
	asked = say_request(p, "end", p->v->conf->api_idempotency, body.buf, on_marked, p) == 0;
	strbuf_release(&body);
	return asked;
}

static void all_fates_are_known(struct posting *p)
{
	bool ends_request = p->idempotency_key && !p->failure;

	loop_timer_stop(p->v->loop, &p->deadline);	/* Redis has one of its own */
	if (!count_of(p, ITEM_QUEUED) && p->failure) {
		answer_failed(p);
		return;
	}
	if (p->failure)			/* some are not there: the next request with the key tries them again */
		drop_request(p);
	if (!mark_items(p, ends_request) && !(ends_request && end_request(p)))
		answer_queued(p);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct post_item *i = arg;
	struct posting *p = i->p;
	const char *failure = post_item_failure(p->v->conf, p->v->publisher, fate);

	i->state = failure ? ITEM_FAILED : ITEM_QUEUED;
	if (failure)
		p->failure = failure;
	else
		board_count(p->v->slot, COUNT_QUEUED);
	if (--p->n_published > 0)
		return;
	if (p->q)
		all_fates_are_known(p);
	else
		let_go(p);
}

/* The broker is silent: what it says later changes nothing in what the client was told. */
static void on_deadline(void *arg)
{
	struct posting *p = arg;

	p->failure = "not_confirmed";
	answer_failed(p);
}

static void publish_all(struct posting *p)
{
	if (!p->v->publisher || !broker_is_up(p->v->publisher) || is_blocked(p->v)) {
		p->failure = is_blocked(p->v) ? "broker_blocked" : "broker_away";
		answer_failed(p);
		return;
	}
	loop_timer_init(&p->deadline, on_deadline, p);
	loop_timer_set(p->v->loop, &p->deadline, p->v->conf->api_answer);
	for (int i = 0; i < p->n; i++) {
		struct post_item *item = &p->items[i];

		if (item->state != ITEM_READY)
			continue;
		item->state = post_item_publish(item, p->v->conf, p->v->publisher, on_fate, item) < 0 ? ITEM_FAILED : ITEM_PUBLISHED;
		p->n_published += item->state == ITEM_PUBLISHED;
		if (item->state == ITEM_FAILED)
			p->failure = "broker_away";
	}
	if (!p->n_published)
		all_fates_are_known(p);
}

/* ---- has it been answered before? ---- */

static void answer_again(struct posting *p, const struct store_reply *r)
{
	struct v1_call *q = take_call(p);

	if (q)
		v1_header(q, "Idempotency-Replayed", "true");
	if (q && !p->is_batch && p->wait_ms)
		v1_wait(q, p->items[0].key, p->items[0].digest, p->wait_ms, r->v[2].s, r->v[2].len);
	else if (q)
		v1_answer_text(q, (int)r->v[1].i, r->v[2].s, r->v[2].len);
	let_go(p);
}

static void on_begun(void *arg, const struct store_reply *r)
{
	struct posting *p = arg;
	const char *word = r && !r->error && r->n >= 1 && r->v[0].kind == STORE_TEXT ? r->v[0].s : "go";
	struct v1_call *q;

	if (r && r->error)
		log_error("script_failed", "script=request %s", r->error);
	if (!strcmp(word, "done") && r->n == 3) {
		answer_again(p, r);
	} else if (!strcmp(word, "busy")) {
		q = take_call(p);
		if (q) {
			v1_header(q, "Retry-After", "1");
			v1_problem(q, 409, "request_in_progress", "another request with this Idempotency-Key is being answered");
		}
		let_go(p);
	} else if (!strcmp(word, "reused")) {
		q = take_call(p);
		if (q)
			v1_problem(q, 422, "idempotency_key_reused", "this Idempotency-Key came before, with another body");
		let_go(p);
	} else {
		publish_all(p);		/* also without Redis: the same request has the same ids */
	}
}

static void end_posting(void *work)
{
	struct posting *p = work;

	p->q = NULL;
	if (!p->n_published)
		v1_posting_free(p);
}

static void refuse_single(struct posting *p)
{
	struct v1_call *q = take_call(p);

	v1_bad_field(q, p->items[0].status, p->items[0].code, p->items[0].why.buf);
	v1_posting_free(p);
}

static void post(struct v1_call *q, bool second_envelope)
{
	struct posting *p = v1_posting_read(q, second_envelope);

	if (!p)
		return;
	q->work = p;
	q->end_work = end_posting;
	if (!p->is_batch && p->items[0].state == ITEM_REFUSED)
		refuse_single(p);
	else if (!p->idempotency_key ||
		 say_request(p, "begin", p->v->conf->api_answer + LEASE_MARGIN_MS, "", on_begun, p) < 0)
		publish_all(p);
}

void on_v1_send(struct v1_call *q)
{
	post(q, false);
}

void on_v1_send_envelope(struct v1_call *q)
{
	post(q, true);
}
