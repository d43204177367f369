#include "io/packets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 20, PACKETS_A_TURN = 64 };

struct packet {
	struct list list;
	size_t len;
	char data[];
};

struct packets {
	struct loop *loop;
	int fd;
	struct loop_io io;
	struct list waiting;
	size_t waiting_bytes;
	packets_packet_f *on_packet;
	void *arg;
	bool is_closed;
	char in[PACKET_MAX];
};

int packets_pair(int fds[2])
{
	int size = BUFFER_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	/* What the kernel grants will do: the rest waits in memory. */
	for (int i = 0; i < 2; i++)
		(void)!setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static void watch(struct packets *k)
{
	if (!k->is_closed)
		loop_io_set(k->loop, &k->io, k->fd, LOOP_READ | (list_is_empty(&k->waiting) ? 0 : LOOP_WRITE));
}

static void close_it(struct packets *k, const char *why)
{
	log_debug("link", "closed: %s", why);
	k->is_closed = true;
	loop_io_del(k->loop, &k->io);
}

static void drop_first(struct packets *k)
{
	struct packet *p = CONTAINER_OF(list_pop(&k->waiting), struct packet, list);

	k->waiting_bytes -= p->len;
	mem_wipe(p->data, p->len);
	free(p);
}

static void flush(struct packets *k)
{
	while (!list_is_empty(&k->waiting)) {
		struct packet *p = CONTAINER_OF(k->waiting.next, struct packet, list);

		if (send(k->fd, p->data, p->len, MSG_NOSIGNAL) < 0) {
			if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
				close_it(k, strerror(errno));
			return;
		}
		drop_first(k);
	}
}

static void take(struct packets *k)
{
	for (int i = 0; i < PACKETS_A_TURN && !k->is_closed; i++) {
		ssize_t n = recv(k->fd, k->in, sizeof(k->in), MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_it(k, n ? strerror(errno) : "by the other end");
			return;
		}
		if ((size_t)n <= sizeof(k->in))
			k->on_packet(k->arg, k->in, (size_t)n);
		mem_wipe(k->in, (size_t)n < sizeof(k->in) ? (size_t)n : sizeof(k->in));
	}
}

static void on_ready(void *arg, unsigned events)
{
	struct packets *k = arg;

	if (events & LOOP_WRITE)
		flush(k);
	if (events & LOOP_READ)
		take(k);
	watch(k);
}

struct packets *packets_new(struct loop *l, int fd, packets_packet_f *on_packet, void *arg)
{
	struct packets *k = mem_alloc(sizeof(*k));

	k->loop = l;
	k->fd = fd;
	k->on_packet = on_packet;
	k->arg = arg;
	list_init(&k->waiting);
	loop_io_init(&k->io, on_ready, k);
	watch(k);
	return k;
}

void packets_free(struct packets **lp)
{
	struct packets *k = *lp;

	if (!k)
		return;
	loop_io_del(k->loop, &k->io);
	while (!list_is_empty(&k->waiting))
		drop_first(k);
	close(k->fd);
	free(k);
	*lp = NULL;
}

int packets_send(struct packets *k, const void *data, size_t len)
{
	struct packet *p;

	if (len > PACKET_MAX)
		BUG("packet of %zu bytes", len);
	if (k->is_closed || k->waiting_bytes + len > PACKETS_WAITING_MAX)
		return -1;
	if (list_is_empty(&k->waiting) && send(k->fd, data, len, MSG_NOSIGNAL) == (ssize_t)len)
		return 0;
	p = mem_alloc(sizeof(*p) + len);
	p->len = len;
	memcpy(p->data, data, len);
	list_init(&p->list);
	list_add_tail(&k->waiting, &p->list);
	k->waiting_bytes += len;
	watch(k);
	return 0;
}

bool packets_is_empty(const struct packets *k)
{
	return k->is_closed || list_is_empty(&k->waiting);
}
