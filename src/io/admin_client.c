#include "io/admin_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

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

static int send_all(int fd, const struct strbuf *request)
{
	size_t sent = 0;

	while (sent < request->len) {
		ssize_t n = send(fd, request->buf + sent, request->len - sent, MSG_NOSIGNAL);

		if (n < 0)
			return has_hung_up() ? 0 : -1;
		sent += (size_t)n;
	}
	return 0;
}

/* HTTP/1.0: the answer ends with the connection. */
static int exchange(int fd, const char *method, const char *target, const struct strbuf *body, struct strbuf *answer)
{
	struct strbuf request = STRBUF_INIT;
	char buf[16384];
	ssize_t n;
	int err;

	strbuf_addf(&request, "%s %s HTTP/1.0\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n", method, target,
		    body->len ? "Content-Type: application/json\r\n" : "", body->len);
	strbuf_add(&request, body->buf, body->len);
	err = send_all(fd, &request);
	strbuf_release(&request);
	if (err)
		return -1;
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
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

int admin_client_call(const char *socket_path, const char *method, const char *target, const struct strbuf *body, int timeout_s,
		      struct strbuf *answer)
{
	int fd = connect_to(socket_path, timeout_s), err, status, saved;
	const char *end;

	if (fd < 0)
		return -1;
	strbuf_reset(answer);
	err = exchange(fd, method, target, body, answer);
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
