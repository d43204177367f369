#include "io/http_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/http_notes.h"

/* The least that libcurl takes as a handle's buffers. */
#define SMALL_INPUT 1024L
#define SMALL_OUTPUT 16384L

struct http_place { int refs; bool is_https; CURLU *parsed; };

struct transfer {
	struct list list;		/* waiting, running or idle */
	struct http_client *client;
	CURL *easy;
	struct http_request req;	/* without url */
	struct http_headers *headers;
	struct http_place *place;
	struct curl_slist lines[HTTP_HEADERS_MAX];	/* the same, as libcurl wants to have them: into headers */
	char *url;			/* of a request without a place */
	struct strbuf answer;
	struct http_notes notes;
	bool truncated, in_multi, is_https;
	bool started, body_read;	/* PREREQ passed; libcurl took body bytes */
	int64_t len, at;		/* of the body */
	mono_t sent_at;
	char words[CURL_ERROR_SIZE];
};

struct http_client {
	struct loop *loop;
	struct http_client_options o;
	char *ca_file;
	struct http_headers *no_headers;
	CURLM *multi;
	struct loop_timer timer;
	struct loop_hook start;
	bool start_is_set, is_narrow;	/* few connections, because they carry many streams each */
	struct list waiting, running, idle;
	unsigned in_flight, in_multi;
};

/* One descriptor of libcurl's. */
struct watch { struct loop_io io; struct http_client *client; };

static void set(CURLcode code)
{
	if (code != CURLE_OK)
		BUG("curl_easy_setopt: %s", curl_easy_strerror(code));
}

void http_global_setup(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	if (code != CURLE_OK)
		fatal(EX_SOFTWARE, "libcurl: %s", curl_easy_strerror(code));
}

/* ---- what libcurl asks and tells during a transfer ---- */

/* A source that ends early must not end the body: the server would wait for the rest. */
static size_t read_body(struct transfer *t, char *to, size_t room)
{
	const struct http_source *source = t->req.source;
	ssize_t n = (ssize_t)room;

	if (source)
		n = source->read(source->arg, to, room);
	else
		memcpy(to, (const char *)t->req.body + t->at, room);
	return n > 0 && (size_t)n <= room ? (size_t)n : CURL_READFUNC_ABORT;
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	int64_t left = t->len - t->at;

	n *= size;
	if ((int64_t)n > left)
		n = (size_t)left;
	if (n == 0)
		return 0;
	n = read_body(t, to, n);
	if (n == CURL_READFUNC_ABORT)
		return n;
	t->at += (int64_t)n;
	if (!t->body_read && t->req.body_read)
		t->req.body_read(t->req.arg);
	t->body_read = true;
	if (t->at == t->len && t->req.spent)
		strbuf_release(t->req.spent);
	return n;
}

static bool is_loopback(const char *ip)
{
	return str_starts(ip, "127.") || strcmp(ip, "::1") == 0;
}

/* The connection stands and nothing of this request is on it.  A second call is libcurl's own retry: never. */
static int on_prereq(void *arg, char *ip, char *local_ip UNUSED, int port UNUSED, int local_port UNUSED)
{
	struct transfer *t = arg;

	if (t->started || (!t->is_https && !is_loopback(ip)))
		return CURL_PREREQFUNC_ABORT;
	if (t->req.may_start && !t->req.may_start(t->req.arg))
		return CURL_PREREQFUNC_ABORT;
	t->started = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t room = t->client->o.answer_max - t->answer.len;

	n *= size;
	t->truncated |= n > room;
	strbuf_add(&t->answer, data, n < room ? n : room);
	return n;
}

/* Of a Retry-After; -1: there is none, or it cannot be read. */
static int64_t seconds_until(const char *value)
{
	int64_t s, now = wall_ms() / 1000;

	if (str_is_digits(value))
		return parse_i64(value, &s) == 0 ? s : INT64_MAX;
	s = *value ? curl_getdate(value, NULL) : -1;
	return s < 0 ? -1 : s > now ? s - now : 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	http_notes_take(&t->notes, line, n * size);
	return n * size;
}

/* ---- the pool ---- */

