#include "api/admin.h"

#include <stdlib.h>
#include <sysexits.h>

#include "api/console.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"

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

static json_t *states_json(const struct admin *a)
{
	struct state_feed_view v;
	json_t *o = json_object();

	state_feed_look(a->states, &v);
	json_put_text(o, "url", a->conf->state_url);
	json_put_text(o, "state", !v.is_connected ? "not_connected" : v.is_away ? "away" : "answers");
	json_put_time(o, "away_since", v.away_since_ms);
	json_put_text(o, "last_failure", *v.why ? v.why : NULL);
	json_put_int(o, "in_hand", v.in_hand);
	if (v.waiting >= 0)
		json_put_int(o, "waiting", v.waiting);
	json_put_int(o, "calls", (int64_t)v.calls);
	json_put_int(o, "failures", (int64_t)v.failures);
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
	json_object_set_new(o, "ready", json_boolean(a->board->senders_wanted > 0 && ready >= a->board->senders_wanted));
	json_put_int(o, "senders_ready", ready);
	json_put_int(o, "senders_wanted", a->board->senders_wanted);
	json_put_int(o, "crashes", (int64_t)a->board->crashes);
	json_put_int(o, "crash_loops", (int64_t)a->board->crash_loops);
	json_put_int(o, "reloads", (int64_t)a->board->reloads);
	json_put_int(o, "reloads_refused", (int64_t)a->board->reloads_refused);
	json_put_int(o, "upgrades", (int64_t)a->board->upgrades);
	json_put_int(o, "upgrades_refused", (int64_t)a->board->upgrades_refused);
	json_put_text(o, "refusal", a->board->refusal);
	json_put_text(o, "log_level", a->board->log_level ? log_level_name((enum log_level)(a->board->log_level - 1)) : "configured");
	json_put_int(o, "tenants_changed", (int64_t)a->board->tenants_changed);
	if (a->states)
		json_object_set_new(o, "state_manager", states_json(a));
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

/* A name that does not fit whole has no blank behind it. */
static json_t *restart_json(const struct board *b)
{
	json_t *list = json_array();

	for (const char *at = b->restart, *end; (end = strchr(at, ' ')); at = end + 1)
		json_array_append_new(list, json_stringn(at, (size_t)(end - at)));
	return list;
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
		json_object_set_new(o, "needs_restart", restart_json(b));
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

void on_drain(struct admin *a, struct http_call *c)
{
	reply_json(c, 202, json_pack("{s:s}", "status", "draining"));
	a->command(a->arg, 'D');
}

void on_reopen(struct admin *a, struct http_call *c)
{
	reply_json(c, 202, json_pack("{s:s}", "status", "reopened"));
	a->command(a->arg, 'U');
}

/* ---- settings ---- */

void on_log_level(struct admin *a, struct http_call *c)
{
	const char *word = http_call_query(c, "level");
	enum log_level level = LOG_LEVEL_INFO;

	if (!word || (strcmp(word, "configured") != 0 && log_level_parse(word, &level) < 0)) {
		reply_problem(c, 400, "bad_request", "level: allowed debug, info, notice, warn, error or configured");
		return;
	}
	a->board->log_level = strcmp(word, "configured") ? (int)level + 1 : 0;
	log_notice("log_level", "%s", word);
	reply_json(c, 200, json_pack("{s:s}", "level", word));
}

void on_config_show(struct admin *a, struct http_call *c)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *o = json_object();

	if (!out)
		fatal(EX_OSERR, "out of memory");
	conf_dump(a->conf, out);
	fclose(out);
	json_put_text(o, "file", a->conf->file);
	json_put_text(o, "text", text);
	free(text);
	reply_json(c, 200, o);
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

void on_dlq_progress(struct admin *a, struct http_call *c)
{
	dlq_progress(a->dlq, c);
}

/* ---- the table ---- */

static const struct route {
	const char *method, *path;
	void (*handle)(struct admin *a, struct http_call *c);
} routes[] = {
#define CTL(ident, words, arguments, options, method, path, help) { method, path, on_##ident },
#include "tbl/ctl_commands.h"
#undef CTL
};

/* A call about a tenant that nobody has asked the tenant service for yet. */
struct tenant_wait {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct route *route;
};

static void on_tenant_client_gone(void *arg)
{
	((struct tenant_wait *)arg)->call = NULL;
}

static void on_tenant(void *arg, const struct registry_answer *answer)
{
	struct tenant_wait *w = arg;

	(void)answer;			/* who needs the tenant finds out (call_tenant) */
	if (w->call) {
		http_call_on_gone(w->call, NULL, NULL);
		w->route->handle(w->a, w->call);
	}
	free(w);
}

static void dispatch(struct admin *a, struct http_call *c, const struct route *r)
{
	const char *tenant = http_call_query(c, "tenant");
	struct tenant_wait *w;

	if (http_call_sink(c) || !tenant || !tenant_name_is_good(tenant) || conf_tenant(a->conf, tenant)) {
		r->handle(a, c);
		return;
	}
	w = mem_alloc(sizeof(*w));
	*w = (struct tenant_wait){ a, c, r };
	http_call_on_gone(c, on_tenant_client_gone, w);
	registry_get(a->registry, tenant, false, on_tenant, w);
}

bool admin_upload(void *admin, struct http_call *c, struct http_sink *sink)
{
	if (strcmp(http_call_path(c), "/v1/media") || strcmp(http_call_method(c), "POST"))
		return false;
	return media_upload_begin(admin, c, sink);
}

void admin_call(void *admin, struct http_call *c)
{
	if (console_takes(c, "socket"))
		return;
	audit(c, NULL);
	admin_route(admin, c);
}

void admin_look_call(void *admin, struct http_call *c)
{
	if (console_takes(c, "readonly"))
		return;
	if (call_only_looks(c)) {
		admin_route(admin, c);
		return;
	}
	audit(c, "read_only");
	reply_problem(c, 403, "read_only", "this socket is for looking only; what changes something goes over admin.sock");
}

void admin_route(void *admin, struct http_call *c)
{
	bool path_known = false;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (strcmp(routes[i].path, http_call_path(c)))
			continue;
		path_known = true;
		if (strcmp(routes[i].method, http_call_method(c)))
			continue;
		dispatch(admin, c, &routes[i]);
		return;
	}
	reply_problem(c, path_known ? 405 : 404, path_known ? "method_not_allowed" : "not_found",
		       path_known ? "this resource knows another method" : "no such resource");
}
