#include "graph/calls.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"
#include "io/http_client.h"

enum {
	QUEUE_MAX = 200,		/* calls that wait, of one app and business account */
	AT_ONCE = 32,
	ANSWER_MAX = 4 << 20,
	REDIS_AGAIN_MS = 250,
	BLOCK_LEAST_MS = 60000, BLOCK_MOST_MS = 3600000,	/* where Graph says "too many" and not for how long */
	TRIES = 2,
};
static const int64_t hour_us = INT64_C(3600) * 1000 * 1000;
static const char ENDING[] = "wamd is shutting down";

struct graph {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	struct board_slot *slot;
	struct http_client *http;
	struct list queues;		/* those with calls that wait */
	struct list answers;		/* for the next turn */
	struct loop_timer answer;
	bool is_ending;
};

struct queue {				/* one app and business account */
	struct list list;
	struct graph *g;
	char key[KEY_TEXT_MAX];
	struct list calls;
	int n;
	struct loop_timer wake;
	mono_t not_before;
	bool is_asking;
	char why[96];			/* what they wait for */
};

struct pending {			/* one call: in its queue, or under way */
	struct list list;
	struct graph *g;
	struct queue *queue;		/* NULL: it is under way */
	struct graph_for who;
	char name[32], method[8], key[KEY_TEXT_MAX];
	struct strbuf path, query, body;
	bool is_file, has_waited;
	graph_shape_f *shape;
	mono_t until;
	int tries;
};

struct later {
	struct list list;
	struct graph_for who;
	enum graph_word word;
	struct strbuf text;
};

const struct conf *graph_conf(const struct graph *g)
{
	return g->conf;
}

struct store *graph_store(const struct graph *g)
{
	return g->store;
}

void graph_add_encoded(struct strbuf *query, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c))
			strbuf_addc(query, (char)c);
		else
			strbuf_addf(query, "%%%02X", c);
	}
}

/* ---- the end of a call ---- */

static void end(struct pending *p, const struct graph_reply *r)
{
	p->who.done(p->who.arg, r);
	mem_wipe(p->query.buf, p->query.len);	/* tokens and app secrets, when these are asked about */
	strbuf_release(&p->path);
	strbuf_release(&p->query);
	strbuf_release(&p->body);
	free(p);
}

static void fail(struct pending *p, enum graph_word word, int64_t retry_after_ms, const char *text)
{
	end(p, &(struct graph_reply){ .word = word, .retry_after_ms = retry_after_ms, .text = text });
}

static struct pending *leave_queue(struct queue *q)
{
	struct pending *p = CONTAINER_OF(list_pop(&q->calls), struct pending, list);

	q->n--;
	p->queue = NULL;
	return p;
}

static void queue_free(struct queue *q)
{
	loop_timer_stop(q->g->loop, &q->wake);
	list_del(&q->list);
	free(q);
}

/* ---- what Graph says ---- */

static void on_blocked(void *arg, const struct store_reply *r)
{
	struct pending *p = arg;	/* only its key is left */

	if (r && r->error)
		log_error("script_failed", "script=call %s", r->error);
	free(p);
}

/* Not waited for: should it get lost, the next answer says it again. */
static void block(const struct pending *p, int64_t ms, int code)
{
	char ms_text[24], least[24], most[24], code_text[24];
	struct pending *copy = mem_alloc(sizeof(*copy));

	memcpy(copy->key, p->key, sizeof(copy->key));
	snprintf(ms_text, sizeof(ms_text), "%" PRId64, ms);
	snprintf(least, sizeof(least), "%d", BLOCK_LEAST_MS);
	snprintf(most, sizeof(most), "%d", BLOCK_MOST_MS);
	snprintf(code_text, sizeof(code_text), "%d", code);
	if (p->g->is_ending ||
	    store_script(p->g->store, SCRIPT_CALL, 1, (struct store_arg[]){ STORE_ARG(copy->key), STORE_ARG("block"), STORE_ARG(ms_text),
									    STORE_ARG(least), STORE_ARG(most), STORE_ARG(code_text) },
			 6, on_blocked, copy) < 0)
		free(copy);
}

/* Codes that speak of this quota; 613 and 80012 are of other things. */
static bool is_quota(int code)
{
	return code == 4 || code == 17 || code == 32 || code == 80007 || code == 80008;
}

static void tell_ok(struct pending *p, json_t *answer)
{
	json_t *made = p->shape ? p->shape(p->who.account, answer) : json_incref(answer);

	if (made)
		end(p, &(struct graph_reply){ .word = GRAPH_OK, .json = made, .retry_after_ms = -1, .text = "" });
	else
		fail(p, GRAPH_AWAY, -1, "Graph's answer is not what it documents");
	json_decref(made);
}

