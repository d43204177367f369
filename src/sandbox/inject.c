#include "sandbox/inject.h"

#include "base/rand.h"
#include "sandbox/call.h"
#include "sandbox/conn.h"
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

void inject_at_head(struct call *c)
{
	char pnid[64];
	struct fault_subject s = { .pnid = pnid };
	size_t n = c->n_seg > 1 ? c->seg[1].len : 0;

	if (!faults_any(c->sandbox->faults) || n >= sizeof(pnid))
		return;
	for (size_t i = 0; i < n; i++)
		pnid[i] = c->seg[1].s[i];
	pnid[n] = 0;
	if (faults_draw(c->sandbox->faults, &s, true, &c->cut_request))
		inject_at_body(c);
}

void inject_at_body(struct call *c)
{
	if (c->cut_request.kind != FAULT_NONE && c->body.len >= c->cut_request.after)
		inject_cut_request(c);
}

void inject_cut_request(struct call *c)
{
	const struct fault_act *act = c->cut_request.kind != FAULT_NONE ? &c->cut_request : &c->act;

	c->received = false;	/* so it counts as partial */
	c->refused = 400;	/* and whatever of it still comes is dropped */
	cut(c, act);
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

	if (!c->route || !(c->route->flags & ROUTE_IS_SEND) || c->act.kind == FAULT_GOAWAY)
		return 0;
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
