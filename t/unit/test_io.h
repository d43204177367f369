/* test_io - what the tests of src/io share: a loop with a limit, and a peer that does what a test says. */
#ifndef TEST_IO_H
#define TEST_IO_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/strbuf.h"

static struct loop *loop;

/* ---- the loop runs until something is true; a test that waits in vain fails with the line that waited ---- */

struct awaited { struct loop_hook hook; struct loop_timer timer; bool (*is_true)(void); bool met; };

static void awaited_on_turn(void *arg)
{
	struct awaited *a = arg;

	a->met = a->met || a->is_true();
	if (a->met)
		loop_stop(loop, 0);
}

static void awaited_on_time(void *arg UNUSED)
{
	loop_stop(loop, 1);
}

static inline bool loop_until(bool (*is_true)(void), int64_t ms)
{
	struct awaited a = { .is_true = is_true };

	loop_hook_init(&a.hook, awaited_on_turn, &a);
	loop_hook_add(loop, &a.hook);
	loop_timer_init(&a.timer, awaited_on_time, &a);
	loop_timer_set(loop, &a.timer, ms);
	if (!is_true())
		loop_run(loop);
	a.met = a.met || is_true();
	loop_hook_del(&a.hook);
	loop_timer_stop(loop, &a.timer);
	return a.met;
}

#define wait_for(is_true) ck_assert_msg(loop_until(is_true, 15000), "waited in vain: " #is_true)

static inline bool never(void)
{
	return false;
}

/* ---- a listener on 127.0.0.1 whose connections are handled by on_bytes: what it appends to *out is sent ---- */

struct peer;
struct peer_connection {
	struct loop_io io;
	struct peer *peer;
	struct strbuf in;
	bool used;
};
struct peer {
	struct loop_io io;
	int port, accepted;
	bool close_at_accept;
	/* Called when bytes have come (and once, with none, at accept); true: close the connection now. */
	bool (*on_bytes)(struct peer_connection *c, struct strbuf *out);
	struct peer_connection connections[64];
};

static inline void peer_close(struct peer_connection *c)
{
	int fd = c->io.fd;

	loop_io_del(loop, &c->io);
	close(fd);
	strbuf_release(&c->in);
	c->used = false;
}

static inline void peer_act(struct peer_connection *c)
{
	struct strbuf out = STRBUF_INIT;
	bool over = c->peer->on_bytes && c->peer->on_bytes(c, &out);
	ssize_t n = out.len ? send(c->io.fd, out.buf, out.len, MSG_NOSIGNAL) : 0;

	strbuf_release(&out);
	if (over || n < 0)
		peer_close(c);
}

static inline void peer_on_ready(void *arg, unsigned events UNUSED)
{
	struct peer_connection *c = arg;
	char buf[65536];
	ssize_t n = recv(c->io.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0) {
		peer_close(c);
		return;
	}
	strbuf_add(&c->in, buf, (size_t)n);
	peer_act(c);
}

static inline void peer_on_accept(void *arg, unsigned events UNUSED)
{
	struct peer *p = arg;
	int fd = accept(p->io.fd, NULL, NULL);
	struct peer_connection *c = NULL;

	ck_assert_int_ge(fd, 0);
	p->accepted++;
	for (size_t i = 0; i < ARRAY_LEN(p->connections) && !c; i++)
		if (!p->connections[i].used)
			c = &p->connections[i];
	ck_assert_ptr_nonnull(c);
	c->used = true;
	c->peer = p;
	strbuf_init(&c->in);
	loop_io_init(&c->io, peer_on_ready, c);
	loop_io_set(loop, &c->io, fd, LOOP_READ);
	peer_act(c);
}

static inline int listen_on_loopback(int *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static inline void peer_start(struct peer *p, bool (*on_bytes)(struct peer_connection *c, struct strbuf *out))
{
	memset(p, 0, sizeof(*p));
	p->on_bytes = on_bytes;
	loop_io_init(&p->io, peer_on_accept, p);
	loop_io_set(loop, &p->io, listen_on_loopback(&p->port), LOOP_READ);
}

static inline void peer_stop(struct peer *p)
{
	int fd = p->io.fd;

	loop_io_del(loop, &p->io);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(p->connections); i++)
		if (p->connections[i].used)
			peer_close(&p->connections[i]);
}

/* ---- the frame of every test ---- */

static void io_setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	loop = loop_new();
}

static void io_teardown(void)
{
	loop_free(&loop);
}

static inline TCase *io_case(Suite *s, const char *name, void (*setup)(void))
{
	TCase *c = tcase_create(name);

	tcase_add_checked_fixture(c, setup, io_teardown);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	return c;
}

static inline int io_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
