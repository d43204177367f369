#include "sandbox/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sandbox/assets.h"
#include "sandbox/blueprint.h"
#include "sandbox/call.h"
#include "sandbox/catalogue.h"
#include "sandbox/conn.h"
#include "sandbox/graph.h"
#include "sandbox/hooks.h"
#include "sandbox/ids.h"
#include "sandbox/inject.h"
#include "sandbox/json_out.h"
#include "sandbox/pair.h"
#include "sandbox/sandbox.h"
#include "sandbox/validate.h"

static const char content_json[] = "application/json; charset=UTF-8";

/* What is found out about one POST, step by step. */
struct judgement {
	struct call *call;
	struct sandbox *sandbox;
	struct number *number;		/* NULL: unknown */
	json_t *body;			/* NULL: not JSON */
	struct message_facts facts;
	struct template *template;	/* the one that is meant; NULL: none, or it is unknown */
	struct graph_error error;
	uint64_t wamid_id;
	int64_t now_us;
	bool accepted;
};

/* ---- judging, in Graph's order ---- */

static int check_body(struct judgement *j)
{
	json_error_t err;

	j->facts = (struct message_facts){ .to = "", .type = "", .callback = "" };
	j->body = json_loadb(j->call->body.buf, j->call->body.len, 0, &err);
	if (!j->body)
		return graph_error_set(&j->error, 100, "The request body is not valid JSON: %s", err.text);
	return validate_message(j->body, &j->facts, &j->error);
}

static int check_limits(struct judgement *j)
{
	struct sandbox *s = j->sandbox;
	int64_t rate = j->number->rate >= 0 ? j->number->rate : s->opt->rate;

	if (!window_allows(&j->number->passed, (unsigned)rate, j->now_us))
		return graph_error_set(&j->error, 130429, "Cloud API message throughput has been reached.");
	if (s->opt->pair && !pairs_admit(s->pairs, j->number->pnid, j->facts.recipient.wa_id, j->now_us))
		return graph_error_set(&j->error, 131056, "Message failed to send because there were too many messages sent from this "
				       "phone number to the same phone number in a short period of time.");
	return 0;
}

static int judge(struct judgement *j)
{
	int body = check_body(j);	/* first, since the ledger wants to know it anyway; its verdict counts after the others */
	struct graph_error verdict = j->error;

	j->error = (struct graph_error)GRAPH_ERROR_INIT;
	if (graph_admit(j->call, &j->number, &j->error) < 0) {
		strbuf_release(&verdict.details);
		return -1;
	}
	j->error = verdict;
	if (body < 0 || j->facts.receipt)
		return body;
	if (strcmp(j->facts.type, "template") == 0 &&
	    catalogue_check(j->sandbox->catalogue, j->number->waba->id, j->facts.payload, &j->template, &j->error) < 0)
		return -1;
	return assets_check(j->sandbox->assets, j->number->pnid, j->facts.type, j->facts.payload, wall_ms() / 1000, &j->error);
}

static void draw_fault(struct judgement *j)
{
	struct call *c = j->call;
	struct inject_texts texts;
	struct fault_subject s;

	if (!faults_any(j->sandbox->faults))
		return;
	inject_subject(c, &texts, &s);
	s.to = j->facts.to;
	s.callback = j->facts.callback;
	s.text = j->facts.text ? j->facts.text : c->body.buf;
	s.text_len = j->facts.text ? j->facts.text_len : c->body.len;
	if (!faults_draw(j->sandbox->faults, &s, false, &c->act))
		c->act.kind = FAULT_NONE;
}

/* Too few bytes to be cut after: then the rule does nothing. */
static bool cuts_request(const struct call *c)
{
	return c->act.kind == FAULT_CUT_REQUEST && c->body.len >= c->act.after;
}

/* ---- the answer ---- */