static void configure(struct transfer *t)
{
	const struct http_client_options *o = &t->client->o;
	CURL *e = t->easy;

	set(curl_easy_setopt(e, CURLOPT_PRIVATE, t));
	set(curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
			     (long)(o->http_version == 11 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)));
	set(curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L));
	set(curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L));
	set(curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L));	/* or one silent DNS server holds up the loop */
	set(curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms));
	set(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, o->allow_plain ? "https,http" : "https"));
	set(curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L));
	set(curl_easy_setopt(e, CURLOPT_PROXY, ""));
	set(curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
	set(curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L));
	set(curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	set(curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L));
	set(curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L));
	if (t->client->ca_file)
		set(curl_easy_setopt(e, CURLOPT_CAINFO, t->client->ca_file));
	set(curl_easy_setopt(e, CURLOPT_BUFFERSIZE, o->small ? SMALL_INPUT : (long)CURL_MAX_WRITE_SIZE));
	set(curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, o->small ? SMALL_OUTPUT : 65536L));
	set(curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->words));
	set(curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read));	/* and no SEEKFUNCTION: a body is read once */
	set(curl_easy_setopt(e, CURLOPT_READDATA, t));
	set(curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write));
	set(curl_easy_setopt(e, CURLOPT_WRITEDATA, t));
	set(curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header));
	set(curl_easy_setopt(e, CURLOPT_HEADERDATA, t));
	set(curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_prereq));
	set(curl_easy_setopt(e, CURLOPT_PREREQDATA, t));
}

static struct transfer *transfer_new(struct http_client *c)
{
	struct transfer *t = mem_alloc(sizeof(*t));

	t->client = c;
	list_init(&t->list);
	strbuf_init(&t->answer);
	http_notes_init(&t->notes);
	t->easy = curl_easy_init();
	if (!t->easy)
		fatal(EX_OSERR, "out of memory");
	configure(t);
	return t;
}

static void transfer_free(struct transfer *t)
{
	curl_easy_cleanup(t->easy);
	free(t);
}

static struct transfer *take_idle(struct http_client *c)
{
	if (list_is_empty(&c->idle))
		return transfer_new(c);
	return CONTAINER_OF(list_pop(&c->idle), struct transfer, list);
}

/* Queries and answers about tokens have secrets in them.  No room is kept: for most of its time a request has no answer yet. */
static void put_idle(struct transfer *t)
{
	mem_free_secret(t->url);
	t->url = NULL;
	mem_wipe(t->answer.buf, t->answer.len);
	strbuf_release(&t->answer);
	http_notes_release(&t->notes);
	list_del(&t->list);
	list_add_head(&t->client->idle, &t->list);
}

/* ---- the end of a transfer ---- */

/* A request without a body has no such sure sign: bytes may be out as soon as it has its connection. */
static enum http_fate fate_of(const struct transfer *t, CURLcode code)
{
	if (code == CURLE_OK)
		return HTTP_ANSWERED;
	if (t->len > 0 ? t->body_read : t->started)
		return HTTP_UNKNOWN;
	return HTTP_NOT_SENT;
}

static int version_number(long v)
{
	return v == CURL_HTTP_VERSION_1_0 ? 10 : v == CURL_HTTP_VERSION_1_1 ? 11 : v >= CURL_HTTP_VERSION_2_0 ? 20 : 0;
}

/* libcurl's own text is better than the code's, unless it could repeat a query string. */
static const char *words_for(const struct transfer *t, CURLcode code)
{
	return t->words[0] && !strchr(t->words, '?') ? t->words : curl_easy_strerror(code);
}

static void describe(struct transfer *t, CURLcode code, struct http_result *r)
{
	curl_off_t connect = 0, tls = 0;
	long version = 0, connects = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connect);
	curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &tls);
	r->http_version = version_number(version);
	r->new_connection = connects > 0;
	r->connect_us = tls > connect ? tls : connect;
	r->why = code == CURLE_OK ? "" : words_for(t, code);
}

/* A server without HTTP/2 would leave us with a handful of connections for the whole window. */
static void widen(struct http_client *c, int http_version)
{
	if (!c->is_narrow || http_version == 0 || http_version >= 20)
		return;
	c->is_narrow = false;
	curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)c->o.window);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->o.window);
	log_notice("http_version", "the server speaks HTTP/1.1 only: one connection for each request under way");
}