static void tell_refused(struct pending *p, const struct http_result *r)
{
	char words[64];
	struct answer a;

	answer_read(&a, &p->g->conf->error_classes, r->status, r->body, r->len, r->retry_after_s, r->usage);
	log_notice("graph_refused", "tenant=%s account=%s call=%s http=%ld code=%d subcode=%d trace=%s: %s", p->who.account->tenant->id,
		   p->who.account->id, p->name, r->status, a.code, a.subcode, r->trace, a.text);
	if (!a.has_code) {
		snprintf(words, sizeof(words), "HTTP status %ld without an error of Graph's", r->status);
		fail(p, GRAPH_AWAY, a.retry_after_ms, words);
		return;
	}
	if (is_quota(a.code)) {
		board_count(p->g->slot, COUNT_GRAPH_THROTTLED);
		block(p, a.retry_after_ms > 0 ? a.retry_after_ms : 0, a.code);
	}
	end(p, &(struct graph_reply){ .word = GRAPH_REFUSED, .http = a.http, .code = a.code, .subcode = a.subcode,
				      .retry_after_ms = a.retry_after_ms, .text = a.text });
}

static void wait_in_queue(struct pending *p, bool first);

static bool may_try_again(const struct pending *p, const struct http_result *r)
{
	return p->tries < TRIES && !p->g->is_ending && (r->fate == HTTP_NOT_SENT || !strcmp(p->method, "GET"));
}

static void on_http(void *arg, const struct http_result *r)
{
	struct pending *p = arg;
	json_t *answer = NULL;
	enum json_verdict v = JSON_NOT_JSON;
	bool is_good = r->fate == HTTP_ANSWERED && !r->truncated && r->status >= 200 && r->status < 300;
	int64_t regain;

	if (r->fate != HTTP_ANSWERED && may_try_again(p, r)) {
		wait_in_queue(p, true);
		return;
	}
	if (r->fate != HTTP_ANSWERED) {
		log_notice("graph_away", "tenant=%s account=%s call=%s: %s", p->who.account->tenant->id, p->who.account->id, p->name, r->why);
		fail(p, GRAPH_AWAY, -1, r->why);
		return;
	}
	regain = answer_regain_ms(r->usage);
	if (r->status == 200 && regain)		/* else tell_refused() does */
		block(p, regain, 0);
	if (is_good)
		v = json_parse(r->body, r->len, &answer, NULL);
	if (r->truncated || v == JSON_TOO_LARGE)
		end(p, &(struct graph_reply){ .word = GRAPH_AWAY, .is_too_large = true, .retry_after_ms = -1,
					      .text = "Graph's answer is larger than wamd reads" });
	else if (is_good && v == JSON_OK && !json_object_get(answer, "error"))
		tell_ok(p, answer);
	else
		tell_refused(p, r);
	json_decref(answer);
}

/* ---- asking Graph ---- */

/* Meta's "Resumable Upload API" wants another word before the token where the bytes go. */
static struct http_headers *new_headers(const struct pending *p)
{
	struct strbuf authorization = STRBUF_INIT;
	const char *lines[4];
	struct http_headers *h;
	int n = 0;

	strbuf_reserve(&authorization, strlen(p->who.account->token) + 32);
	strbuf_addf(&authorization, "Authorization: %s %s", p->is_file ? "OAuth" : "Bearer", p->who.account->token);
	lines[n++] = authorization.buf;
	lines[n++] = "Accept: application/json";
	if (p->is_file) {
		lines[n++] = "file_offset: 0";
		lines[n++] = "Content-Type: application/octet-stream";
	} else if (p->body.len) {
		lines[n++] = "Content-Type: application/json";
	}
	h = http_headers_new(lines, n);
	mem_wipe(authorization.buf, authorization.len);
	strbuf_release(&authorization);
	return h;
}

static void make_url(const struct pending *p, struct strbuf *url)
{
	const struct conf *c = p->g->conf;

	strbuf_addf(url, "%s/%s/%s", c->graph_url, c->graph_version, p->path.buf);
	if (p->query.len)
		strbuf_addf(url, "?%s", p->query.buf);
	if (c->graph_proof && *p->who.account->proof)	/* an upload's path has a query of its own */
		strbuf_addf(url, "%cappsecret_proof=%s", strchr(url->buf, '?') ? '&' : '?', p->who.account->proof);
}

