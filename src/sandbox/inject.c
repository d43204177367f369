#include "sandbox/inject.h"

#include <string.h>

#include "base/rand.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"
#include "sandbox/graph.h"
#include "sandbox/route.h"
#include "sandbox/sandbox.h"

enum { TICK_MS = 100 };

static void cut(struct call *c, const struct fault_act *act)
{
	if (act->stream)
		c->conn->proto->reset(c, false);
	else
		conn_cut(c->conn, act->how);
}

static void copy_text(char *to, size_t size, const char *from, size_t n)
{
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = 0;
}

/* The path as it came: its segments are decoded by now, each in its place. */
static void copy_path(const struct call *c, char *to, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < c->n_seg && used + 2 < size; i++) {
		to[used++] = '/';
		copy_text(to + used, size - used, c->seg[i].s, c->seg[i].len);
		used += strlen(to + used);
	}
	to[used] = 0;
}

void inject_subject(const struct call *c, struct inject_texts *texts, struct fault_subject *s)
{
	const struct segment *node = &c->seg[1];

	copy_text(texts->pnid, sizeof(texts->pnid), node->s, c->n_seg > 1 ? node->len : 0);
	copy_path(c, texts->path, sizeof(texts->path));
	*s = (struct fault_subject){ .pnid = texts->pnid, .path = texts->path, .route = c->route->name,
				     .is_send = c->route->kind == ROUTE_SEND };
}

void inject_at_head(struct call *c)
{
	struct inject_texts texts;
	struct fault_subject s;

	if (!faults_any(c->sandbox->faults))
		return;
	inject_subject(c, &texts, &s);
	if (faults_draw(c->sandbox->faults, &s, true, &c->cut_request))
		inject_at_body(c);
}

void inject_at_body(struct call *c)
{
	if (c->cut_request.kind != FAULT_NONE && c->body_seen >= c->cut_request.after)
		inject_cut_request(c);
}

void inject_cut_request(struct call *c)
{
	const struct fault_act *act = c->cut_request.kind != FAULT_NONE ? &c->cut_request : &c->act;

	c->received = false;	/* so it counts as partial */
	c->refused = 400;	/* and whatever of it still comes is dropped */
	cut(c, act);
}

/* ---- answers of another kind ---- */

int inject_html(struct call *c)
{
	int http = c->act.http ? c->act.http : 502;

	strbuf_addf(&c->out, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Facebook | Error</title></head>\n"
			     "<body><h1>Sorry, something went wrong.</h1><p>Error %d</p></body></html>\n", http);
	return http;
}

void inject_nonsense(struct call *c)
{
	strbuf_adds(&c->out, c->act.kind == FAULT_WRONG_SHAPE ? "{\"result\":[\"ok\",1]}"
			     : "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"inp");
}

void inject_error(const struct call *c, struct graph_error *e)
{
	const struct fault_act *a = &c->act;

	graph_error_set(e, a->code, "%s", a->details);
	e->bare = false;
	e->http = a->http;
	e->subcode = a->subcode;
	e->transient = a->transient;
	e->retry_after_s = a->retry_after_s;
	e->regain_minutes = a->regain_minutes;
}

static void answer_error(struct call *c)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct number *n = accounts_find(&c->sandbox->accounts, c->seg[1].s, c->seg[1].len);

	inject_error(c, &e);
	call_answer_json(c, graph_error_write(c, &e, n));
	strbuf_release(&e.details);
}

static bool draw(struct call *c)
{
	struct inject_texts texts;
	struct fault_subject s;

	if (!faults_any(c->sandbox->faults))
		return false;
	inject_subject(c, &texts, &s);
	s.text = c->body.buf;
	s.text_len = c->body.len;
	return faults_draw(c->sandbox->faults, &s, false, &c->act);
}

bool inject_instead(struct call *c)
{
	if (!draw(c)) {
		c->act.kind = FAULT_NONE;
		return false;
	}
	if (c->act.kind == FAULT_ERROR)
		answer_error(c);
	else if (c->act.kind == FAULT_HTML)
		call_answer(c, inject_html(c), "text/html; charset=utf-8");
	else if (c->act.kind == FAULT_GARBAGE || c->act.kind == FAULT_WRONG_SHAPE || c->act.kind == FAULT_NO_ID || !c->act.accepts) {
		inject_nonsense(c);
		call_answer_json(c, 200);	/* and whoever is not to be accepted does not even see that */
	}
	return c->status != 0;
}

/* ---- answers that take their time ---- */

static void on_drip(void *arg)
{
	struct call *c = arg;
	int64_t rate = c->act.bytes_per_s, ms = rate < 1000 / TICK_MS ? 1000 / rate : TICK_MS;

	c->allowed += (size_t)(rate * ms / 1000 > 0 ? rate * ms / 1000 : 1);
	c->conn->proto->resume(c);
	if (c->source || c->sent < c->out.len)
		loop_timer_set(c->sandbox->loop, &c->timer, ms);
}

static void start_drip(struct call *c)
{
	c->allowed = 0;
	call_submit(c);
	c->timer.on_time = on_drip;
	loop_timer_set(c->sandbox->loop, &c->timer, TICK_MS);
}

static void on_rest_of_head(void *arg)
{
	struct call *c = arg;

	c->head_held = false;
	call_submit(c);
}

static void start_slow_head(struct call *c)
{
	c->head_held = true;
	call_submit(c);
	c->timer.on_time = on_rest_of_head;
	loop_timer_set(c->sandbox->loop, &c->timer, c->act.delay_ms);
}

static void on_due(void *arg)
{
	struct call *c = arg;

	switch (c->act.kind) {
	case FAULT_NONE:
	case FAULT_DELAY:
	case FAULT_ERROR:
	case FAULT_HTML:
	case FAULT_NO_ID:
	case FAULT_GARBAGE:
	case FAULT_WRONG_SHAPE:
		call_submit(c);
		return;
	case FAULT_HANG:
		return;
	case FAULT_DRIP:
		start_drip(c);
		return;
	case FAULT_SLOW_HEADERS:
		start_slow_head(c);
		return;
	case FAULT_CUT_ANSWER:
		c->allowed = c->act.after;
		call_submit(c);
		return;
	case FAULT_CUT_REQUEST:
	case FAULT_ACCEPT_THEN_CUT:
	case FAULT_REFUSE_THEN_CUT:
		cut(c, &c->act);
		return;
	case FAULT_GOAWAY:
		c->conn->proto->goaway(c);
		return;
	case FAULT_RST_STREAM:
		c->conn->proto->reset(c, c->act.refused);
		return;
	case FAULT_KINDS:
		break;
	}
	BUG("fault kind %d", (int)c->act.kind);
}

/* GOAWAY comes at once: later streams that were decided meanwhile would have to stay above its line. */
static int64_t delay_of(const struct call *c)
{
	const struct options *o = c->sandbox->opt;
	int64_t ms = c->act.kind == FAULT_DELAY ? c->act.delay_ms : 0;

	if (!c->route || c->route->kind == ROUTE_CONTROL || c->act.kind == FAULT_GOAWAY)
		return 0;
	if (c->route->kind != ROUTE_SEND)
		return ms;
	return ms + (o->delay_max_ms > o->delay_min_ms ? rand_between(o->delay_min_ms, o->delay_max_ms) : o->delay_min_ms);
}

void inject_answer(struct call *c)
{
	int64_t ms = delay_of(c);

	if (ms == 0) {
		on_due(c);
		return;
	}
	c->timer.on_time = on_due;
	loop_timer_set(c->sandbox->loop, &c->timer, ms);
}