static void finish(struct transfer *t, CURLcode code)
{
	struct http_client *c = t->client;
	struct http_result r = { .fate = fate_of(t, code), .curl_code = (int)code };

	describe(t, code, &r);
	if (r.fate != HTTP_ANSWERED)
		r.status = 0;
	r.body = t->answer.buf;
	r.len = t->answer.len;
	r.truncated = t->truncated;
	r.retry_after_s = seconds_until(http_note(&t->notes, NOTE_RETRY_AFTER));
	r.usage = http_note(&t->notes, NOTE_USAGE);
	r.trace = http_note(&t->notes, NOTE_TRACE);
	r.etag = http_note(&t->notes, NOTE_ETAG);
	r.elapsed_us = mono_diff_us(mono_now(), t->sent_at);
	if (r.fate == HTTP_ANSWERED)
		widen(c, r.http_version);
	list_del(&t->list);
	http_headers_unref(&t->headers);
	http_place_unref(&t->place);
	c->in_flight--;
	t->req.done(t->req.arg, &r);
	put_idle(t);
}

static void leave_multi(struct transfer *t)
{
	curl_multi_remove_handle(t->client->multi, t->easy);
	t->in_multi = false;
	t->client->in_multi--;
}

static void start_later(struct http_client *c)
{
	if (!c->start_is_set)
		loop_hook_add(c->loop, &c->start);
	c->start_is_set = true;
}

static void collect(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		CURLcode code = m->data.result;	/* m is gone with the handle */
		struct transfer *t;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		leave_multi(t);
		finish(t, code);
	}
	if (!list_is_empty(&c->waiting))
		start_later(c);
}

static void act(struct http_client *c, curl_socket_t fd, int what)
{
	int running;
	CURLMcode code = curl_multi_socket_action(c->multi, fd, what, &running);

	if (code != CURLM_OK)
		BUG("curl_multi_socket_action: %s", curl_multi_strerror(code));
	collect(c);
}

/* ---- libcurl in our loop ---- */

static void on_ready(void *arg, unsigned events)
{
	struct watch *w = arg;
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	act(w->client, w->io.fd, what);	/* w may be gone now */
}

static void on_time(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *watch_new(struct http_client *c, curl_socket_t fd)
{
	struct watch *w = mem_alloc(sizeof(*w));

	w->client = c;
	loop_io_init(&w->io, on_ready, w);
	curl_multi_assign(c->multi, fd, w);
	return w;
}

static int on_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_client *c = arg;
	struct watch *w = socket_arg;

	if (what == CURL_POLL_REMOVE) {
		if (w)
			loop_io_del(c->loop, &w->io);
		free(w);
		curl_multi_assign(c->multi, fd, NULL);
		return 0;
	}
	if (!w)
		w = watch_new(c, fd);
	if (fcntl(fd, F_GETFD) >= 0)	/* libcurl may tell of a socket it has closed already */
		loop_io_set(c->loop, &w->io, fd,
			    (what & CURL_POLL_IN ? LOOP_READ : 0U) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0U));
	return 0;
}

/* Only notes the time: acting from here would re-enter libcurl. */
static int on_timer(CURLM *multi UNUSED, long ms, void *arg)
{
	struct http_client *c = arg;

	if (ms < 0)
		loop_timer_stop(c->loop, &c->timer);
	else
		loop_timer_set(c->loop, &c->timer, ms);
	return 0;
}

/* ---- places ---- */

struct http_place *http_place_new(const char *url)
{
	struct http_place *p = mem_alloc(sizeof(*p));

	p->refs = 1;
	p->is_https = str_starts(url, "https:");
	p->parsed = curl_url();
	if (!p->parsed || curl_url_set(p->parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		BUG("an URL that was checked with the configuration");
	return p;
}

void http_place_unref(struct http_place **pp)
{
	struct http_place *p = *pp;

	*pp = NULL;
	if (!p || --p->refs > 0)
		return;
	curl_url_cleanup(p->parsed);
	free(p);
}

/* ---- the start of a transfer ---- */

static bool is_plain_method(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "GET") == 0;
}

static bool has_body(const char *method)
{
	return strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0;
}

static struct curl_slist *link_lines(struct transfer *t)
{
	for (int i = 0; i < t->headers->n; i++)
		t->lines[i] = (struct curl_slist){ t->headers->lines[i], i + 1 < t->headers->n ? &t->lines[i + 1] : NULL };
	return t->lines;
}

static void prepare(struct transfer *t, int64_t timeout_ms)
{
	CURL *e = t->easy;

	set(curl_easy_setopt(e, CURLOPT_CURLU, t->place ? t->place->parsed : NULL));
	if (!t->place)
		set(curl_easy_setopt(e, CURLOPT_URL, t->url));
	set(curl_easy_setopt(e, CURLOPT_HTTPHEADER, link_lines(t)));
	set(curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms));
	set(curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, is_plain_method(t->req.method) ? NULL : t->req.method));
	if (has_body(t->req.method)) {
		set(curl_easy_setopt(e, CURLOPT_POST, 1L));
		set(curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->len));
	} else {
		set(curl_easy_setopt(e, CURLOPT_HTTPGET, 1L));
	}
}