static void go(struct pending *p)
{
	struct strbuf url = STRBUF_INIT;
	struct http_headers *h;

	if (p->who.account->is_gone || !p->who.account->token) {
		fail(p, GRAPH_INVALID, -1, "the account is no longer known");
		return;
	}
	p->tries++;
	board_count(p->g->slot, COUNT_GRAPH_CALLS);
	log_debug("graph", "tenant=%s account=%s call=%s", p->who.account->tenant->id, p->who.account->id, p->name);
	h = new_headers(p);
	make_url(p, &url);
	http_send(p->g->http, &(struct http_request){
		.method = p->method, .url = url.buf, .headers = h, .body = p->body.len ? p->body.buf : NULL, .len = p->body.len,
		.timeout_ms = p->g->conf->manage_timeout, .done = on_http, .arg = p });
	http_headers_unref(&h);
	mem_wipe(url.buf, url.len);
	strbuf_release(&url);
}

/* ---- waiting for the limit ---- */

/* In any hour: half of the calls at once, and the other half evenly over it. */
static int ask_limit(struct queue *q, store_reply_f *done)
{
	int64_t all = q->g->conf->limit_calls, burst = all / 2, interval_us = (hour_us + all - burst - 1) / (all - burst);
	char interval[24], tolerance[24];

	snprintf(interval, sizeof(interval), "%" PRId64, interval_us);
	snprintf(tolerance, sizeof(tolerance), "%" PRId64, (burst - 1) * interval_us);
	return store_script(q->g->store, SCRIPT_CALL, 1, (struct store_arg[]){ STORE_ARG(q->key), STORE_ARG("take"), STORE_ARG(interval),
									       STORE_ARG(tolerance) }, 4, done, q);
}

static void sleep_for(struct queue *q, int64_t ms, const char *why)
{
	q->not_before = mono_add_ms(mono_now(), ms);
	snprintf(q->why, sizeof(q->why), "%s", why);
	loop_timer_set(q->g->loop, &q->wake, 0);	/* to see who will not wait so long */
}

static void on_limit(void *arg, const struct store_reply *r)
{
	struct queue *q = arg;
	char words[96];

	q->is_asking = false;
	if (r && r->error)
		log_error("script_failed", "script=call %s", r->error);
	if (!r || r->n < 1) {
		sleep_for(q, REDIS_AGAIN_MS, "Redis does not answer");
	} else if (!strcmp(r->v[0].s, "go")) {
		loop_timer_set(q->g->loop, &q->wake, 0);
		if (q->n)
			go(leave_queue(q));
	} else if (!strcmp(r->v[2].s, "rate")) {
		sleep_for(q, r->v[1].i, "the management calls of this hour are used up (limit.management_calls)");
	} else {
		snprintf(words, sizeof(words), "Graph wants no calls for this business account for a while (code %s)", r->v[2].s);
		sleep_for(q, r->v[1].i, words);
	}
}

/* Who will not wait until the limit allows is told now; what the told ones do may come here again. */
static void dismiss_impatient(struct queue *q)
{
	enum graph_word word = store_is_up(q->g->store) ? GRAPH_LIMITED : GRAPH_AWAY;
	int64_t left = mono_diff_ms(q->not_before, mono_now());
	struct list gone, *next;

	list_init(&gone);
	for (struct list *i = q->calls.next; i != &q->calls; i = next) {
		struct pending *p = CONTAINER_OF(i, struct pending, list);

		next = i->next;
		if (!mono_before(p->until, q->not_before)) {
			if (!p->has_waited)
				board_count(q->g->slot, COUNT_GRAPH_WAITS);
			p->has_waited = true;
			continue;
		}
		list_del(&p->list);
		list_add_tail(&gone, &p->list);
		p->queue = NULL;
		q->n--;
	}
	while (!list_is_empty(&gone))
		fail(CONTAINER_OF(list_pop(&gone), struct pending, list), word, left, q->why);
}

static void on_wake(void *arg)
{
	struct queue *q = arg;

	if (q->is_asking)
		return;
	if (mono_before(mono_now(), q->not_before)) {
		loop_timer_set_at(q->g->loop, &q->wake, q->not_before);
		dismiss_impatient(q);
		return;
	}
	if (!q->n) {
		queue_free(q);
		return;
	}
	q->is_asking = true;
	if (ask_limit(q, on_limit) < 0) {
		q->is_asking = false;
		sleep_for(q, REDIS_AGAIN_MS, "Redis does not answer");
	}
}

static struct queue *queue_of(struct graph *g, const char *key)
{
	struct queue *q;

	for (struct list *i = g->queues.next; i != &g->queues; i = i->next) {
		q = CONTAINER_OF(i, struct queue, list);
		if (!strcmp(q->key, key))
			return q;
	}
	q = mem_alloc(sizeof(*q));
	q->g = g;
	snprintf(q->key, sizeof(q->key), "%s", key);
	list_init(&q->calls);
	loop_timer_init(&q->wake, on_wake, q);
	list_add_tail(&g->queues, &q->list);
	return q;
}

