/*
 * feed - publishes with confirms and writes one line for each message the broker has taken.
 *
 * A message whose connection died unconfirmed is published again: the broker may have it twice then, the daemon's record
 * takes care of that, and so nothing that is in the out file is missing in the queue.
 */
#include "load/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/progress.h"
#include "base/str.h"
#include "load/generator.h"
#include "load/lines.h"
#include "load/session.h"

enum { WINDOW = 1000, UNWRITTEN_MAX = 4 << 20, TICK_MS = 2, BITE = 256 };

struct feed_options {
	const char *url, *accounts, *out, *prefix, *tenant, *envelope, *to, *on_unknown, *exchange, *key, *queue;
	struct texts account;
	int64_t count, rate, seed, body_bytes, priority, recipients, ttl_s, timeout_ms;
	bool twice, progress, from_stdin;
};

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct feed_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(url,        "url",         "URL",    TEXT,    "$AMQP_URL", "The broker."),
	ROW(accounts,   "accounts",    "FILE",   TEXT,    NULL, "JSON array of the accounts to send from, in turn."),
	ROW(account,    "account",     "ID",     TEXTS,   NULL, "Only this account (repeatable)."),
	ROW(tenant,     "tenant",      "ID",     TEXT,    NULL, "Only this tenant's accounts."),
	ROW(count,      "count",       "N",      COUNT,   "1",  "Messages to publish."),
	ROW(rate,       "rate",        "N",      COUNT,   "0",  "Messages per second; 0: as fast as they are confirmed."),
	ROW(out,        "out",         "FILE",   TEXT,    NULL, "Append a JSON line for every confirmed message."),
	ROW(prefix,     "prefix",      "TEXT",   TEXT,    NULL, "Start of the ids; without it, one that no other run has."),
	ROW(seed,       "seed",        "N",      COUNT,   "1",  "Start of the recipients' numbers."),
	ROW(to,         "to",          "+E164",  TEXT,    NULL, "First recipient; the next follow.  Without it, mixed ones."),
	ROW(recipients, "recipients",  "N",      COUNT,   "0",  "Different recipients; 0: one each."),
	ROW(body_bytes, "body-bytes",  "N",      COUNT,   "0",  "Shortest text."),
	ROW(priority,   "priority",    "0-10",   COUNT,   NULL, "Priority of the messages."),
	ROW(envelope,   "envelope",    "1|2|mix", TEXT,   "1",  "wamd's own form, or {metadata, wabaPayload}."),
	ROW(on_unknown, "on-unknown",  "POLICY", TEXT,    NULL, "at_least_once or at_most_once."),
	ROW(ttl_s,      "ttl-s",       "N",      COUNT,   "0",  "Life of each message in seconds."),
	ROW(twice,      "twice",       NULL,     FLAG,    NULL, "Publish every message twice."),
	ROW(from_stdin, "stdin",       NULL,     FLAG,    NULL, "Publish the messages described by JSON lines on standard input."),
	ROW(exchange,   "exchange",    "NAME",   TEXT,    "whatsapp", "Where to publish."),
	ROW(key,        "key",         "KEY",    TEXT,    "outbound", "Routing key."),
	ROW(queue,      "queue",       "NAME",   TEXT,    NULL, "Straight to this queue instead, which is declared."),
	ROW(progress,   "progress",    NULL,     FLAG,    NULL, "Show progress although standard error is no terminal."),
	ROW(timeout_ms, "timeout",     "S",      SECONDS, "60", "Give up after so long without progress."),
};
#undef ROW

struct feed {
	struct session session;
	const struct feed_options *options;
	struct accounts accounts;
	struct generator generator;
	struct lines input;
	int64_t line_number;
	FILE *out;
	struct progress progress;
	struct list again;			/* messages with copies due that had their turn */
	struct loop_hook fill;
	struct loop_timer tick;
	mono_t started;
	int64_t published;			/* for the rate: first copies */
	int64_t confirmed, returned;
	int unconfirmed, pending;		/* copies at the broker; messages not finished */
	bool input_waits, input_ended, is_stopping;
	int code;
};

/* ---- the out file ---- */

static void write_line(struct feed *f, const struct outgoing *o)
{
	if (!f->out)
		return;
	json_object_set_new(o->line, "t", json_real((double)o->published_us / 1e6));
	if (json_dumpf(o->line, f->out, JSON_COMPACT | JSON_REAL_PRECISION(16)) < 0 || fputc('\n', f->out) == EOF)
		fatal(EX_IOERR, "%s: %s", f->options->out, strerror(errno));
}

static void open_out(struct feed *f)
{
	if (!f->options->out)
		return;
	f->out = fopen(f->options->out, "ae");
	if (!f->out)
		fatal(EX_CANTCREAT, "%s: %s", f->options->out, strerror(errno));
	setvbuf(f->out, NULL, _IOLBF, 8192);	/* whole lines: others follow the file */
}

