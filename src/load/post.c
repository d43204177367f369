/*
 * post - lines of a file, or texts from accounts in turn, as bodies of HTTP POSTs over connections that are kept, as fast as they are
 * answered or at a rate.
 *
 * All requests are made before the first one goes out, with their signatures: what is measured is the server.  At a rate, a request's time
 * begins when it was due, not when a connection was free: a server that stands still shows in every request that should have been there.
 */
#include "load/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/stream.h"
#include "io/url.h"
#include "load/generator.h"
#include "load/lines.h"
#include "load/options.h"
#include "load/session.h"
#include "load/times.h"

enum { TICK_MS = 1, READ_SIZE = 65536, ANSWER_MAX = 16 << 20, CONNECTIONS_MAX = 20000 };

struct post_options {
	const char *to, *lines, *accounts, *prefix, *out, *sign;
	struct texts headers;
	int64_t count, connections, rate, timeout_ms, p95_ms, may_fail;
};

#define ROW(member, name, arg, kind, deflt, help) OPTION(struct post_options, member, name, arg, OPTION_##kind, deflt, help)
static const struct option_row rows[] = {
	ROW(to,          "to",          "URL",    TEXT,    NULL, "Where to: http://ADDRESS:PORT/PATH."),
	ROW(lines,       "lines",       "FILE",   TEXT,    NULL, "The bodies, one a line."),
	ROW(accounts,    "accounts",    "FILE",   TEXT,    NULL, "Instead of them: texts from these accounts in turn, each with its tenant's key."),
	ROW(count,       "count",       "N",      COUNT,   "1",  "How many texts."),
	ROW(prefix,      "prefix",      "TEXT",   TEXT,    NULL, "Start of their ids; without it, one that no other run has."),
	ROW(out,         "out",         "FILE",   TEXT,    NULL, "Append a line for each text that was taken."),
	ROW(headers,     "header",      "TEXT",   TEXTS,   NULL, "\"Name: value\" for each request; may be given more than once."),
	ROW(sign,        "sign",        "FILE",   TEXT,    NULL, "Sign each as Meta does, with the app secret in this file's first line."),
	ROW(connections, "connections", "N",      COUNT,   "16", "Connections, each with one request at a time."),
	ROW(rate,        "rate",        "N",      COUNT,   "0",  "Requests a second; 0: as fast as they are answered."),
	ROW(timeout_ms,  "timeout",     "S",      SECONDS, "30", "Give up after so long without an answer."),
	ROW(p95_ms,      "p95",         "S",      SECONDS, "0",  "The exit status is 65 when 95 % of the answers are not within it; 0: whatever they take."),
	ROW(may_fail,    "may-fail",    "N",      COUNT,   "0",  "So many may fail before the exit status is 65."),
};
#undef ROW

struct request { struct strbuf data; struct outgoing *text; mono_t due; };	/* text NULL: a line */

struct conn {
	struct list list;		/* those without a request */
	struct poster *p;
	struct stream *stream;
	bool is_open;
	struct request *r;		/* NULL: none */
	size_t written;
	struct strbuf in;
};

struct poster {
	struct session session;
	const struct post_options *options;
	struct addresses to;
	struct url url;
	struct request *requests;
	int64_t n, next, released, done, good, lost;
	struct conn *conns;
	struct list idle;
	struct accounts accounts;
	FILE *out;
	struct times times;
	struct loop_timer tick;
	mono_t started, ended;
};

/* ---- requests ---- */

static void sign(struct hmac *h, const char *body, size_t len, struct strbuf *head)
{
	uint8_t mac[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	hmac_parts(h, &(struct crypto_part){ body, len }, 1, mac);
	hex_encode(mac, sizeof(mac), hex);
	strbuf_addf(head, "X-Hub-Signature-256: sha256=%s\r\n", hex);
}

static struct request *add_request(struct poster *p, struct hmac *h, const char *key, const char *body, size_t len)
{
	struct request *r;

	p->requests = mem_grow(p->requests, (size_t)p->n + 1, sizeof(*p->requests));
	r = &p->requests[p->n++];
	*r = (struct request){ .data = STRBUF_INIT };
	strbuf_addf(&r->data, "POST /%s%s%s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
		    p->url.path ? p->url.path : "", p->url.query ? "?" : "", p->url.query ? p->url.query : "", p->url.host, p->url.port, len);
	for (int i = 0; i < p->options->headers.n; i++)
		strbuf_addf(&r->data, "%s\r\n", p->options->headers.at[i]);
	if (key)
		strbuf_addf(&r->data, "Authorization: Bearer %s\r\n", key);
	if (h)
		sign(h, body, len, &r->data);
	strbuf_adds(&r->data, "\r\n");
	strbuf_add(&r->data, body, len);
	return r;
}

static int open_file(const char *path, struct lines *l)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		usage_error("cannot read %s", path);
	lines_init(l, fd);
	return fd;
}

