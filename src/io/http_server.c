#include "io/http_server.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "io/http_waits.h"
#include "io/http_server_inside.h"

enum {
	SLOW_MS = 15000,
	HEADERS_MAX = 8,
	ACCEPTS = 8,			/* a wake-up */
	NO_FD_PAUSE_MS = 100,		/* out of descriptors, the listener stays readable: look away for a while */
	CONNECTION_MEMORY = 131072,	/* an operator may put a whole text into a query */
	CONNECTIONS = 64,
	LEAVING = 64,			/* those that were cut, and that libmicrohttpd still counts */
};

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	size_t body_max;
	http_on_call_f *on_call;
	http_on_upload_f *on_upload;
	void *arg;
	struct loop_io inner;		/* libmicrohttpd's own epoll */
	struct listener *listeners;
	int n_listeners;
	struct loop_timer work, look_again;
	struct list calls;
	struct http_waits waits;
	int per_uid_max;
	struct log_limit refusals;
};

struct listener { struct http_server *server; struct loop_io io; int fd; };

/* CALL(ident, what it means) */
enum call_state {
	READING,			/* the body */
	ASKED,				/* on_call has it, we are inside its callback or suspended */
	ANSWERED,			/* response is there, to be queued */
	DEAD,				/* the client has gone; to be closed */
};

struct http_call {
	struct list list;
	struct http_server *server;
	struct MHD_Connection *connection;
	enum call_state state;
	bool suspended, has_sink;
	char *method, *path;
	struct strbuf body;
	struct http_sink sink;		/* in place of body */
	int64_t sunk;
	struct { char *name, *value; } headers[HEADERS_MAX];	/* of the answer */
	int n_headers;
	struct MHD_Response *response;
	int status;
	void (*gone)(void *arg);
	void *gone_arg;
	struct loop_io peer;		/* while suspended: has the client gone? */
};

static void work_soon(struct http_server *s)
{
	loop_timer_set(s->loop, &s->work, 0);
}

static int call_fd(const struct http_call *c)
{
	return MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void call_resume(struct http_call *c)
{
	loop_io_del(c->server->loop, &c->peer);
	if (!c->suspended)
		return;
	c->suspended = false;
	MHD_resume_connection(c->connection);
	work_soon(c->server);
}

static void call_is_gone(struct http_call *c)
{
	void (*gone)(void *arg) = c->gone;

	c->state = DEAD;
	c->gone = NULL;
	call_resume(c);
	if (gone)
		gone(c->gone_arg);
}

/*
 * libmicrohttpd does not look at a suspended connection, so we do.  The end of input means that a TCP client has gone;
 * on a Unix socket it may only have said all it had to say, and a hang-up tells the difference.
 */
static void on_peer(void *arg, unsigned events)
{
	struct http_call *c = arg;
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);
	char byte;
	ssize_t n = recv(call_fd(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	bool is_unix = getsockname(call_fd(c), (struct sockaddr *)&sa, &len) == 0 && sa.ss_family == AF_UNIX;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 || (n == 0 && is_unix && !(events & LOOP_WRITE)))
		loop_io_del(c->server->loop, &c->peer);	/* it has more to say, or nothing: that can wait */
	else
		call_is_gone(c);
}

static void call_suspend(struct http_call *c)
{
	c->suspended = true;
	MHD_suspend_connection(c->connection);
	loop_io_set(c->server->loop, &c->peer, call_fd(c), LOOP_READ);
}

static struct http_call *call_new(struct http_server *s, struct MHD_Connection *connection, const char *method,
				  const char *path)
{
	struct http_call *c = mem_alloc(sizeof(*c));

	c->server = s;
	c->connection = connection;
	c->method = mem_strdup(method);
	c->path = mem_strdup(path);
	strbuf_init(&c->body);
	loop_io_init(&c->peer, on_peer, c);
	list_add_tail(&s->calls, &c->list);
	return c;
}

static void call_free(struct http_call *c)
{
	list_del(&c->list);
	loop_io_del(c->server->loop, &c->peer);
	if (c->response)
		MHD_destroy_response(c->response);
	strbuf_release(&c->body);
	for (int i = 0; i < c->n_headers; i++) {
		free(c->headers[i].name);
		free(c->headers[i].value);
	}
	free(c->method);
	free(c->path);
	free(c);
}

/* ---- connections ---- */

static struct http_wait *wait_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct http_wait *w = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = http_wait_new(&s->waits, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
		return;
	}
	*context = NULL;
	http_wait_free(&w);
}

/* ---- from the first byte to the answer ---- */

