#include "sandbox/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "sandbox/certs.h"
#include "sandbox/conn.h"
#include "sandbox/sandbox.h"

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 16, PAUSE_MS = 100 };

struct server {
	struct sandbox *sandbox;
	struct link_tls *tls;		/* NULL: --plain */
	int fd, port;
	uint32_t last_number;
	struct loop_io io;
	struct loop_timer pause;	/* out of descriptors: the listener stays readable, so do not look at it */
	struct loop_hook hook;
	struct list conns, dirty;
};

static void on_pause_over(void *arg)
{
	struct server *s = arg;

	loop_io_set(s->sandbox->loop, &s->io, s->fd, LOOP_READ);
}

static void pause_accepting(struct server *s)
{
	static struct log_limit limit;
	unsigned left_out;

	if (log_limit_ok(&limit, &left_out))
		log_warn("accept-paused", "reason=\"%s\" left_out=%u", strerror(errno), left_out);
	s->sandbox->stats.accept_pauses++;
	loop_io_set(s->sandbox->loop, &s->io, s->fd, 0);
	loop_timer_set(s->sandbox->loop, &s->pause, PAUSE_MS);
}

static void on_listener(void *arg, unsigned events)
{
	struct server *s = arg;
	int one = 1;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		/* cppcheck-suppress nullPointer ; we do not ask who calls */
		int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
			pause_accepting(s);
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		conn_start(s->sandbox, s->tls, fd, ++s->last_number);
	}
}

/* The end of a turn: everyone who has something to write, or to die of, until nobody has. */
static void on_turn(void *arg)
{
	struct server *s = arg;

	while (!list_is_empty(&s->dirty))
		conn_turn(CONTAINER_OF(s->dirty.next, struct conn, dirty));
}

static int open_listener(struct server *s, const struct options *o, struct strbuf *why)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	socklen_t len = sizeof(a);
	int one = 1;

	if (inet_pton(AF_INET, o->host, &a.sin_addr) != 1)
		return why_set(why, "--listen: %s is not an IPv4 address", o->host);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return why_set(why, "socket: %s", strerror(errno));
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s->fd, BACKLOG) < 0 ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) < 0)
		return why_set(why, "%s:%d: %s", o->host, o->port, strerror(errno));
	s->port = ntohs(a.sin_port);
	return 0;
}

struct server *server_new(struct sandbox *sandbox, struct strbuf *why)
{
	struct server *s = mem_alloc(sizeof(*s));

	s->sandbox = sandbox;
	s->fd = -1;
	list_init(&s->conns);
	list_init(&s->dirty);
	loop_io_init(&s->io, on_listener, s);
	loop_timer_init(&s->pause, on_pause_over, s);
	loop_hook_init(&s->hook, on_turn, s);
	if (!sandbox->opt->plain &&
	    (certs_ensure(sandbox->opt->tls_dir, why) < 0 || !(s->tls = link_tls_new(sandbox->opt->tls_dir, why))))
		goto fail;
	if (open_listener(s, sandbox->opt, why) < 0)
		goto fail;
	loop_io_set(sandbox->loop, &s->io, s->fd, LOOP_READ);
	loop_hook_add(sandbox->loop, &s->hook);
	return s;
fail:
	server_free(&s);
	return NULL;
}

void server_free(struct server **sp)
{
	struct server *s = *sp;

	if (!s)
		return;
	while (!list_is_empty(&s->conns))
		conn_free_now(CONTAINER_OF(s->conns.next, struct conn, list));
	loop_io_del(s->sandbox->loop, &s->io);
	loop_timer_stop(s->sandbox->loop, &s->pause);
	loop_hook_del(&s->hook);
	if (s->fd >= 0)
		close(s->fd);
	link_tls_free(&s->tls);
	free(s);
	*sp = NULL;
}

int server_port(const struct server *s)
{
	return s->port;
}

void server_adopt(struct server *s, struct list *conn)
{
	list_add_tail(&s->conns, conn);
}

void server_mark_dirty(struct server *s, struct list *dirty)
{
	if (list_is_empty(dirty))
		list_add_tail(&s->dirty, dirty);
}