/* ---- where messages come from ---- */

static void give_up_input(struct feed *f, const char *why)
{
	fprintf(stderr, "wamd-load: standard input, line %" PRId64 ": %s\n", f->line_number, why);
	f->code = EX_DATAERR;
	f->input_ended = true;
}

static struct outgoing *from_line(struct feed *f, const char *line, size_t len)
{
	struct strbuf why = STRBUF_INIT;
	struct outgoing *o = outgoing_from_line(line, len, &why);

	f->line_number++;
	if (!o)
		give_up_input(f, why.buf);
	strbuf_release(&why);
	return o;
}

static struct outgoing *from_input(struct feed *f)
{
	const char *line;
	size_t len;

	if (f->input_ended)
		return NULL;
	switch (lines_next(&f->input, &line, &len)) {
	case LINES_LINE:
		return from_line(f, line, len);
	case LINES_NONE_YET:
		f->input_waits = true;
		return NULL;
	case LINES_END:
		f->input_ended = true;
		return lines_rest(&f->input, &line, &len) ? from_line(f, line, len) : NULL;
	case LINES_ERROR:
		give_up_input(f, "cannot be read");
		return NULL;
	}
	BUG("no such answer");
}

static struct outgoing *next_new(struct feed *f)
{
	struct outgoing *o;

	if (f->is_stopping)
		return NULL;
	o = f->options->from_stdin ? from_input(f) : generator_next(&f->generator);
	if (!o) {
		if (!f->options->from_stdin)
			f->input_ended = true;
		return NULL;
	}
	o->owner = f;
	o->due = f->options->twice ? 2 : 1;
	f->pending++;
	return o;
}

static bool rate_allows(const struct feed *f)
{
	int64_t us = mono_diff_us(mono_now(), f->started);

	/* The first at once, then one every 1/rate. */
	return !f->options->rate || f->published <= us * f->options->rate / 1000000;
}

/* ---- publishing ---- */

static void finish_when_done(struct feed *f)
{
	if ((f->input_ended || f->is_stopping) && !f->pending)
		session_end(&f->session, f->code);
}

static void stop_feeding(struct feed *f, int code)
{
	f->is_stopping = true;
	if (!f->code)
		f->code = code;
}

static void settle(struct feed *f, struct outgoing *o)
{
	write_line(f, o);
	f->confirmed++;
	f->pending--;
	progress_show(&f->progress, f->confirmed);
	outgoing_free(&o);
}

static void drop(struct feed *f, struct outgoing *o)
{
	f->pending--;
	outgoing_free(&o);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct outgoing *o = arg;
	struct feed *f = o->owner;

	o->unconfirmed--;
	f->unconfirmed--;
	switch (fate) {
	case BROKER_CONFIRMED:
		session_progress(&f->session);
		break;
	case BROKER_RETURNED:
		if (!f->returned++)
			fprintf(stderr, "wamd-load: returned: no queue gets what is published to exchange \"%s\" with key \"%s\"\n",
				f->options->exchange, f->options->key);
		stop_feeding(f, EX_UNAVAILABLE);
		json_decref(o->line);
		o->line = NULL;
		break;
	case BROKER_NACKED:
	case BROKER_LOST:
		o->due++;
		if (list_is_empty(&o->list))
			list_add_tail(&f->again, &o->list);
		return;
	}
	if (o->due || o->unconfirmed)
		return;
	if (o->line)
		settle(f, o);
	else
		drop(f, o);
}

/* One copy; false: not now. */
static bool publish(struct feed *f, struct outgoing *o)
{
	struct broker_publish p = { .exchange = f->options->exchange, .routing_key = f->options->key, .mandatory = true,
		.body = o->body, .len = o->len, .done = on_fate, .arg = o };

	outgoing_properties(o, &p.props);
	if (!o->published_us)
		f->published++;
	o->published_us = o->published_us ? o->published_us : wall_us();
	if (broker_publish(f->session.broker, &p) < 0)
		return false;
	o->due--;
	o->unconfirmed++;
	f->unconfirmed++;
	return true;
}

static bool has_room(const struct feed *f)
{
	return f->unconfirmed < WINDOW && broker_is_up(f->session.broker) && !broker_is_blocked(f->session.broker) &&
	       broker_unwritten(f->session.broker) < UNWRITTEN_MAX;
}

static struct outgoing *next_due(struct feed *f)
{
	if (!list_is_empty(&f->again))
		return CONTAINER_OF(f->again.next, struct outgoing, list);
	return rate_allows(f) ? next_new(f) : NULL;
}

