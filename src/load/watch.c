/* watch - a line for every status event, until so many messages have found their end. */
#include "load/commands.h"

#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "load/accounts.h"
#include "load/published.h"
#include "load/session.h"

/* An event may be here before the feeder has its confirm and has written its line: look at the file a little later. */
enum { WAMID_SHOWN = 10, SHOW_AFTER_MS = 50 };

struct watch_options {
	const char *url, *accounts, *queue, *exchange, *published;
	int64_t count, timeout_ms;
	bool header;
};

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct watch_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(url,        "url",          "URL",  TEXT,    "$AMQP_URL", "The broker."),
	ROW(accounts,   "accounts",     "FILE", TEXT,    NULL, "Only events of the tenants in this file."),
	ROW(count,      "count",        "N",    COUNT,   "0",  "End after N final events (accepted, failed); 0: go on."),
	ROW(queue,      "events-queue", "NAME", TEXT,    NULL, "Look into this queue and leave the events there."),
	ROW(exchange,   "exchange",     "NAME", TEXT,    "whatsapp.status", "Without --events-queue: where to listen."),
	ROW(published,  "published",    "FILE", TEXT,    NULL, "Out file of a feed, for the time since the publish."),
	ROW(header,     "header",       NULL,   FLAG,    NULL, "Begin with the names of the columns."),
	ROW(timeout_ms, "timeout",      "S",    SECONDS, "60", "Give up after so long without an event."),
};
#undef ROW

struct watch {
	struct session session;
	const struct watch_options *options;
	struct accounts accounts;
	struct published published;
	bool is_colourful;
	int64_t finals;
	struct list shown_soon;
	struct loop_timer show;
};

struct event { struct list list; json_t *json; int64_t us; mono_t at; };

static bool is_wanted(const struct watch *w, const char *tenant)
{
	for (int i = 0; i < w->accounts.n; i++)
		if (!strcmp(w->accounts.at[i].tenant, tenant))
			return true;
	return w->accounts.n == 0;
}

static const char *text(const json_t *event, const char *key)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s ? s : "";
}

static const char *tail(const char *s, size_t n)
{
	return strlen(s) > n ? s + strlen(s) - n : s;
}

static const char *colour(const struct watch *w, const char *status)
{
	if (!w->is_colourful)
		return "";
	if (!strcmp(status, "accepted"))
		return "\033[32m";
	return strcmp(status, "failed") ? "\033[33m" : "\033[31m";
}

static void since_publish(struct watch *w, const char *id, int64_t now_us, char out[32])
{
	int64_t us = published_us(&w->published, id);

	if (us)
		snprintf(out, 32, "%" PRId64 " ms", (now_us - us) / 1000);
	else
		snprintf(out, 32, "-");
}

static void print_event(struct watch *w, const json_t *e, int64_t us)
{
	const char *status = text(e, "status"), *account = text(e, "account_id"), *reason = text(e, "reason");
	char now[32], ms[32];

	format_utc_ms(us / 1000, now);
	since_publish(w, text(e, "id"), us, ms);
	printf("%.12s  %-8s  %-12s  %s%-8s%s  %8s  %" JSON_INTEGER_FORMAT "x  %s\n", now + 11,
		*account ? account : text(e, "tenant_id"), text(e, "id"), colour(w, status), status, w->is_colourful ? "\033[0m" : "", ms,
		json_integer_value(json_object_get(e, "attempts")), *reason ? reason : tail(text(e, "wamid"), WAMID_SHOWN));
}

static bool is_final(const json_t *e)
{
	return !strcmp(text(e, "status"), "accepted") || !strcmp(text(e, "status"), "failed");
}

static void show(struct watch *w, struct event *e)
{
	print_event(w, e->json, e->us);
	w->finals += is_final(e->json);
	list_del(&e->list);
	json_decref(e->json);
	free(e);
	if (w->options->count && w->finals == w->options->count)
		session_end(&w->session, EX_OK);
}

static void on_show(void *arg)
{
	struct watch *w = arg;

	while (!list_is_empty(&w->shown_soon)) {
		struct event *e = CONTAINER_OF(w->shown_soon.next, struct event, list);

		if (mono_before(mono_now(), e->at)) {
			loop_timer_set_at(w->session.loop, &w->show, e->at);
			return;
		}
		show(w, e);
	}
}

static void show_soon(struct watch *w, json_t *json)
{
	struct event *e = mem_alloc(sizeof(*e));

	*e = (struct event){ .json = json, .us = wall_us(), .at = mono_add_ms(mono_now(), SHOW_AFTER_MS) };
	list_init(&e->list);
	list_add_tail(&w->shown_soon, &e->list);
	if (!loop_timer_is_set(&w->show))
		loop_timer_set_at(w->session.loop, &w->show, e->at);
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct watch *w = arg;
	json_t *e = d->body ? json_loadb(d->body, d->len, 0, NULL) : NULL;

	if (!w->options->queue)
		broker_ack(w->session.broker, d->tag);
	if (e && is_wanted(w, text(e, "tenant_id")))
		show_soon(w, e);
	else
		json_decref(e);
}

static void on_up(void *arg)
{
	(void)arg;
}

static void connect_broker(struct watch *w)
{
	char own[64];
	const char *own_name = own;
	const struct broker_declare topology[] = {
		{ .thing = BROKER_EXCHANGE, .name = w->options->exchange, .type = "topic" },
		{ .thing = BROKER_QUEUE, .name = own, .exclusive = true },
		{ .thing = BROKER_BINDING, .name = own, .exchange = w->options->exchange, .key = "#" },
	};
	struct broker_options options = { .n_queues = 1, .queues = &own_name, .topology = topology,
		.n_topology = ARRAY_LEN(topology) };

	snprintf(own, sizeof(own), "wamd-load.watch.%08" PRIx32, (uint32_t)rand_u64());
	if (w->options->queue) {
		options.queues = &w->options->queue;
		options.n_topology = 0;
	}
	session_connect(&w->session, w->options->url, &options);
}

int watch_main(int argc, char **argv)
{
	static const struct texts all = { 0 };
	struct watch_options o = { 0 };
	struct watch w = { .options = &o };
	int code;

	options_parse("watch", WATCH_HELP, rows, ARRAY_LEN(rows), &o, NULL, argc, argv);
	if (o.accounts)
		accounts_load(&w.accounts, o.accounts, &all, NULL);
	published_init(&w.published, o.published);
	w.is_colourful = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	setvbuf(stdout, NULL, _IOLBF, 4096);
	if (o.header)
		printf("%-12s  %-8s  %-12s  %-8s  %8s  %s  %s\n", "time (UTC)", "account", "id", "status", "after", "tries",
			"WAMID or reason");
	w.session = (struct session){ .patience_ms = o.timeout_ms, .on_up = on_up, .on_delivery = on_delivery, .arg = &w };
	session_start(&w.session);
	list_init(&w.shown_soon);
	loop_timer_init(&w.show, on_show, &w);
	connect_broker(&w);
	code = session_run(&w.session);
	while (!list_is_empty(&w.shown_soon))
		show(&w, CONTAINER_OF(w.shown_soon.next, struct event, list));
	loop_timer_stop(w.session.loop, &w.show);
	session_close(&w.session);
	published_release(&w.published);
	accounts_release(&w.accounts);
	return code;
}
