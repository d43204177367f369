/* depth - asks queue after queue; one that is not there costs the connection, and the next goes on with a new one. */
#include "load/commands.h"

#include <inttypes.h>
#include <jansson.h>
#include <sysexits.h>

#include "load/options.h"
#include "load/session.h"

struct depth_options { const char *url; struct texts queue; int64_t timeout_ms; };

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct depth_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(url,        "url",     "URL",  TEXT,    "$AMQP_URL", "The broker."),
	ROW(queue,      "queue",   "NAME", TEXTS,   NULL, "A queue (repeatable; also without --queue)."),
	ROW(timeout_ms, "timeout", "S",    SECONDS, "30", "Give up after so long without an answer."),
};
#undef ROW

struct depth { struct session session; const struct texts *queues; int at; json_t *found; };

static void ask(struct depth *d);

static void on_counted(void *arg, int64_t ready)
{
	struct depth *d = arg;

	if (ready == BROKER_NO_COUNT)
		return;		/* asked again when the connection is back */
	session_progress(&d->session);
	json_object_set_new(d->found, d->queues->at[d->at++], ready == BROKER_NO_QUEUE ? json_null() : json_integer(ready));
	if (ready != BROKER_NO_QUEUE || d->at == d->queues->n)
		ask(d);
}

static void ask(struct depth *d)
{
	if (d->at == d->queues->n)
		session_end(&d->session, EX_OK);
	else if (broker_count(d->session.broker, d->queues->at[d->at], on_counted, d) < 0)
		session_end(&d->session, EX_TEMPFAIL);
}

static void on_up(void *arg)
{
	ask(arg);
}

int depth_main(int argc, char **argv)
{
	static const struct broker_options no_queues = { 0 };
	struct depth_options o = { 0 };
	struct depth d = { .queues = &o.queue, .found = json_object() };
	int code;

	options_parse("depth", DEPTH_HELP, rows, ARRAY_LEN(rows), &o, &o.queue, argc, argv);
	if (!o.queue.n)
		usage_error("depth wants --queue NAME");
	d.session = (struct session){ .patience_ms = o.timeout_ms, .on_up = on_up, .arg = &d };
	session_start(&d.session);
	session_connect(&d.session, o.url, &no_queues);
	code = session_run(&d.session);
	session_close(&d.session);
	if (code == EX_OK && (json_dumpf(d.found, stdout, 0) < 0 || putchar('\n') == EOF || fflush(stdout) != 0))
		code = EX_IOERR;
	json_decref(d.found);
	free(o.queue.at);
	return code;
}
