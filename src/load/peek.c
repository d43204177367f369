/*
 * peek, take - what is in a queue when we ask: its count first, then as many deliveries, printed one a line.
 *
 * peek acks nothing: the messages go back, in order, when the connection is closed; then it waits until they are there
 * again, so that whoever looks next sees them.  take acks what it has printed and asks the broker a question behind the
 * acks, so that they have arrived when it ends.
 */
#include "load/commands.h"

#include <inttypes.h>
#include <jansson.h>
#include <sysexits.h>

#include "load/delivery_json.h"
#include "load/options.h"
#include "load/session.h"

/* Behind the first answer no delivery is on its way to us any more, behind the second they are here, behind the third their
   nacks have arrived. */
enum { BARRIERS = 2 };
enum { TAKE_PREFETCH = 256, IDLE_MS = 3000, BACK_MS = 20, BODY_MAX = 64 << 20 };

struct peek_options { const char *url, *queue; int64_t max, timeout_ms; };

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct peek_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(url,        "url",     "URL",  TEXT,    "$AMQP_URL", "The broker."),
	ROW(queue,      "queue",   "NAME", TEXT,    NULL, "The queue."),
	ROW(max,        "max",     "N",    COUNT,   NULL, "At most so many messages."),
	ROW(timeout_ms, "timeout", "S",    SECONDS, "30", "Give up after so long without progress."),
};
#undef ROW

struct peek {
	struct session session;
	const struct peek_options *options;
	bool takes;
	struct loop_timer idle;		/* somebody else took what we were counting on; later: is it all back? */
	int64_t wanted, got;
	bool is_over, is_absent;
	int barriers;			/* take: questions asked since it was over */
	mono_t back_until;
};

static void on_counted(void *arg, int64_t ready);

static void count(struct peek *p)
{
	if (broker_count(p->session.broker, p->options->queue, on_counted, p) < 0)
		session_end(&p->session, EX_TEMPFAIL);
}

static void finish(struct peek *p)
{
	if (p->is_over)
		return;
	p->is_over = true;
	loop_timer_stop(p->session.loop, &p->idle);
	if (!p->takes || !p->got) {
		session_end(&p->session, EX_OK);
		return;
	}
	broker_pause(p->session.broker);
	count(p);
}

static void on_idle(void *arg)
{
	finish(arg);
}

static void begin(struct peek *p, int64_t ready)
{
	p->wanted = ready < p->options->max ? ready : p->options->max;
	if (!p->wanted) {
		finish(p);
		return;
	}
	broker_resume(p->session.broker);
	loop_timer_set(p->session.loop, &p->idle, IDLE_MS);
}

static void on_counted(void *arg, int64_t ready)
{
	struct peek *p = arg;

	if (ready == BROKER_NO_COUNT)
		return;		/* on_down has spoken */
	if (ready == BROKER_NO_QUEUE) {
		fprintf(stderr, "wamd-load: there is no queue %s\n", p->options->queue);
		p->is_absent = true;
		session_end(&p->session, EX_NOINPUT);
		return;
	}
	session_progress(&p->session);
	if (!p->is_over)
		begin(p, ready);
	else if (p->barriers++ < BARRIERS)
		count(p);
	else
		session_end(&p->session, EX_OK);
}

static void print(struct peek *p, const struct broker_delivery *d)
{
	json_t *o = delivery_json(d);

	if (json_dumpf(o, stdout, JSON_COMPACT) < 0 || putchar('\n') == EOF)
		session_end(&p->session, EX_IOERR);
	json_decref(o);
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct peek *p = arg;

	if (p->is_over) {
		if (p->takes)
			broker_nack(p->session.broker, d->tag);
		return;
	}
	print(p, d);
	if (p->takes)
		broker_ack(p->session.broker, d->tag);
	loop_timer_set(p->session.loop, &p->idle, IDLE_MS);
	if (++p->got == p->wanted)
		finish(p);
}

static void on_up(void *arg)
{
	count(arg);
}

static void on_down(void *arg)
{
	struct peek *p = arg;

	if (!p->session.was_up || p->session.is_refused || p->is_absent)
		return;
	fprintf(stderr, "wamd-load: the connection was lost: %s\n", p->session.trouble.buf);
	session_end(&p->session, EX_TEMPFAIL);
}

static int run(struct peek *p)
{
	struct broker_options options = { .queues = &p->options->queue, .n_queues = 1, .body_max = BODY_MAX,
		.prefetch = p->takes ? TAKE_PREFETCH : 0 };
	int code;

	session_connect(&p->session, p->options->url, &options);
	broker_pause(p->session.broker);	/* deliveries only after we have counted */
	code = session_run(&p->session);
	session_disconnect(&p->session);
	return code;
}

/* ---- after a peek: until all of it is back, or taken by others ---- */

static void on_back(void *arg, int64_t ready)
{
	struct peek *p = arg;

	if (ready < 0 || ready >= p->got || mono_before(p->back_until, mono_now()))
		session_end(&p->session, EX_OK);
	else
		loop_timer_set(p->session.loop, &p->idle, BACK_MS);
}

static void ask_back(void *arg)
{
	struct peek *p = arg;

	if (broker_count(p->session.broker, p->options->queue, on_back, p) < 0)
		session_end(&p->session, EX_OK);
}

static void wait_until_back(struct peek *p)
{
	static const struct broker_options no_queues = { 0 };

	p->session.on_up = ask_back;
	loop_timer_init(&p->idle, ask_back, p);
	p->back_until = mono_add_ms(mono_now(), IDLE_MS);
	session_connect(&p->session, p->options->url, &no_queues);
	session_run(&p->session);
	loop_timer_stop(p->session.loop, &p->idle);
	session_disconnect(&p->session);
}

static int peek_or_take(const char *name, const char *help, bool takes, int argc, char **argv)
{
	struct peek_options o = { .max = INT64_MAX };
	struct peek p = { .options = &o, .takes = takes };
	int code;

	options_parse(name, help, rows, ARRAY_LEN(rows), &o, NULL, argc, argv);
	if (!o.queue)
		usage_error("%s wants --queue NAME", name);
	p.session = (struct session){ .patience_ms = o.timeout_ms, .on_up = on_up, .on_down = on_down,
		.on_delivery = on_delivery, .arg = &p };
	session_start(&p.session);
	loop_timer_init(&p.idle, on_idle, &p);
	code = run(&p);
	loop_timer_stop(p.session.loop, &p.idle);
	if (fflush(stdout) != 0)
		code = EX_IOERR;
	if (!takes && p.got)
		wait_until_back(&p);
	session_close(&p.session);
	return code;
}

int peek_main(int argc, char **argv)
{
	return peek_or_take("peek", PEEK_HELP, false, argc, argv);
}

int take_main(int argc, char **argv)
{
	return peek_or_take("take", TAKE_HELP, true, argc, argv);
}