static struct hmac *signer(const char *path)
{
	struct lines l;
	int fd = open_file(path, &l);
	const char *line;
	struct hmac *h;
	size_t len;

	if (lines_next(&l, &line, &len) != LINES_LINE || !len)
		usage_error("%s: its first line is no app secret", path);
	h = hmac_new(line, len);
	lines_release(&l);
	close(fd);
	return h;
}

static void read_requests(struct poster *p, struct hmac *h)
{
	struct lines l;
	int fd = open_file(p->options->lines, &l);
	const char *line;
	size_t len;

	while (lines_next(&l, &line, &len) == LINES_LINE)
		if (len)
			add_request(p, h, NULL, line, len);
	if (lines_rest(&l, &line, &len))
		add_request(p, h, NULL, line, len);
	lines_release(&l);
	close(fd);
	if (!p->n)
		usage_error("%s has no line", p->options->lines);
}

/* The text stays for the line that is written when it is taken. */
static void make_texts(struct poster *p, struct hmac *h)
{
	static const struct texts all = { 0 };
	const struct post_options *o = p->options;
	struct generator g = { .accounts = &p->accounts, .prefix = generator_prefix(o->prefix), .count = o->count, .priority = -1 };
	struct outgoing *text;

	accounts_load(&p->accounts, o->accounts, &all, NULL);
	for (int i = 0; i < p->accounts.n; i++)
		if (!p->accounts.at[i].api_key[0])
			usage_error("%s: account %s has no api_key", o->accounts, p->accounts.at[i].id);
	while ((text = generator_next(&g))) {
		const struct account *a = &p->accounts.at[(g.made - 1) % p->accounts.n];

		add_request(p, h, a->api_key, text->body, text->len)->text = text;
	}
}

static void make_requests(struct poster *p)
{
	struct hmac *h = p->options->sign ? signer(p->options->sign) : NULL;

	if (p->options->lines)
		read_requests(p, h);
	else
		make_texts(p, h);
	hmac_free(&h);
}

static void open_out(struct poster *p, const char *path)
{
	if (path && !(p->out = fopen(path, "ae")))
		fatal(EX_CANTCREAT, "%s: %s", path, strerror(errno));
}

static void write_line(struct poster *p, const struct request *r)
{
	if (!p->out || !r->text)
		return;
	json_object_set_new(r->text->line, "t", json_real((double)(wall_us() - mono_diff_us(mono_now(), r->due)) / 1e6));
	if (json_dumpf(r->text->line, p->out, JSON_COMPACT | JSON_REAL_PRECISION(16)) < 0 || fputc('\n', p->out) == EOF)
		fatal(EX_IOERR, "%s: %s", p->options->out, strerror(errno));
}

/* ---- connections ---- */

static void connect_one(struct conn *c);
static void work(struct poster *p);

static void finish_one(struct conn *c, bool is_good)
{
	struct poster *p = c->p;

	times_add(&p->times, mono_diff_us(mono_now(), c->r->due));
	p->done++;
	p->good += is_good;
	if (is_good)
		write_line(p, c->r);
	c->r = NULL;
	session_progress(&p->session);
	if (p->done == p->n) {
		p->ended = mono_now();
		session_end(&p->session, EX_OK);
	}
}

/* A server may close what is kept; a request that had no answer by then is lost, and not sent again. */
static void broken(struct conn *c, const char *why)
{
	struct poster *p = c->p;

	stream_free(&c->stream);
	c->is_open = false;
	strbuf_reset(&c->in);
	strbuf_setf(&p->session.trouble, "%s", why);
	if (c->r) {
		p->lost++;
		finish_one(c, false);
	} else {
		list_del(&c->list);
	}
	if (p->done < p->n)
		connect_one(c);
}

