#include "io/admin_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

enum { TICK_MS = 250 };

static int connect_to(const char *path, int timeout_s)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = timeout_s };
	int fd, saved;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Whoever refuses a large body may answer and hang up before he has all of it: what he says is read all the same. */
static bool has_hung_up(void)
{
	return errno == EPIPE || errno == ECONNRESET;
}

static int send_all(int fd, const char *p, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n = send(fd, p + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		sent += (size_t)n;
	}
	return 0;
}

static int send_body(int fd, const struct admin_call *call)
{
	char buf[65536];
	int64_t left = call->len;

	while (left > 0) {
		ssize_t n = read(call->fd, buf, left < (int64_t)sizeof(buf) ? (size_t)left : sizeof(buf));

		if (n == 0)
			errno = EIO;	/* the file has become shorter */
		if (n <= 0 || send_all(fd, buf, (size_t)n) < 0)
			return -1;
		left -= n;
		if (call->tick)
			call->tick(call->arg, call->len - left);
	}
	return 0;
}

static int send_request(int fd, const struct admin_call *call)
{
	struct strbuf head = STRBUF_INIT;
	int err;

	strbuf_addf(&head, "%s %s HTTP/1.0\r\nHost: localhost\r\n%sContent-Length: %lld\r\n\r\n", call->method, call->target,
		    call->fd >= 0 ? "Content-Type: application/octet-stream\r\n" : "", (long long)(call->fd >= 0 ? call->len : 0));
	err = send_all(fd, head.buf, head.len);
	strbuf_release(&head);
	if (!err && call->fd >= 0)
		err = send_body(fd, call);
	return err && has_hung_up() ? 0 : err;
}

static ssize_t receive(int fd, const struct admin_call *call, void *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int64_t left_ms = call->timeout_s * 1000LL; call->tick && poll(&p, 1, TICK_MS) == 0; left_ms -= TICK_MS) {
		if (left_ms <= 0) {
			errno = EAGAIN;
			return -1;
		}
		call->tick(call->arg, call->fd >= 0 ? call->len : 0);
	}
	return recv(fd, buf, size, 0);
}

/* HTTP/1.0: the answer ends with the connection. */
static int exchange(int fd, const struct admin_call *call, struct strbuf *answer)
{
	char buf[16384];
	ssize_t n;

	if (send_request(fd, call) < 0)
		return -1;
	while ((n = receive(fd, call, buf, sizeof(buf))) > 0)
		strbuf_add(answer, buf, (size_t)n);
	return n < 0 && !(answer->len && has_hung_up()) ? -1 : 0;
}

/* The 200 of "HTTP/1.1 200 OK", or -1. */
static int status_of(const char *answer)
{
	const char *p = answer + strcspn(answer, " \r\n");

	if (!str_starts(answer, "HTTP/") || *p != ' ' || strspn(p + 1, "0123456789") != 3)
		return -1;
	return (p[1] - '0') * 100 + (p[2] - '0') * 10 + p[3] - '0';
}

int admin_client_call(const char *socket_path, const struct admin_call *call, struct strbuf *answer)
{
	int fd = connect_to(socket_path, call->timeout_s), err, status, saved;
	const char *end;

	if (fd < 0)
		return -1;
	strbuf_reset(answer);
	err = exchange(fd, call, answer);
	saved = errno;
	close(fd);
	errno = err ? saved : EPROTO;
	end = strstr(answer->buf, "\r\n\r\n");
	status = status_of(answer->buf);
	if (err || !end || status < 0)
		return -1;
	strbuf_drop_front(answer, (size_t)(end + 4 - answer->buf));
	return status;
}

void admin_client_add_query(struct strbuf *target, const char *name, const char *value)
{
	strbuf_addf(target, "%c%s=", strchr(target->buf, '?') ? '&' : '?', name);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c))
			strbuf_addc(target, (char)c);
		else
			strbuf_addf(target, "%%%02X", c);
	}
}