static void set_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len)
{
	c->response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	if (!c->response)
		fatal(EX_OSERR, "out of memory");
	MHD_add_response_header(c->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (int i = 0; i < c->n_headers; i++)
		MHD_add_response_header(c->response, c->headers[i].name, c->headers[i].value);
	if (c->server->waits.is_draining)
		MHD_add_response_header(c->response, MHD_HTTP_HEADER_CONNECTION, "close");
	c->status = status;
	c->state = ANSWERED;
}

static void refuse_large(struct http_call *c)
{
	static const char text[] = "The body is too large.\n";
	void (*gone)(void *arg) = c->gone;

	set_answer(c, MHD_HTTP_CONTENT_TOO_LARGE, "text/plain", text, sizeof(text) - 1);
	c->gone = NULL;
	if (gone)
		gone(c->gone_arg);
}

static int64_t room(const struct http_call *c)
{
	return c->has_sink ? c->sink.max - c->sunk : (int64_t)(c->server->body_max - c->body.len);
}

static bool announces_too_much(const struct http_call *c)
{
	const char *text = http_call_header(c, "Content-Length");
	int64_t n;

	return text && (parse_i64(text, &n) < 0 || n < 0 || n > room(c));
}

static enum MHD_Result queue_answer(struct http_call *c)
{
	return MHD_queue_response(c->connection, (unsigned)c->status, c->response);
}

static void take_chunk(struct http_call *c, const char *data, size_t len)
{
	if (c->state != READING)
		return;			/* it has its answer, which is sent when the rest has been read and thrown away */
	if ((int64_t)len > room(c)) {
		refuse_large(c);
	} else if (c->has_sink) {
		c->sunk += (int64_t)len;
		c->sink.write(c->sink.arg, data, len);
	} else {
		strbuf_add(&c->body, data, len);
	}
}

/* The head is there.  libmicrohttpd takes an answer now, or when it has the whole body. */
static enum MHD_Result begin(struct http_call *c)
{
	struct http_server *s = c->server;

	wait_of(c->connection)->is_asking = true;
	c->has_sink = s->on_upload && s->on_upload(s->arg, c, &c->sink);
	http_wait_for(wait_of(c->connection), !c->has_sink);
	if (c->state == READING && announces_too_much(c))
		refuse_large(c);
	return c->state == READING ? MHD_YES : queue_answer(c);
}

/* libmicrohttpd's protocol: a first call, chunks of the body, and with *len == 0 "now answer"; again after a resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version UNUSED, const char *data, size_t *len, void **state)
{
	struct http_server *s = arg;
	struct http_call *c = *state;

	if (!c) {
		*state = c = call_new(s, connection, method, url);
		return begin(c);
	}
	if (*len > 0) {
		take_chunk(c, data, *len);
		*len = 0;
		return MHD_YES;
	}
	http_wait_for(wait_of(connection), false);
	if (c->state == READING) {
		c->state = ASKED;
		s->on_call(s->arg, c);
	}
	switch (c->state) {
	case ASKED:	call_suspend(c); return MHD_YES;
	case ANSWERED:	return queue_answer(c);
	case DEAD:	return MHD_NO;
	case READING:	break;
	}
	BUG("call in state %d", (int)c->state);
}

static void on_completed(void *arg UNUSED, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode why UNUSED)
{
	struct http_call *c = *state;

	if (!c)
		return;
	*state = NULL;
	http_wait_rests(wait_of(connection));
	if (c->state == ASKED || c->state == READING)
		call_is_gone(c);
	call_free(c);
}

static void on_log(void *arg UNUSED, const char *fmt, va_list ap)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_vaddf(&text, fmt, ap);
	log_debug("http_server", "%s", text.buf);
	strbuf_release(&text);
}

/* ---- libmicrohttpd in our loop ---- */

/* Its epoll is edge-triggered: what it says about its next turn must be followed, or connections stall. */
static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
		loop_timer_stop(s->loop, &s->work);
	else
		loop_timer_set(s->loop, &s->work, ms < 60000 ? (int64_t)ms : 60000);
}

static void on_inner(void *arg, unsigned events UNUSED)
{
	run(arg);
}

static void on_work(void *arg)
{
	run(arg);
}

static void watch_listeners(struct http_server *s, bool watch)
{
	for (int i = 0; i < s->n_listeners; i++)
		if (watch)
			loop_io_set(s->loop, &s->listeners[i].io, s->listeners[i].fd, LOOP_READ);
		else
			loop_io_del(s->loop, &s->listeners[i].io);
}

/* A user's own connections cut none of others. */
static bool has_too_many(struct http_server *s, int fd)
{
	struct http_peer peer = http_peer_of(fd);
	unsigned left_out;

	if (!s->per_uid_max || !peer.known || http_waits_of(&s->waits, peer.uid) < s->per_uid_max)
		return false;
	if (log_limit_ok(&s->refusals, &left_out))
		log_notice("peer_refused", "uid=%u connections=%d left_out=%u", (unsigned)peer.uid, s->per_uid_max, left_out);
	return true;
}

static void on_listener(void *arg, unsigned events UNUSED)
{
	struct listener *l = arg;
	struct http_server *s = l->server;

	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			http_waits_make_room(&s->waits, true);
			watch_listeners(s, false);
			loop_timer_set(s->loop, &s->look_again, NO_FD_PAUSE_MS);
		}
		if (fd < 0)
			break;
		if (has_too_many(s, fd)) {
			http_peer_refuse(fd);
			continue;
		}
		if (!http_waits_make_room(&s->waits, false)) {
			close(fd);	/* all are being answered */
			continue;
		}
		/* Over its own limit it refuses and closes fd by itself. */
		(void)MHD_add_connection(s->daemon, fd, (struct sockaddr *)&sa, len);
	}
	work_soon(s);
}