static int write_some(struct conn *c, struct strbuf *why)
{
	const struct strbuf *data = &c->r->data;
	ssize_t n = 1;

	while (c->written < data->len && n > 0) {
		n = stream_write(c->stream, data->buf + c->written, data->len - c->written, why);
		if (n < 0)
			return -1;
		c->written += (size_t)n;
	}
	stream_want_write(c->stream, c->written < data->len);
	return 0;
}

/* The whole answer's length; 0: not known yet, -1: it is none. */
static int64_t answer_length(const struct strbuf *in)
{
	const char *end = in->len ? strstr(in->buf, "\r\n\r\n") : NULL, *field;
	char digits[20];
	int64_t len;

	if (!end)
		return in->len > READ_SIZE ? -1 : 0;
	field = strcasestr(in->buf, "\r\ncontent-length:");
	if (!str_starts(in->buf, "HTTP/1.1 ") || !field || field > end)
		return -1;
	field += strlen("\r\ncontent-length:");
	field += strspn(field, " ");
	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(field, "0123456789"), field);
	if (parse_i64(digits, &len) < 0 || len > ANSWER_MAX)
		return -1;
	return end + 4 - in->buf + len;
}

static bool says_close(const struct strbuf *in)
{
	const char *field = strcasestr(in->buf, "\r\nconnection: close");

	return field && field < strstr(in->buf, "\r\n\r\n");
}

static int take_answer(struct conn *c, struct strbuf *why)
{
	int64_t len = answer_length(&c->in);
	bool closes;

	if (len < 0)
		return why_set(why, "no answer in HTTP/1.1 with a length");
	if (!len || c->in.len < (size_t)len)
		return 0;
	if (!c->r)
		return why_set(why, "an answer to nothing");
	closes = says_close(&c->in);
	finish_one(c, c->in.buf[9] == '2');
	strbuf_drop_front(&c->in, (size_t)len);
	list_add_tail(&c->p->idle, &c->list);
	return closes ? why_set(why, "closed by the server") : 0;
}

static int read_some(struct conn *c, struct strbuf *why)
{
	char buf[READ_SIZE];
	bool eof;
	ssize_t n;

	while ((n = stream_read(c->stream, buf, sizeof(buf), &eof, why)) > 0)
		strbuf_add(&c->in, buf, (size_t)n);
	if (c->in.len && take_answer(c, why) < 0)
		return -1;
	return n < 0 ? -1 : 0;
}

static void on_ready(void *arg)
{
	struct conn *c = arg;
	struct poster *p = c->p;
	struct strbuf why = STRBUF_INIT;

	if (read_some(c, &why) < 0 || (c->r && c->written < c->r->data.len && write_some(c, &why) < 0))
		broken(c, why.buf);
	strbuf_release(&why);
	work(p);
}

static void on_open(void *arg)
{
	struct conn *c = arg;

	c->is_open = true;
	list_add_tail(&c->p->idle, &c->list);
	work(c->p);
}

static void on_failed(void *arg, const char *why)
{
	struct conn *c = arg;

	fprintf(stderr, "wamd-load: %s: %s\n", c->p->options->to, why);
	session_end(&c->p->session, EX_UNAVAILABLE);
}

static void connect_one(struct conn *c)
{
	static const struct stream_callbacks callbacks = { on_open, on_ready, on_failed };
	struct strbuf why = STRBUF_INIT;

	c->stream = stream_new(c->p->session.loop, &c->p->to.at[0], c->p->url.host, NULL, &callbacks, c, &why);
	if (!c->stream)
		on_failed(c, why.buf);
	strbuf_release(&why);
}

/* ---- when ---- */

static void begin(struct conn *c, struct request *r)
{
	struct strbuf why = STRBUF_INIT;

	list_del(&c->list);
	c->r = r;
	c->written = 0;
	if (write_some(c, &why) < 0)
		broken(c, why.buf);
	strbuf_release(&why);
}

