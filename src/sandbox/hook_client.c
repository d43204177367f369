#include "sandbox/hook_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum { HEAD_MAX = 16384, ANSWER_MAX = 1 << 20, READ_SIZE = 16384, IDLE_MAX = 64, DIGITS = 20 };

struct hook_client {
	struct loop *loop;
	struct list busy, idle;
	int n_busy, n_idle;
};

struct hook_conn {
	struct list list;		/* of the client: busy or idle */
	struct hook_client *client;
	struct sockaddr_in address;
	int fd;
	struct loop_io io;
	struct loop_timer timer;
	struct strbuf out, in;
	size_t out_at, out_end;		/* up to out_end only: the rest is cut off */
	mono_t began;
	hook_answer_f *on_answer;	/* NULL: idle */
	void *arg;
};

struct hook_client *hook_client_new(struct loop *loop)
{
	struct hook_client *c = mem_alloc(sizeof(*c));

	c->loop = loop;
	list_init(&c->busy);
	list_init(&c->idle);
	return c;
}

int hook_client_busy(const struct hook_client *c)
{
	return c->n_busy;
}

/* ---- connections ---- */

static void conn_count(struct hook_conn *conn, int n)
{
	*(conn->on_answer ? &conn->client->n_busy : &conn->client->n_idle) += n;
}

static void conn_discard(struct hook_conn *conn)
{
	conn_count(conn, -1);
	list_del(&conn->list);
	loop_io_del(conn->client->loop, &conn->io);
	loop_timer_stop(conn->client->loop, &conn->timer);
	if (conn->fd >= 0)
		close(conn->fd);
	strbuf_release(&conn->out);
	strbuf_release(&conn->in);
	free(conn);
}

static void become_idle(struct hook_conn *conn)
{
	struct hook_client *c = conn->client;

	conn_count(conn, -1);
	conn->on_answer = NULL;
	conn_count(conn, 1);
	list_del(&conn->list);
	list_add_head(&c->idle, &conn->list);
	loop_timer_stop(c->loop, &conn->timer);
	loop_io_set(c->loop, &conn->io, conn->fd, LOOP_READ);
	strbuf_reset(&conn->out);
	strbuf_reset(&conn->in);
	if (c->n_idle > IDLE_MAX)
		conn_discard(CONTAINER_OF(c->idle.prev, struct hook_conn, list));
}

/* The connection may be used again, or be gone, when the one who waits hears of it. */
static void finish(struct hook_conn *conn, int status, bool keep, const char *why)
{
	hook_answer_f *on_answer = conn->on_answer;
	int64_t took_us = mono_diff_us(mono_now(), conn->began);
	void *arg = conn->arg;

	if (keep)
		become_idle(conn);
	else
		conn_discard(conn);
	if (on_answer)
		on_answer(arg, status, took_us, why);
}

void hook_client_abort(struct hook_client *c)
{
	while (!list_is_empty(&c->busy))
		finish(CONTAINER_OF(list_pop(&c->busy), struct hook_conn, list), 0, false, "given up");
	while (!list_is_empty(&c->idle))
		conn_discard(CONTAINER_OF(list_pop(&c->idle), struct hook_conn, list));
}

void hook_client_free(struct hook_client **cp)
{
	if (!*cp)
		return;
	hook_client_abort(*cp);
	free(*cp);
	*cp = NULL;
}

static void on_timeout(void *arg)
{
	struct hook_conn *conn = arg;

	finish(conn, 0, false, conn->fd < 0 ? "no connection" : "no answer in time");
}

/* ---- the answer ---- */

static const char *header(const char *head, const char *end, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = head; p && p < end; p = memchr(p, '\n', (size_t)(end - p)), p = p ? p + 1 : NULL)
		if ((size_t)(end - p) > n && strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " \t");
	return NULL;
}

static int64_t length_of(const char *value)
{
	char digits[DIGITS];
	int64_t n;

	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(value, "0123456789"), value);
	return parse_i64(digits, &n) < 0 ? -1 : n;
}

int hook_answer_head(const char *text, size_t len, size_t *head, int64_t *body, bool *keep)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4), *length, *connection;
	int64_t status;
	char digits[4];

	if (!end)
		return len > HEAD_MAX ? -1 : 0;
	if (len < 12 || strncmp(text, "HTTP/1.", 7) || text[8] != ' ')
		return -1;
	snprintf(digits, sizeof(digits), "%.3s", text + 9);
	if (parse_i64(digits, &status) < 0 || status < 100)
		return -1;
	*head = (size_t)(end - text) + 4;
	length = header(text, end, "content-length");
	connection = header(text, end, "connection");
	*body = status == 204 || status == 304 ? 0 : length && !header(text, end, "transfer-encoding") ? length_of(length) : -1;
	*keep = text[7] == '1' && *body >= 0 && !(connection && strncasecmp(connection, "close", 5) == 0);
	return (int)status;
}

