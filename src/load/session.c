#include "load/session.h"

#include <errno.h>
#include <sysexits.h>

#include "load/options.h"

static void complain(const struct session *s, const char *what)
{
	fprintf(stderr, "wamd-load: %s%s%s\n", what, s->trouble.len ? ": " : "", s->trouble.buf);
}

static void on_deadline(void *arg)
{
	struct session *s = arg;
	bool is_up = s->broker && broker_is_up(s->broker);

	if (s->broker && broker_is_blocked(s->broker))
		strbuf_setf(&s->trouble, "the broker blocks publishers (memory or disk alarm)");
	else if (is_up)
		strbuf_reset(&s->trouble);
	complain(s, is_up ? "gave up: nothing moved before the deadline" : "gave up: no connection to the broker");
	session_end(s, EX_TEMPFAIL);
}

static void on_signal(void *arg, int signo)
{
	struct session *s = arg;
	bool again = s->signo != 0;

	if (!again)
		s->signo = signo;
	if (again || !s->on_stop)
		session_end(s, 128 + signo);
	else
		s->on_stop(s->arg);
}

void session_start(struct session *s)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	strbuf_init(&s->trouble);
	s->loop = loop_new();
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	loop_signals(s->loop, &set, on_signal, s);
	loop_timer_init(&s->deadline, on_deadline, s);
	session_progress(s);
}

static void on_up(void *arg)
{
	struct session *s = arg;

	s->was_up = true;
	s->on_up(s->arg);
}

static void on_down(void *arg, const char *why)
{
	struct session *s = arg;

	strbuf_setf(&s->trouble, "%s", why);
	if (s->on_down)
		s->on_down(s->arg);
}

static void on_refused(void *arg, const char *why)
{
	struct session *s = arg;

	strbuf_setf(&s->trouble, "%s", why);
	s->is_refused = true;
	complain(s, "the broker refuses");
	session_end(s, EX_UNAVAILABLE);
}

static void on_delivery(void *arg, const struct broker_delivery *d)
{
	struct session *s = arg;

	session_progress(s);
	if (s->on_delivery)
		s->on_delivery(s->arg, d);
}

void session_connect(struct session *s, const char *url, const struct broker_options *o)
{
	struct broker_callbacks cb = { .up = on_up, .down = on_down, .refused = on_refused, .delivery = on_delivery };
	struct broker_options options = *o;
	struct strbuf why = STRBUF_INIT;

	if (broker_url_check(url, &why) < 0)
		usage_error("--url: %s", why.buf);
	strbuf_release(&why);
	options.urls = &url;
	options.n_urls = 1;
	options.connection_name = "wamd-load";
	options.backoff_min_ms = 50;
	options.backoff_max_ms = 1000;
	options.heartbeat_s = 20;
	s->broker = broker_new(s->loop, &options, &cb, s);
}

void session_progress(struct session *s)
{
	loop_timer_set(s->loop, &s->deadline, s->patience_ms);
}

void session_end(struct session *s, int code)
{
	loop_stop(s->loop, code);
}

int session_run(struct session *s)
{
	return loop_run(s->loop);
}

void session_disconnect(struct session *s)
{
	broker_free(&s->broker);
	s->was_up = false;
}

void session_close(struct session *s)
{
	loop_timer_stop(s->loop, &s->deadline);
	broker_free(&s->broker);
	loop_free(&s->loop);
	strbuf_release(&s->trouble);
}

int session_signal_code(const struct session *s, int code)
{
	return s->signo ? 128 + s->signo : code;
}
