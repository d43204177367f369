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

enum {
	SLOW_S = 15,
	ACCEPTS = 8,			/* a wake-up */
	NO_FD_PAUSE_MS = 100,		/* out of descriptors, the listener stays readable: look away for a while */
	CONNECTION_MEMORY = 65536,
};

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	size_t body_max;
	http_on_call_f *on_call;
	void *arg;
	struct loop_io listener, inner;	/* inner: libmicrohttpd's own epoll */
	int listen_fd;
	struct loop_timer work, look_again;
	struct list calls;
};

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
	bool suspended, too_large;
	char *method, *path;
	struct strbuf body;
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
	free(c->method);
	free(c->path);
	free(c);
}

static void set_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len)
{
	c->response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	if (!c->response)
		fatal(EX_OSERR, "out of memory");
	MHD_add_response_header(c->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	c->status = status;
	c->state = ANSWERED;
}

static void refuse_large(struct http_call *c)
{
	static const char text[] = "The body is too large.\n";

	c->too_large = true;
	set_answer(c, MHD_HTTP_CONTENT_TOO_LARGE, "text/plain", text, sizeof(text) - 1);
}

static bool announces_too_much(const struct http_call *c)
{
	const char *text = http_call_header(c, "Content-Length");
	int64_t n;

	return text && (parse_i64(text, &n) < 0 || n < 0 || (uint64_t)n > c->server->body_max);
}

static enum MHD_Result queue_answer(struct http_call *c)
{
	return MHD_queue_response(c->connection, (unsigned)c->status, c->response);
}

static void take_chunk(struct http_call *c, const char *data, size_t len)
{
	if (c->too_large)
		return;
	if (len > c->server->body_max - c->body.len)
		refuse_large(c);	/* sent when the rest has been read and thrown away */
	else
		strbuf_add(&c->body, data, len);
}

/* libmicrohttpd's protocol: a first call, chunks of the body, and with *len == 0 "now answer"; again after a resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version UNUSED, const char *data, size_t *len, void **state)
{
	struct http_server *s = arg;
	struct http_call *c = *state;

	if (!c) {
		*state = c = call_new(s, connection, method, url);
		if (!announces_too_much(c))
			return MHD_YES;
		refuse_large(c);
		return queue_answer(c);
	}
	if (*len > 0) {
		take_chunk(c, data, *len);
		*len = 0;
		return MHD_YES;
	}
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

static void on_completed(void *arg UNUSED, struct MHD_Connection *connection UNUSED, void **state,
			 enum MHD_RequestTerminationCode why UNUSED)
{
	struct http_call *c = *state;

	if (!c)
		return;
	*state = NULL;
	if (c->state == ASKED)
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

static void on_listener(void *arg, unsigned events UNUSED)
{
	struct http_server *s = arg;

	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		int fd = accept4(s->listen_fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
			loop_io_del(s->loop, &s->listener);
			loop_timer_set(s->loop, &s->look_again, NO_FD_PAUSE_MS);
		}
		if (fd < 0)
			break;
		/* Over the limit it refuses and closes fd by itself. */
		(void)MHD_add_connection(s->daemon, fd, (struct sockaddr *)&sa, len);
	}
	work_soon(s);
}

static void on_look_again(void *arg)
{
	struct http_server *s = arg;

	loop_io_set(s->loop, &s->listener, s->listen_fd, LOOP_READ);
}

struct http_server *http_server_new(struct loop *l, const struct http_server_options *o, http_on_call_f *on_call,
				    void *arg)
{
	struct http_server *s = mem_alloc(sizeof(*s));
	const union MHD_DaemonInfo *info;

	s->loop = l;
	s->body_max = o->body_max ? o->body_max : 1 << 20;
	s->on_call = on_call;
	s->arg = arg;
	s->listen_fd = o->listen_fd;
	list_init(&s->calls);
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
				     MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SLOW_S,
				     MHD_OPTION_CONNECTION_LIMIT, o->connections_max ? o->connections_max : 64U,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_STRICT_FOR_CLIENT, 1,
				     MHD_OPTION_END);
	info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		fatal(EX_OSERR, "libmicrohttpd does not start: %s", strerror(errno));
	loop_timer_init(&s->work, on_work, s);
	loop_timer_init(&s->look_again, on_look_again, s);
	loop_io_init(&s->inner, on_inner, s);
	loop_io_set(l, &s->inner, info->epoll_fd, LOOP_READ);
	loop_io_init(&s->listener, on_listener, s);
	loop_io_set(l, &s->listener, s->listen_fd, LOOP_READ);
	return s;
}

void http_server_drain(struct http_server *s)
{
	loop_io_del(s->loop, &s->listener);
	loop_timer_stop(s->loop, &s->look_again);
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
	loop_io_del(s->loop, &s->listener);
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

struct http_peer http_call_peer(const struct http_call *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(call_fd(c), SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid == 0)
		return (struct http_peer){ .known = false };
	return (struct http_peer){ true, cred.uid, cred.gid, cred.pid };
}

void http_call_on_gone(struct http_call *c, void (*gone)(void *arg), void *arg)
{
	c->gone = gone;
	c->gone_arg = arg;
}

void http_answer(struct http_call *c, int status, const char *content_type, const void *body, size_t len)
{
	if (c->state != ASKED)
		BUG("answer to a call in state %d", (int)c->state);
	set_answer(c, status, content_type, body, len);
	call_resume(c);
}