/* Nobody wants the answer's body, but the connection is free only behind it.  Without a length we do not wait for its end. */
static void look_at_answer(struct hook_conn *conn)
{
	size_t head = 0;
	int64_t body = 0;
	bool keep = false;
	int status = hook_answer_head(conn->in.buf, conn->in.len, &head, &body, &keep);

	if (status < 0 || conn->in.len > ANSWER_MAX)
		finish(conn, 0, false, "the answer is no HTTP");
	else if (status >= 100 && status < 200)
		strbuf_drop_front(&conn->in, head);
	else if (status && (body < 0 || conn->in.len - head >= (size_t)body))
		finish(conn, status, keep && conn->out_at == conn->out.len && conn->in.len - head == (size_t)body, NULL);
}

static void read_answer(struct hook_conn *conn)
{
	char buf[READ_SIZE];
	ssize_t n = recv(conn->fd, buf, sizeof(buf), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !conn->on_answer) {
		finish(conn, 0, false, n < 0 ? strerror(errno) : "the connection was closed");
		return;
	}
	strbuf_add(&conn->in, buf, (size_t)n);
	look_at_answer(conn);
}

/* ---- the request ---- */

/* false: the connection is gone. */
static bool write_request(struct hook_conn *conn)
{
	while (conn->out_at < conn->out_end) {
		ssize_t n = send(conn->fd, conn->out.buf + conn->out_at, conn->out_end - conn->out_at, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
			return true;
		if (n < 0) {
			finish(conn, 0, false, strerror(errno));
			return false;
		}
		conn->out_at += (size_t)n;
	}
	if (conn->out_end < conn->out.len) {
		finish(conn, 0, false, "cut as it was ordered");
		return false;
	}
	loop_io_set(conn->client->loop, &conn->io, conn->fd, LOOP_READ);
	return true;
}

/* An early answer is read before what is left of the request fails. */
static void on_ready(void *arg, unsigned events)
{
	struct hook_conn *conn = arg;

	if (conn->on_answer && (events & LOOP_WRITE) && !(events & LOOP_READ) && !write_request(conn))
		return;
	if (events & LOOP_READ)
		read_answer(conn);
}

static struct hook_conn *conn_new(struct hook_client *c, const struct sockaddr_in *address)
{
	struct hook_conn *conn = mem_alloc(sizeof(*conn));
	int one = 1;

	conn->client = c;
	conn->address = *address;
	strbuf_init(&conn->out);
	strbuf_init(&conn->in);
	list_init(&conn->list);
	loop_io_init(&conn->io, on_ready, conn);
	loop_timer_init(&conn->timer, on_timeout, conn);
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return conn;
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(conn->fd, (const struct sockaddr *)address, sizeof(*address)) < 0 && errno != EINPROGRESS) {
		close(conn->fd);
		conn->fd = -1;
	}
	return conn;
}

static struct hook_conn *take_idle(struct hook_client *c, const struct sockaddr_in *address)
{
	for (struct list *l = c->idle.next; l != &c->idle; l = l->next) {
		struct hook_conn *conn = CONTAINER_OF(l, struct hook_conn, list);

		if (conn->address.sin_port != address->sin_port || conn->address.sin_addr.s_addr != address->sin_addr.s_addr)
			continue;
		conn_count(conn, -1);
		list_del(&conn->list);
		return conn;
	}
	return conn_new(c, address);
}

static void write_head(struct strbuf *out, const struct hook_request *r)
{
	strbuf_addf(out, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n", r->url->path, ntohs(r->url->address.sin_port), r->len);
	if (r->signature)
		strbuf_addf(out, "X-Hub-Signature-256: %s\r\n", r->signature);
	strbuf_adds(out, "\r\n");
}

void hook_client_post(struct hook_client *c, const struct hook_request *r, hook_answer_f *on_answer, void *arg)
{
	struct hook_conn *conn = take_idle(c, &r->url->address);

	conn->on_answer = on_answer;
	conn->arg = arg;
	conn->began = mono_now();
	conn_count(conn, 1);
	list_add_tail(&c->busy, &conn->list);
	write_head(&conn->out, r);
	strbuf_add(&conn->out, r->body, r->len);
	conn->out_at = 0;
	conn->out_end = conn->out.len - (r->cut ? (r->len + 1) / 2 : 0);
	loop_timer_set(c->loop, &conn->timer, conn->fd < 0 ? 0 : r->timeout_ms);
	if (conn->fd >= 0)
		loop_io_set(c->loop, &conn->io, conn->fd, LOOP_READ | LOOP_WRITE);
}
