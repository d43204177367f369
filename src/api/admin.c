#include "api/admin.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "api/why.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"

enum { RELOAD_WAIT_MS = 5000, RELOAD_LOOK_MS = 20 };

/* ---- status ---- */

static json_t *slot_json(const struct board_slot *s)
{
	json_t *o = json_object(), *gauges = json_object(), *counters = json_object();

	json_put_text(o, "role", s->role);
	json_put_int(o, "number", s->number);
	json_put_int(o, "pid", s->pid);
	json_put_int(o, "generation", s->generation);
	json_object_set_new(o, "draining", json_boolean(s->draining));
	json_put_int(o, "up_s", (wall_ms() - s->started_ms) / 1000);
	json_put_int(o, "crashes", (int64_t)s->crashes);
	for (int g = 0; g < GAUGES; g++)
		json_put_int(gauges, gauge_name((enum gauge)g), s->gauges[g]);
	for (int k = 0; k < COUNTERS; k++)
		json_put_int(counters, counter_name((enum counter)k), (int64_t)s->counters[k]);
	json_object_set_new(o, "gauges", gauges);
	json_object_set_new(o, "counters", counters);
	return o;
}

void on_status(struct admin *a, struct http_call *c)
{
	json_t *o = json_object(), *processes = json_array(), *totals = json_object();
	int ready = 0;

	for (int i = 0; i < BOARD_SLOTS; i++) {
		const struct board_slot *s = &a->board->slots[i];

		if (!s->pid)
			continue;
		ready += !strcmp(s->role, "sender") && s->generation == a->board->generation && s->gauges[GAUGE_READY];
		json_array_append_new(processes, slot_json(s));
	}
	for (int k = 0; k < COUNTERS; k++) {
		uint64_t sum = 0;

		for (int i = 0; i < BOARD_SLOTS; i++)
			sum += a->board->slots[i].counters[k];
		json_put_int(totals, counter_name((enum counter)k), (int64_t)sum);
	}
	json_put_text(o, "version", WAMD_VERSION);
	json_put_int(o, "pid", a->board->supervisor_pid);
	json_put_int(o, "generation", a->board->generation);
	json_put_int(o, "up_s", (wall_ms() - a->board->started_ms) / 1000);
	json_object_set_new(o, "ready", json_boolean(ready >= a->board->senders_wanted));
	json_put_int(o, "senders_ready", ready);
	json_put_int(o, "senders_wanted", a->board->senders_wanted);
	json_put_int(o, "crashes", (int64_t)a->board->crashes);
	json_put_int(o, "crash_loops", (int64_t)a->board->crash_loops);
	json_put_int(o, "reloads", (int64_t)a->board->reloads);
	json_put_int(o, "reloads_refused", (int64_t)a->board->reloads_refused);
	json_object_set_new(o, "totals", totals);
	json_object_set_new(o, "processes", processes);
	reply_json(c, 200, o);
}

/* ---- reload: the supervisor does it; we look at the scoreboard for what came of it ---- */

struct reload_wait {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	struct loop_timer look;
	mono_t until;
	uint64_t done, refused;
};

static void on_reload_client_gone(void *arg)
{
	((struct reload_wait *)arg)->call = NULL;
}

static void reload_answer(struct reload_wait *w)
{
	struct board *b = w->a->board;
	json_t *o;

	if (b->reloads_refused != w->refused) {
		reply_problem(w->call, 422, "configuration_refused", b->refusal);
	} else if (b->reloads != w->done) {
		o = json_object();
		json_put_int(o, "generation", b->generation);
		reply_json(w->call, 200, o);
	} else {
		o = json_object();
		json_put_text(o, "detail", "an earlier reload is still draining; this one follows it");
		reply_json(w->call, 202, o);
	}
}

static void on_look(void *arg)
{
	struct reload_wait *w = arg;
	struct board *b = w->a->board;

	if (w->call && b->reloads == w->done && b->reloads_refused == w->refused && mono_before(mono_now(), w->until)) {
		loop_timer_set(w->a->loop, &w->look, RELOAD_LOOK_MS);
		return;
	}
	if (w->call)
		reload_answer(w);
	free(w);
}

void on_reload(struct admin *a, struct http_call *c)
{
	struct reload_wait *w = mem_alloc(sizeof(*w));

	*w = (struct reload_wait){ .a = a, .call = c, .until = mono_add_ms(mono_now(), RELOAD_WAIT_MS),
				   .done = a->board->reloads, .refused = a->board->reloads_refused };
	http_call_on_gone(c, on_reload_client_gone, w);
	loop_timer_init(&w->look, on_look, w);
	loop_timer_set(a->loop, &w->look, RELOAD_LOOK_MS);
	a->command(a->arg, 'H');
}