static void wait_in_queue(struct pending *p, bool first)
{
	p->queue = queue_of(p->g, p->key);
	if (first)
		list_add_head(&p->queue->calls, &p->list);
	else
		list_add_tail(&p->queue->calls, &p->list);
	p->queue->n++;
	loop_timer_set(p->g->loop, &p->queue->wake, 0);
}

void graph_ask(struct graph *g, const struct graph_call *call)
{
	struct pending *p = mem_alloc(sizeof(*p));

	*p = (struct pending){ .g = g, .who = call->who, .path = STRBUF_INIT, .query = STRBUF_INIT, .body = STRBUF_INIT,
			       .is_file = call->bytes != NULL, .shape = call->shape };
	snprintf(p->name, sizeof(p->name), "%s", call->name);
	snprintf(p->method, sizeof(p->method), "%s", call->method);
	key_call_limit(g->conf, call->who.account, p->key);
	strbuf_adds(&p->path, call->path);
	if (call->query)
		strbuf_adds(&p->query, call->query);
	if (call->bytes)
		strbuf_add(&p->body, call->bytes, call->len);
	else if (call->body)
		json_dump_to(call->body, JSON_COMPACT, &p->body);
	else if (!strcmp(call->method, "POST"))
		strbuf_adds(&p->body, "{}");
	p->until = mono_add_ms(mono_now(), call->who.patience_ms);
	wait_in_queue(p, false);
	if (p->queue->n > QUEUE_MAX) {
		list_del(&p->list);
		p->queue->n--;
		graph_answer_later(g, &p->who, GRAPH_LIMITED, "too many calls for this business account wait already");
		strbuf_release(&p->path);
		strbuf_release(&p->query);
		strbuf_release(&p->body);
		free(p);
	}
}

/* ---- answers without a call ---- */

static void on_answer(void *arg)
{
	struct graph *g = arg;
	struct list now;

	list_init(&now);
	while (!list_is_empty(&g->answers))
		list_add_tail(&now, list_pop(&g->answers));
	while (!list_is_empty(&now)) {
		struct later *l = CONTAINER_OF(list_pop(&now), struct later, list);

		l->who.done(l->who.arg, &(struct graph_reply){ .word = l->word, .retry_after_ms = -1, .text = l->text.buf });
		strbuf_release(&l->text);
		free(l);
	}
}

void graph_answer_later(struct graph *g, const struct graph_for *who, enum graph_word word, const char *text)
{
	struct later *l = mem_alloc(sizeof(*l));

	*l = (struct later){ .who = *who, .word = word, .text = STRBUF_INIT };
	strbuf_adds(&l->text, text);
	list_add_tail(&g->answers, &l->list);
	loop_timer_set(g->loop, &g->answer, 0);
}

/* ---- life ---- */

struct graph *graph_new(struct loop *l, const struct conf *c, struct store *store, struct board_slot *slot)
{
	struct graph *g = mem_alloc(sizeof(*g));

	*g = (struct graph){ .loop = l, .conf = c, .store = store, .slot = slot };
	g->http = http_client_new(l, &(struct http_client_options){
		.ca_file = *c->graph_ca_file ? c->graph_ca_file : NULL, .http_version = strcmp(c->graph_http, "2") ? 11 : 2, .window = AT_ONCE,
		.streams = (int)c->graph_streams, .connect_ms = c->graph_connect, .answer_max = ANSWER_MAX, .allow_plain = true });
	list_init(&g->queues);
	list_init(&g->answers);
	loop_timer_init(&g->answer, on_answer, g);
	return g;
}

/* Whoever gets its answer now may ask for more, and gets that answer, too. */
static bool end_one(struct graph *g)
{
	struct queue *q;

	if (!list_is_empty(&g->answers)) {
		on_answer(g);
		return true;
	}
	if (list_is_empty(&g->queues))
		return false;
	q = CONTAINER_OF(list_pop(&g->queues), struct queue, list);
	if (q->n) {
		list_add_head(&g->queues, &q->list);
		fail(leave_queue(q), GRAPH_AWAY, -1, ENDING);
	} else {
		queue_free(q);
	}
	return true;
}

void graph_free(struct graph **gp)
{
	struct graph *g = *gp;

	if (!g)
		return;
	g->is_ending = true;
	http_client_free(&g->http);
	while (end_one(g))
		;
	loop_timer_stop(g->loop, &g->answer);
	free(g);
	*gp = NULL;
}
