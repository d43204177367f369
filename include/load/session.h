/*
 * session - what every subcommand does beside its work: one loop, one broker connection, Ctrl-C, and a deadline.
 *
 * The deadline is one without progress: session_progress() moves it; when it passes, the subcommand ends with EX_TEMPFAIL
 * and the last trouble the broker connection had.  The owner embeds the struct; its callbacks get the owner's arg.
 */
#ifndef LOAD_SESSION_H
#define LOAD_SESSION_H

#include "base/loop.h"
#include "base/strbuf.h"
#include "io/broker.h"

struct session {
	struct loop *loop;
	struct broker *broker;
	struct loop_timer deadline;
	int64_t patience_ms;
	struct strbuf trouble;			/* the newest reason why the connection is not up */
	bool was_up;
	bool is_refused;
	int signo;				/* the first INT or TERM */
	void (*on_up)(void *arg);
	void (*on_down)(void *arg);		/* may be NULL */
	void (*on_delivery)(void *arg, const struct broker_delivery *d);	/* may be NULL */
	void (*on_stop)(void *arg);		/* INT, TERM; a second one ends at once.  NULL: the first does */
	void *arg;
};

void session_start(struct session *s);		/* loop, signals, deadline; the callbacks are set before */
/* One broker with our callbacks; url and what is not 0 in o is kept.  EX_USAGE when url is none. */
void session_connect(struct session *s, const char *url, const struct broker_options *o);
void session_progress(struct session *s);
void session_end(struct session *s, int code);	/* loop_stop */
int session_run(struct session *s);		/* until session_end() */
void session_disconnect(struct session *s);	/* between two runs: session_connect() may follow */
void session_close(struct session *s);
int session_signal_code(const struct session *s, int code);	/* code, or 128 + the signal that ended us */

#endif