static void write_contact(struct judgement *j, struct strbuf *out)
{
	bool bsuid = j->facts.recipient.kind == RECIPIENT_BSUID;

	strbuf_adds(out, "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":");
	json_out_cstring(out, j->facts.to);
	strbuf_adds(out, bsuid ? ",\"user_id\":\"" : ",\"wa_id\":\"");
	strbuf_add(out, j->facts.recipient.wa_id, j->facts.recipient.len);
	strbuf_adds(out, "\"}]");
}

static void write_success(struct judgement *j, struct strbuf *out)
{
	char wamid[WAMID_SIZE];
	size_t n = wamid_format(j->facts.recipient.wa_id, j->facts.recipient.len, j->wamid_id, wamid);

	write_contact(j, out);
	if (j->call->act.kind == FAULT_NO_ID) {
		strbuf_adds(out, ",\"messages\":[{}]}");
		return;
	}
	strbuf_adds(out, ",\"messages\":[{\"id\":\"");
	strbuf_add(out, wamid, n);
	strbuf_addc(out, '"');
	if (strcmp(j->facts.type, "template") == 0)
		strbuf_adds(out, ",\"message_status\":\"accepted\"");
	if (j->facts.recipient.kind == RECIPIENT_GROUP) {
		strbuf_adds(out, ",\"group_id\":\"");
		strbuf_add(out, j->facts.recipient.wa_id, j->facts.recipient.len);
		strbuf_addc(out, '"');
	}
	strbuf_adds(out, "}]}");
}

/* The status that goes out; the body is in c->out. */
static int compose(struct judgement *j, const char **type)
{
	struct call *c = j->call;

	*type = content_json;
	if (c->act.kind == FAULT_HTML) {
		*type = "text/html; charset=utf-8";
		return inject_html(c);
	}
	if (c->act.kind == FAULT_GARBAGE || c->act.kind == FAULT_WRONG_SHAPE) {
		inject_nonsense(c);
		return 200;
	}
	if (j->error.failed)
		return graph_error_write(c, &j->error, j->number);
	graph_headers(c, j->number);
	if (j->facts.receipt)
		strbuf_adds(&c->out, "{\"success\":true}");
	else
		write_success(j, &c->out);
	return 200;
}

/* ---- the books ---- */

static struct ledger_text text(const char *s)
{
	return (struct ledger_text){ s, strlen(s) };
}

static bool is_ever_answered(enum fault_kind k)
{
	return k != FAULT_HANG && k != FAULT_ACCEPT_THEN_CUT && k != FAULT_REFUSE_THEN_CUT && k != FAULT_GOAWAY && k != FAULT_RST_STREAM;
}

/* What the recipient of a template sees, when its definition is known; the caller's. */
static char *rendered(const struct judgement *j)
{
	json_t *o;
	char *text;

	if (!j->sandbox->opt->keep_bodies || !j->accepted || !j->template || !j->template->blueprint)
		return NULL;
	o = blueprint_render(j->template->blueprint, j->facts.payload);
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

static void enter_in_ledger(struct judgement *j, int http)
{
	char *seen = rendered(j);
	struct call *c = j->call;
	struct ledger_note n = {
		.t_us = wall_us(), .wamid_id = j->wamid_id, .pnid = { c->seg[1].s, c->seg[1].len }, .to = text(j->facts.to),
		.type = text(j->facts.type), .callback = text(j->facts.callback), .body_is_json = j->body != NULL,
		.conn = c->conn->number, .code = j->error.failed ? j->error.code : 0,
		.http = is_ever_answered(c->act.kind) ? http : 0, .accepted = j->accepted,
		.receipt = j->facts.receipt, .h2 = c->stream != 0, .fault = c->act.kind,
	};

	if (j->accepted)
		n.wa_id = (struct ledger_text){ j->facts.recipient.wa_id, j->facts.recipient.len };
	if (j->sandbox->opt->keep_bodies)
		n.body = (struct ledger_text){ c->body.buf, c->body.len };
	if (seen)
		n.rendered = text(seen);
	sha256(c->body.buf, c->body.len, n.sha256);
	c->ref = ledger_add(j->sandbox->ledger, &n);
	free(seen);
}

/* It is accepted, whatever becomes of the answer. */
static void plan_webhooks(struct judgement *j)
{
	struct hook_accepted a = { .number = j->number, .recipient = &j->facts.recipient, .type = j->facts.type,
				   .callback = j->facts.callback, .wamid_id = j->wamid_id, .ref = j->call->ref };

	if (j->accepted && !j->facts.receipt)
		hooks_accepted(j->sandbox->hooks, &a);
}

static void count(struct judgement *j)
{
	struct stats *s = &j->sandbox->stats;
	struct number *n = j->number;

	s->posts++;
	s->receipts += j->facts.receipt && j->accepted;
	s->accepted += j->accepted && !j->facts.receipt;
	if (j->error.failed)
		stats_refused(s, j->error.code);
	if (j->template && j->accepted)
		j->template->accepted++;
	else if (j->template)
		j->template->refused++;
	if (j->accepted)
		assets_count(j->sandbox->assets, j->facts.type, j->facts.payload);
	if (++s->in_flight > s->max_in_flight)
		s->max_in_flight = s->in_flight;
	j->call->in_flight = true;
	if (!n)
		return;
	n->posts++;
	window_add(&n->seen, j->now_us);
	if (j->accepted && !j->facts.receipt) {
		n->accepted++;
		window_add(&n->passed, j->now_us);
	}
}

/* Limits are asked last and only for what would be accepted: a refused message uses nothing up. */
static void decide(struct judgement *j)
{
	struct call *c = j->call;
	bool valid = judge(j) == 0;

	draw_fault(j);
	if (c->act.kind == FAULT_CUT_REQUEST && !cuts_request(c))
		c->act.kind = FAULT_NONE;
	bool wanted = c->act.kind == FAULT_NONE || c->act.accepts;
	if (valid && wanted && !j->facts.receipt && check_limits(j) < 0)
		valid = false;
	if (c->act.kind == FAULT_ERROR)
		inject_error(c, &j->error);
	j->accepted = valid && wanted;
	j->wamid_id = j->accepted ? ids_next() : 0;
}

void messages_post(struct call *c)
{
	struct judgement j = { .call = c, .sandbox = c->sandbox, .error = GRAPH_ERROR_INIT, .now_us = sandbox_now_us() };
	const char *type;

	decide(&j);
	if (cuts_request(c)) {
		inject_cut_request(c);
	} else {
		int http = compose(&j, &type);
		count(&j);
		enter_in_ledger(&j, http);
		plan_webhooks(&j);
		call_answer(c, http, type);
	}
	json_decref(j.body);
	strbuf_release(&j.error.details);
}