static void on_look_again(void *arg)
{
	watch_listeners(arg, true);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, size_t memory)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
				MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
				MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((s->waits.slow_ms + 999) / 1000),
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)(s->waits.max + LEAVING),
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory ? memory : (size_t)CONNECTION_MEMORY,
				MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_END);
}

static void take_listeners(struct http_server *s, const struct http_server_options *o)
{
	s->n_listeners = o->n_listen;
	s->listeners = mem_array((size_t)o->n_listen, sizeof(*s->listeners));
	for (int i = 0; i < o->n_listen; i++) {
		s->listeners[i] = (struct listener){ .server = s, .fd = o->listen_fds[i] };
		loop_io_init(&s->listeners[i].io, on_listener, &s->listeners[i]);
	}
	watch_listeners(s, true);
}

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, http_on_call_f *on_call,
				    void *arg)
{
	struct http_server *s = mem_alloc(sizeof(*s));
	const union MHD_DaemonInfo *info;

	s->loop = l;
	s->body_max = o->body_max ? o->body_max : 1 << 20;
	s->on_call = on_call;
	s->on_upload = o->on_upload;
	s->per_uid_max = (int)o->per_uid_max;
	s->arg = arg;
	list_init(&s->calls);
	http_waits_init(&s->waits, l, o->slow_ms ? o->slow_ms : SLOW_MS, o->connections_max ? (int)o->connections_max : CONNECTIONS);
	s->daemon = start_daemon(s, o->memory);
	info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		fatal(EX_OSERR, "libmicrohttpd does not start: %s", strerror(errno));
	loop_timer_init(&s->work, on_work, s);
	loop_timer_init(&s->look_again, on_look_again, s);
	loop_io_init(&s->inner, on_inner, s);
	loop_io_set(l, &s->inner, info->epoll_fd, LOOP_READ);
	take_listeners(s, o);
	return s;
}

void http_server_drain(struct http_server *s)
{
	watch_listeners(s, false);
	loop_timer_stop(s->loop, &s->look_again);
	http_waits_drain(&s->waits);
}

bool http_server_is_idle(const struct http_server *s)
{
	return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections == 0;
}

void http_server_free(struct http_server **sp)
{
	struct http_server *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	watch_listeners(s, false);
	for (struct list *i = s->calls.next; i != &s->calls; i = i->next) {
		struct http_call *c = CONTAINER_OF(i, struct http_call, list);

		if (c->state == ASKED)
			call_is_gone(c);
		else
			call_resume(c);
	}
	loop_io_del(s->loop, &s->inner);
	MHD_stop_daemon(s->daemon);	/* on_completed() frees the calls */
	loop_timer_stop(s->loop, &s->work);
	loop_timer_stop(s->loop, &s->look_again);
	free(s->listeners);
	free(s);
}

/* ---- a call ---- */

const char *http_call_method(const struct http_call *c)
{
	return c->method;
}

const char *http_call_path(const struct http_call *c)
{
	return c->path;
}

const char *http_call_query(const struct http_call *c, const char *name)
{
	return MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query_at { const char *name, *value; int left; };

static enum MHD_Result on_query(void *arg, enum MHD_ValueKind kind UNUSED, const char *name, const char *value)
{
	struct query_at *q = arg;

	if (!value || strcmp(name, q->name) || q->left-- > 0)
		return MHD_YES;
	q->value = value;
	return MHD_NO;
}

const char *http_call_query_at(const struct http_call *c, const char *name, int i)
{
	struct query_at q = { .name = name, .left = i };

	MHD_get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND, on_query, &q);
	return q.value;
}

const char *http_call_header(const struct http_call *c, const char *name)
{
	return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

const char *http_call_body(const struct http_call *c, size_t *len)
{
	*len = c->body.len;
	return c->body.buf;
}

void *http_call_sink(const struct http_call *c)
{
	return c->has_sink ? c->sink.arg : NULL;
}

struct MHD_Connection *http_call_connection(const struct http_call *c)
{
	return c->connection;
}

struct http_peer http_call_peer(const struct http_call *c)
{
	return http_peer_of(call_fd(c));
}

void http_call_on_gone(struct http_call *c, void (*gone)(void *arg), void *arg)
{
	c->gone = gone;
	c->gone_arg = arg;
}

void http_answer_header(struct http_call *c, const char *name, const char *value)
{
	if (c->n_headers == HEADERS_MAX)
		BUG("more than %d headers in an answer", HEADERS_MAX);
	c->headers[c->n_headers].name = mem_strdup(name);
	c->headers[c->n_headers++].value = mem_strdup(value);
}

void http_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len)
{
	if (c->state != ASKED && c->state != READING)
		BUG("answer to a call in state %d", (int)c->state);
	set_answer(c, status, content_type, body, len);
	call_resume(c);
}