/* Those that are due go out on connections that are free. */
static void work(struct poster *p)
{
	mono_t now = mono_now();
	int64_t due = p->n;

	if (p->options->rate)
		due = mono_diff_us(now, p->started) * p->options->rate / 1000000 + 1;
	for (; p->released < due && p->released < p->n; p->released++) {
		p->requests[p->released].due = now;
		if (p->options->rate)
			p->requests[p->released].due.us = p->started.us + p->released * 1000000 / p->options->rate;
	}
	while (p->next < p->released && !list_is_empty(&p->idle)) {
		struct request *r = &p->requests[p->next++];

		if (!p->options->rate)
			r->due = now;
		begin(CONTAINER_OF(p->idle.next, struct conn, list), r);
	}
}

static void on_tick(void *arg)
{
	struct poster *p = arg;

	work(p);
	if (p->options->rate && p->released < p->n)
		loop_timer_set(p->session.loop, &p->tick, TICK_MS);
}

/* ---- the whole ---- */

/* Whether it is as it was wanted. */
static bool report(struct poster *p)
{
	const struct post_options *want = p->options;
	double seconds = (double)mono_diff_us(p->ended, p->started) / 1e6;
	json_t *o = json_pack("{s:I, s:I, s:I, s:f, s:f, s:o}", "requests", (json_int_t)p->n, "good", (json_int_t)p->good, "lost",
			      (json_int_t)p->lost, "seconds", seconds, "per_second", (double)p->n / seconds, "ms", times_json(&p->times));
	double p95_ms = json_real_value(json_object_get(json_object_get(o, "ms"), "p95"));

	json_dumpf(o, stdout, JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(o);
	return p->n - p->good <= want->may_fail && (!want->p95_ms || p95_ms < (double)want->p95_ms);
}

static void release(struct poster *p)
{
	for (int64_t i = 0; i < p->options->connections; i++) {
		stream_free(&p->conns[i].stream);
		strbuf_release(&p->conns[i].in);
	}
	for (int64_t i = 0; i < p->n; i++) {
		strbuf_release(&p->requests[i].data);
		outgoing_free(&p->requests[i].text);
	}
	if (p->out && fclose(p->out) == EOF)
		fatal(EX_IOERR, "%s: %s", p->options->out, strerror(errno));
	accounts_release(&p->accounts);
	free(p->conns);
	free(p->requests);
	times_release(&p->times);
	url_release(&p->url);
}

static void check_options(struct poster *p)
{
	const struct post_options *o = p->options;
	struct strbuf why = STRBUF_INIT;

	if (!o->to || !o->lines == !o->accounts)
		usage_error("post wants --to and one of --lines and --accounts");
	if (o->accounts && !o->count)
		usage_error("--count is at least 1");
	if (url_parse(o->to, &p->url, &why) < 0)
		usage_error("--to: %s", why.buf);
	if (strcmp(p->url.scheme, "http") != 0 || !p->url.port || !resolve_numeric(p->url.host, p->url.port, &p->to))
		usage_error("--to wants http://ADDRESS:PORT/PATH");
	if (!o->connections || o->connections > CONNECTIONS_MAX)
		usage_error("--connections is 1 to %d", CONNECTIONS_MAX);
	strbuf_release(&why);
}

int post_main(int argc, char **argv)
{
	struct post_options o = { 0 };
	struct poster p = { .options = &o };
	bool is_good = false;
	int code;

	options_parse("post", POST_HELP, rows, ARRAY_LEN(rows), &o, NULL, argc, argv);
	check_options(&p);
	make_requests(&p);
	open_out(&p, o.out);
	list_init(&p.idle);
	p.session = (struct session){ .patience_ms = o.timeout_ms, .arg = &p };
	session_start(&p.session);
	p.conns = mem_array((size_t)o.connections, sizeof(*p.conns));
	p.started = mono_now();
	for (int64_t i = 0; i < o.connections; i++) {
		p.conns[i] = (struct conn){ .p = &p, .in = STRBUF_INIT };
		connect_one(&p.conns[i]);
	}
	loop_timer_init(&p.tick, on_tick, &p);
	loop_timer_set(p.session.loop, &p.tick, 0);
	code = session_run(&p.session);
	if (p.done == p.n)
		is_good = report(&p);
	loop_timer_stop(p.session.loop, &p.tick);
	release(&p);
	session_close(&p.session);
	return code == EX_OK && !is_good ? EX_DATAERR : code;
}