static void start(struct transfer *t)
{
	struct http_client *c = t->client;
	int64_t left = t->req.timeout_ms - mono_diff_ms(mono_now(), t->sent_at);
	CURLMcode code;

	if (left <= 0) {
		finish(t, CURLE_OPERATION_TIMEDOUT);
		return;
	}
	prepare(t, left);
	code = curl_multi_add_handle(c->multi, t->easy);
	if (code != CURLM_OK)
		BUG("curl_multi_add_handle: %s", curl_multi_strerror(code));
	list_del(&t->list);
	list_add_tail(&c->running, &t->list);
	t->in_multi = true;
	c->in_multi++;
}

static void on_start(void *arg)
{
	struct http_client *c = arg;

	loop_hook_del(&c->start);
	c->start_is_set = false;
	while (!list_is_empty(&c->waiting) && c->in_multi < (unsigned)c->o.window)
		start(CONTAINER_OF(c->waiting.next, struct transfer, list));
	/* libcurl has set its timer to "now": all set out together in the next turn, and none can end in here. */
}

void http_send(struct http_client *c, const struct http_request *r)
{
	struct transfer *t = take_idle(c);

	t->req = *r;
	t->req.url = NULL;		/* the copy counts */
	t->place = r->place;
	if (t->place)
		t->place->refs++;
	else
		t->url = mem_strdup(r->url);
	t->is_https = t->place ? t->place->is_https : str_starts(r->url, "https:");
	t->headers = http_headers_ref(r->headers ? r->headers : c->no_headers);
	t->truncated = t->started = t->body_read = false;
	t->len = r->source ? r->source->len : (int64_t)r->len;
	t->at = 0;
	t->words[0] = 0;
	t->sent_at = mono_now();
	list_add_tail(&c->waiting, &t->list);
	c->in_flight++;
	start_later(c);
}

/* ---- the contract ---- */

static long connections_wanted(const struct http_client_options *o)
{
	return o->http_version == 11 ? o->window : (o->window + o->streams - 1) / o->streams;
}

struct http_client *http_client_new(struct loop *l, const struct http_client_options *o)
{
	struct http_client *c = mem_alloc(sizeof(*c));

	c->loop = l;
	c->o = *o;
	c->o.window = o->window ? o->window : 100;
	c->o.streams = o->streams ? o->streams : 100;
	c->o.connect_ms = o->connect_ms ? o->connect_ms : 3000;
	c->o.answer_max = o->answer_max ? o->answer_max : 256 << 10;
	c->ca_file = mem_strdup(o->ca_file);
	c->no_headers = http_headers_new(NULL, 0);
	c->is_narrow = o->http_version != 11;
	list_init(&c->waiting);
	list_init(&c->running);
	list_init(&c->idle);
	loop_timer_init(&c->timer, on_time, c);
	loop_hook_init(&c->start, on_start, c);
	c->multi = curl_multi_init();
	if (!c->multi)
		fatal(EX_OSERR, "curl_multi_init: out of memory");
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)c->o.streams);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections_wanted(&c->o));
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, 2 * connections_wanted(&c->o) + 2);
	return c;
}

static void abort_all(struct list *head)
{
	while (!list_is_empty(head)) {
		struct transfer *t = CONTAINER_OF(head->next, struct transfer, list);

		if (t->in_multi)
			leave_multi(t);
		strbuf_reset(&t->answer);
		memcpy(t->words, "given up", sizeof("given up"));
		finish(t, CURLE_ABORTED_BY_CALLBACK);
	}
}

void http_client_free(struct http_client **cp)
{
	struct http_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	abort_all(&c->running);
	abort_all(&c->waiting);
	loop_timer_stop(c->loop, &c->timer);
	if (c->start_is_set)
		loop_hook_del(&c->start);
	while (!list_is_empty(&c->idle)) {
		struct transfer *t = CONTAINER_OF(list_pop(&c->idle), struct transfer, list);

		transfer_free(t);
	}
	curl_multi_cleanup(c->multi);	/* closes connections: on_socket and on_timer still run */
	loop_timer_stop(c->loop, &c->timer);
	http_headers_unref(&c->no_headers);
	free(c->ca_file);
	free(c);
}

unsigned http_in_flight(const struct http_client *c)
{
	return c->in_flight;
}
