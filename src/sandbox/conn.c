#include "sandbox/conn.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "sandbox/sandbox.h"
#include "sandbox/server.h"

enum { IDLE_MS = 600000, LINGER_MS = 1000, READS_A_TURN = 4, READ_SIZE = 16384, WRITE_A_TURN = 256 * 1024 };

static void on_ready(void *arg, unsigned events);
static void on_timer(void *arg);
static void on_again(void *arg);

static const unsigned may_enter[] = {
	[CONN_HANDSHAKE] = BIT(CONN_OPEN) | BIT(CONN_ENDING) | BIT(CONN_DEAD),
	[CONN_OPEN]      = BIT(CONN_ENDING) | BIT(CONN_DEAD),
	[CONN_ENDING]    = BIT(CONN_LINGERING) | BIT(CONN_DEAD),
	[CONN_LINGERING] = BIT(CONN_DEAD),
	[CONN_DEAD]      = 0,
};

static void enter(struct conn *c, enum conn_state next)
{
	if (!(may_enter[c->state] & BIT(next)))
		BUG("conn %u: %d -> %d", c->number, (int)c->state, (int)next);
	c->state = next;
	conn_touch(c);
}

void conn_start(struct sandbox *s, struct link_tls *tls, int fd, uint32_t number)
{
	struct conn *c = mem_alloc(sizeof(*c));

	c->sandbox = s;
	c->link = link_new(tls, fd);
	c->number = number;
	c->last_active = loop_now(s->loop);
	list_init(&c->list);
	list_init(&c->dirty);
	list_init(&c->calls);
	strbuf_init(&c->out);
	loop_io_init(&c->io, on_ready, c);
	loop_timer_init(&c->timer, on_timer, c);
	loop_timer_init(&c->again, on_again, c);
	loop_io_set(s->loop, &c->io, fd, LOOP_READ);
	loop_timer_set(s->loop, &c->timer, IDLE_MS);
	server_adopt(s->server, &c->list);
	s->stats.connections++;
	s->stats.open_connections++;
}

static void stop_protocol(struct conn *c)
{
	if (c->proto)
		c->proto->stop(c);
	c->proto = NULL;
}

void conn_free_now(struct conn *c)
{
	stop_protocol(c);
	loop_io_del(c->sandbox->loop, &c->io);
	loop_timer_stop(c->sandbox->loop, &c->timer);
	loop_timer_stop(c->sandbox->loop, &c->again);
	list_del(&c->list);
	list_del(&c->dirty);
	link_free(&c->link);
	strbuf_release(&c->out);
	free(c->answered);
	c->sandbox->stats.open_connections--;
	free(c);
}

void conn_touch(struct conn *c)
{
	server_mark_dirty(c->sandbox->server, &c->dirty);
}

bool conn_is_open(const struct conn *c)
{
	return c->state == CONN_OPEN;
}

void conn_end(struct conn *c, enum cut how)
{
	if (c->state >= CONN_ENDING)
		return;
	c->how = how;
	enter(c, CONN_ENDING);
}

void conn_cut(struct conn *c, enum cut how)
{
	strbuf_reset(&c->out);
	c->out_at = 0;
	c->n_answered = 0;
	conn_end(c, how);
}

void conn_note_answered(struct conn *c, struct ledger_ref ref)
{
	if (!ref.entry)
		return;
	if (c->n_answered == c->answered_size) {
		c->answered_size = c->answered_size ? c->answered_size * 2 : 64;
		c->answered = mem_grow(c->answered, c->answered_size, sizeof(*c->answered));
	}
	c->answered[c->n_answered++] = ref;
}

static void choose_protocol(struct conn *c)
{
	bool h2 = link_speaks_h2(c->link);

	c->proto = h2 ? &proto_h2 : &proto_h1;
	c->sandbox->stats.h2 += h2;
	c->sandbox->stats.h1 += !h2;
	enter(c, CONN_OPEN);
	c->proto->start(c);
	log_debug("connected", "conn=%u proto=%s", c->number, c->proto->name);
}

static bool handshake(struct conn *c)
{
	int r = link_handshake(c->link);

	if (r == 1) {
		choose_protocol(c);
		return true;
	}
	if (r == LINK_ERROR) {
		static struct log_limit limit;
		unsigned left_out;
		if (log_limit_ok(&limit, &left_out))
			log_info("handshake-failed", "conn=%u left_out=%u", c->number, left_out);
		enter(c, CONN_DEAD);
	} else {
		loop_io_set(c->sandbox->loop, &c->io, link_fd(c->link), link_wants_write(c->link) ? LOOP_WRITE : LOOP_READ);
	}
	return false;
}