void on_stop(struct admin *a, struct http_call *c)
{
	json_t *o = json_object();

	json_put_int(o, "pid", a->board->supervisor_pid);
	reply_json(c, 202, o);
	a->command(a->arg, 'T');
}

/* ---- message why: index, then record ---- */

struct why_wait {
	struct admin *a;
	struct http_call *call;
	const struct tenant *tenant;
};

static void on_why_client_gone(void *arg)
{
	((struct why_wait *)arg)->call = NULL;
}

static void why_end(struct why_wait *w, int status, const char *code, const char *detail)
{
	if (w->call)
		reply_problem(w->call, status, code, detail);
	free(w);
}

static const char no_record[] = "no record: it was not taken from the queue yet, or it was refused before anything was sent "
				"(then it is in the dead-letter queue), or its record has ended";

static void on_record(void *arg, const struct store_reply *r)
{
	struct why_wait *w = arg;

	if (!r || r->error) {
		why_end(w, 503, "store_away", "Redis does not answer");
	} else if (r->n < 2) {
		why_end(w, 404, "no_record", no_record);
	} else {
		if (w->call)
			reply_json(w->call, 200, why_of_record(r, wall_ms()));
		free(w);
	}
}

static void on_index(void *arg, const struct store_reply *r)
{
	struct why_wait *w = arg;
	char record[KEY_TEXT_MAX];
	struct store_arg args[] = { STORE_ARG("HGETALL"), { record, 0 } };

	if (!r || r->error) {
		why_end(w, 503, "store_away", "Redis does not answer");
		return;
	}
	if (r->n < 1 || r->v[0].kind != STORE_TEXT) {
		why_end(w, 404, "no_record", no_record);
		return;
	}
	args[1].len = (size_t)snprintf(record, sizeof(record), "%sm:{%s}:%.*s", w->a->conf->redis_prefix, w->tenant->domain,
				       (int)strcspn(r->v[0].s, " "), r->v[0].s);
	if (store_command(w->a->store, args, 2, on_record, w) < 0)
		why_end(w, 503, "store_away", "Redis does not answer");
}

void on_message_why(struct admin *a, struct http_call *c)
{
	const char *tenant = http_call_query(c, "tenant"), *id = http_call_query(c, "id");
	const struct tenant *t = tenant ? conf_tenant(a->conf, tenant) : NULL;
	char index[KEY_TEXT_MAX];
	struct why_wait *w;

	if (!t || !id) {
		reply_problem(c, t ? 400 : 404, t ? "bad_request" : "unknown_tenant", t ? "id: is missing" : "no tenant has this id");
		return;
	}
	key_index(a->conf, t, id, index);
	w = mem_alloc(sizeof(*w));
	*w = (struct why_wait){ .a = a, .call = c, .tenant = t };
	http_call_on_gone(c, on_why_client_gone, w);
	if (store_command(a->store, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(index) }, 2, on_index, w) < 0)
		why_end(w, 503, "store_away", "Redis does not answer");
}

/* ---- dead letters ---- */

void on_dlq_list(struct admin *a, struct http_call *c)
{
	dlq_call(a->dlq, DLQ_LIST, c);
}

void on_dlq_show(struct admin *a, struct http_call *c)
{
	dlq_call(a->dlq, DLQ_SHOW, c);
}

void on_dlq_replay(struct admin *a, struct http_call *c)
{
	dlq_call(a->dlq, DLQ_REPLAY, c);
}

void on_dlq_drop(struct admin *a, struct http_call *c)
{
	dlq_call(a->dlq, DLQ_DROP, c);
}

void on_dlq_edit(struct admin *a, struct http_call *c)
{
	dlq_call(a->dlq, DLQ_EDIT, c);
}

/* ---- the table ---- */

static const struct {
	const char *method, *path;
	void (*handle)(struct admin *a, struct http_call *c);
} routes[] = {
#define CTL(ident, words, arguments, options, method, path, help) { method, path, on_##ident },
#include "tbl/ctl_commands.h"
#undef CTL
};

void admin_call(void *admin, struct http_call *c)
{
	bool path_known = false;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (strcmp(routes[i].path, http_call_path(c)))
			continue;
		path_known = true;
		if (strcmp(routes[i].method, http_call_method(c)))
			continue;
		routes[i].handle(admin, c);
		return;
	}
	reply_problem(c, path_known ? 405 : 404, path_known ? "method_not_allowed" : "not_found",
		       path_known ? "this resource knows another method" : "no such resource");
}
