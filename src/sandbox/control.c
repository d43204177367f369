#include "sandbox/control.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/json_out.h"
#include "sandbox/nodes.h"
#include "sandbox/sandbox.h"

static const char content_json[] = "application/json";

static void answer_ok(struct call *c)
{
	strbuf_adds(&c->out, "{\"ok\":true}\n");
	call_answer(c, 200, content_json);
}

static void answer_refused(struct call *c, const struct strbuf *why)
{
	strbuf_adds(&c->out, "{\"ok\":false,\"error\":");
	json_out_string(&c->out, why->buf, why->len);
	strbuf_adds(&c->out, "}\n");
	call_answer(c, 400, content_json);
}

void control_answer(struct call *c, int err, struct strbuf *why)
{
	if (err < 0)
		answer_refused(c, why);
	else
		answer_ok(c);
	strbuf_release(why);
}

void control_ledger(struct call *c)
{
	const char *since = call_query_value(c, "since");

	c->source_arg = ledger_reader_new(c->sandbox->ledger, since ? strtoull(since, NULL, 10) : 0);
	c->source = ledger_read;
	c->source_free = ledger_reader_free;
	call_answer(c, 200, "application/x-ndjson");
}

void control_stats(struct call *c)
{
	stats_print(c->sandbox, &c->out);
	call_answer(c, 200, content_json);
}

void control_reset(struct call *c)
{
	sandbox_reset(c->sandbox);
	answer_ok(c);
}

static int set_rate(struct call *c, const json_t *o, struct strbuf *why)
{
	const json_t *rate = json_object_get(o, "rate");
	const char *pnid = json_string_value(json_object_get(o, "phone_number_id"));
	struct number *n = pnid ? accounts_find(&c->sandbox->accounts, pnid, strlen(pnid)) : NULL;

	if (!n)
		return why_set(why, "phone_number_id is unknown");
	if (!json_is_integer(rate) || json_integer_value(rate) < 0 || json_integer_value(rate) > INT32_MAX)
		return why_set(why, "rate is not a number of messages a second (0: no limit)");
	n->rate = json_integer_value(rate);
	return 0;
}

void control_obey(struct call *c, control_order_f *f)
{
	struct strbuf why = STRBUF_INIT;
	json_error_t err;
	json_t *o = json_loadb(c->body.buf, c->body.len, JSON_REJECT_DUPLICATES, &err);
	int result = o ? f(c, o, &why) : why_set(&why, "not JSON: %s", err.text);

	json_decref(o);
	control_answer(c, result, &why);
}

void control_rate(struct call *c)
{
	control_obey(c, set_rate);
}

static int set_node(struct call *c, const json_t *o, struct strbuf *why)
{
	const char *id = json_string_value(json_object_get(o, "id"));
	struct number *n = id ? accounts_find(&c->sandbox->accounts, id, strlen(id)) : NULL;
	struct waba *w = id && !n ? accounts_find_waba(&c->sandbox->accounts, id, strlen(id)) : NULL;

	if (!n && !w)
		return why_set(why, "\"id\" is neither a number nor a business account");
	return node_order(n ? &n->node : &w->node, n != NULL, o, why);
}

void control_nodes(struct call *c)
{
	control_obey(c, set_node);
}

static int set_limit(struct call *c, const json_t *o, struct strbuf *why)
{
	const json_t *calls = json_object_get(o, "calls_per_hour");
	const char *id = json_string_value(json_object_get(o, "waba_id"));
	struct waba *w = id ? accounts_find_waba(&c->sandbox->accounts, id, strlen(id)) : NULL;

	if (!w)
		return why_set(why, "waba_id is unknown");
	if (!json_is_null(calls) && (!json_is_integer(calls) || json_integer_value(calls) < 0))
		return why_set(why, "calls_per_hour is not a number (0: no limit; null: the default)");
	w->calls_per_hour = json_is_null(calls) ? -1 : json_integer_value(calls);
	w->calls = 0;
	return 0;
}

void control_limit(struct call *c)
{
	control_obey(c, set_limit);
}

void control_faults_list(struct call *c)
{
	faults_print(c->sandbox->faults, &c->out);
	call_answer(c, 200, content_json);
}

void control_faults_add(struct call *c)
{
	struct strbuf why = STRBUF_INIT;

	control_answer(c, faults_add(c->sandbox->faults, c->body.buf, c->body.len, &why), &why);
}

void control_faults_clear(struct call *c)
{
	faults_clear(c->sandbox->faults);
	answer_ok(c);
}