/* A few bites a turn; what libssl has read beyond them is invisible to epoll, so a timer brings us back. */
static void read_some(struct conn *c)
{
	static uint8_t buf[READ_SIZE];

	for (int i = 0; i < READS_A_TURN && c->state == CONN_OPEN; i++) {
		ssize_t n = link_read(c->link, buf, sizeof(buf));
		if (n == LINK_AGAIN)
			return;
		if (n <= 0) {
			enter(c, CONN_DEAD);
			return;
		}
		c->last_active = loop_now(c->sandbox->loop);
		c->proto->on_data(c, buf, (size_t)n);
		conn_touch(c);
	}
	if (c->state == CONN_OPEN && link_has_pending(c->link))
		loop_timer_set(c->sandbox->loop, &c->again, 0);
}

static void on_ready(void *arg, unsigned events)
{
	struct conn *c = arg;

	if (c->state == CONN_LINGERING) {
		if (link_discard(c->link) == LINK_EOF)
			enter(c, CONN_DEAD);
		return;
	}
	if (c->state == CONN_HANDSHAKE) {
		if (!handshake(c))
			return;
		events |= LOOP_READ;	/* the first request may be inside libssl already */
	}
	if ((events & LOOP_READ) && c->state == CONN_OPEN)
		read_some(c);
	if (events & LOOP_WRITE)
		conn_touch(c);
}

static void on_again(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_OPEN)
		read_some(c);
}

static void on_timer(void *arg)
{
	struct conn *c = arg;
	int64_t quiet_ms = mono_diff_ms(loop_now(c->sandbox->loop), c->last_active);

	if (c->state == CONN_OPEN && quiet_ms < IDLE_MS) {
		loop_timer_set(c->sandbox->loop, &c->timer, IDLE_MS - quiet_ms);
		return;
	}
	if (c->state != CONN_DEAD)
		enter(c, CONN_DEAD);
}

static void all_written(struct conn *c)
{
	for (size_t i = 0; i < c->n_answered; i++)
		ledger_mark_answered(c->sandbox->ledger, c->answered[i]);
	c->n_answered = 0;
	strbuf_reset(&c->out);
	c->out_at = 0;
	c->last_active = loop_now(c->sandbox->loop);
}

/* True when everything is out; false when the socket is full, the turn's share is used up, or the peer is gone. */
static bool flush(struct conn *c)
{
	size_t written = 0;

	while (written < WRITE_A_TURN) {
		if (c->out_at == c->out.len) {
			all_written(c);
			if (c->state == CONN_OPEN)
				c->proto->fill(c);
			if (c->out.len == 0)
				return true;
		}
		ssize_t n = link_write(c->link, c->out.buf + c->out_at, c->out.len - c->out_at);
		if (n == LINK_AGAIN)
			return false;
		if (n <= 0) {
			enter(c, CONN_DEAD);
			return false;
		}
		c->out_at += (size_t)n;
		written += (size_t)n;
	}
	return false;
}

static void close_as_asked(struct conn *c)
{
	stop_protocol(c);
	loop_timer_stop(c->sandbox->loop, &c->again);
	if (c->how == CUT_RST) {
		link_reset_on_close(c->link);
		enter(c, CONN_DEAD);
		return;
	}
	if (c->how == CUT_FIN)
		link_say_goodbye(c->link);
	link_shut(c->link);
	enter(c, CONN_LINGERING);
	loop_io_set(c->sandbox->loop, &c->io, link_fd(c->link), LOOP_READ);
	loop_timer_set(c->sandbox->loop, &c->timer, LINGER_MS);
}

void conn_turn(struct conn *c)
{
	bool empty = true;

	list_del(&c->dirty);
	if (c->state == CONN_OPEN || c->state == CONN_ENDING)
		empty = flush(c);
	if (c->state == CONN_ENDING && empty)
		close_as_asked(c);
	if (c->state == CONN_DEAD) {
		conn_free_now(c);
		return;
	}
	if (c->state == CONN_OPEN || c->state == CONN_ENDING)
		loop_io_set(c->sandbox->loop, &c->io, link_fd(c->link),
			    (c->state == CONN_OPEN ? LOOP_READ : 0U) | (empty ? 0U : (unsigned)LOOP_WRITE));
}