static void on_turn(void *arg)
{
	struct feed *f = arg;

	f->input_waits = false;
	for (int i = 0; i < BITE && has_room(f); i++) {
		struct outgoing *o = next_due(f);

		if (!o)
			break;
		list_del(&o->list);
		if (!publish(f, o) || o->due)
			list_add_head(&f->again, &o->list);
	}
	if (f->input_waits && !f->pending)
		session_progress(&f->session);	/* the writer's time, not ours */
	progress_show(&f->progress, f->confirmed);
	finish_when_done(f);
}

/* Wakes the loop where no confirm would: the next message by rate, or by a slow writer at the other end of the pipe. */
static void on_tick(void *arg)
{
	struct feed *f = arg;

	loop_timer_set(f->session.loop, &f->tick, TICK_MS);
}

static void on_up(void *arg)
{
	struct feed *f = arg;

	if (!f->started.us)
		f->started = mono_now();
}

static void on_down(void *arg)
{
	struct feed *f = arg;

	if (!f->session.was_up || !strstr(f->session.trouble.buf, "(404)"))
		return;
	fprintf(stderr, "wamd-load: %s\n", f->session.trouble.buf);	/* no such exchange: it will not come by waiting */
	session_end(&f->session, EX_UNAVAILABLE);
}

static void on_stop(void *arg)
{
	struct feed *f = arg;
	struct list *l, *next;

	stop_feeding(f, session_signal_code(&f->session, 0));
	for (l = f->again.next; l != &f->again; l = next) {	/* what is not at the broker stays with us */
		struct outgoing *o = CONTAINER_OF(l, struct outgoing, list);

		next = l->next;
		o->due = 0;
		if (!o->unconfirmed)
			drop(f, o);
	}
}

/* ---- start ---- */

static enum envelope envelope_of(const char *s)
{
	if (!strcmp(s, "1"))
		return ENVELOPE_1;
	if (!strcmp(s, "2"))
		return ENVELOPE_2;
	if (strcmp(s, "mix"))
		usage_error("--envelope wants 1, 2 or mix, not \"%s\"", s);
	return ENVELOPE_MIX;
}

static void setup_generator(struct feed *f, const struct feed_options *o)
{
	struct generator *g = &f->generator;

	if (!o->accounts)
		usage_error("feed wants --accounts FILE or --stdin");
	accounts_load(&f->accounts, o->accounts, &o->account, o->tenant);
	*g = (struct generator){ .accounts = &f->accounts, .prefix = generator_prefix(o->prefix), .seed = (uint64_t)o->seed,
		.count = o->count, .recipients = o->recipients, .body_bytes = o->body_bytes, .priority = (int)o->priority,
		.envelope = envelope_of(o->envelope), .on_unknown = o->on_unknown, .ttl_s = o->ttl_s };
	if (o->to && (o->to[0] != '+' || !str_is_digits(o->to + 1) || parse_i64(o->to + 1, &g->to_base) < 0))
		usage_error("--to wants a number like +4915100000000, not \"%s\"", o->to);
}

static void connect_broker(struct feed *f, const struct feed_options *o)
{
	struct broker_declare queue = { .thing = BROKER_QUEUE, .name = o->queue, .max_priority = 10 };
	struct broker_options options = { .confirms = true, .topology = &queue, .n_topology = o->queue ? 1 : 0 };

	session_connect(&f->session, o->url, &options);
}

int feed_main(int argc, char **argv)
{
	struct feed_options o = { .priority = -1 };
	struct feed f = { .options = &o };
	int code;

	options_parse("feed", FEED_HELP, rows, ARRAY_LEN(rows), &o, NULL, argc, argv);
	if (o.queue) {
		o.exchange = "";
		o.key = o.queue;
	}
	if (o.priority > 255)
		usage_error("--priority is at most 255");
	list_init(&f.again);
	lines_init(&f.input, STDIN_FILENO);
	if (!o.from_stdin)
		setup_generator(&f, &o);
	open_out(&f);
	f.session = (struct session){ .patience_ms = o.timeout_ms, .on_up = on_up, .on_down = on_down, .on_stop = on_stop, .arg = &f };
	session_start(&f.session);
	progress_start(&f.progress, "feeding", o.from_stdin ? 0 : o.count, o.progress);
	loop_hook_init(&f.fill, on_turn, &f);
	loop_hook_add(f.session.loop, &f.fill);	/* before the broker's, which writes what we publish in this turn */
	connect_broker(&f, &o);
	loop_timer_init(&f.tick, on_tick, &f);
	if (o.rate || o.from_stdin)
		on_tick(&f);
	code = session_run(&f.session);
	session_close(&f.session);
	progress_end(&f.progress, f.confirmed);
	if (f.out && fclose(f.out) != 0)
		fatal(EX_IOERR, "%s: %s", o.out, strerror(errno));
	while (!list_is_empty(&f.again))
		drop(&f, CONTAINER_OF(f.again.next, struct outgoing, list));
	lines_release(&f.input);
	accounts_release(&f.accounts);
	free(o.account.at);
	return code;
}
