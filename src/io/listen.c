#include "io/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { BACKLOG = 1024, HOST_MAX = 64 };

/* Numeric only, so nothing here waits for a name server. */
static struct addrinfo *parse(const char *address, struct strbuf *why)
{
	static const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	bool is_ipv6 = n > 2 && address[0] == '[' && address[n - 1] == ']';
	struct addrinfo *found = NULL;
	char host[HOST_MAX];
	int64_t port;

	snprintf(host, sizeof(host), "%.*s", (int)(is_ipv6 ? n - 2 : n), address + is_ipv6);
	if (!n || n >= HOST_MAX || parse_i64(colon + 1, &port) < 0 || port < 1 || port > 65535 || (!is_ipv6 && strchr(host, ':')) ||
	    getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		why_write(why, "found \"%s\", allowed such as 127.0.0.1:8080 or [::1]:8080", address);
		return NULL;
	}
	return found;
}

int listen_check(const char *address, struct strbuf *why)
{
	struct addrinfo *a = parse(address, why);

	if (!a)
		return -1;
	freeaddrinfo(a);
	return 0;
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

int listen_check_loopback(const char *address, struct strbuf *why)
{
	struct addrinfo *a = parse(address, why);
	int err = 0;

	if (!a)
		return -1;
	if (!is_loopback(a->ai_addr))
		err = why_set(why, "found \"%s\", allowed this machine's own addresses, such as 127.0.0.1:9464 or [::1]:9464", address);
	freeaddrinfo(a);
	return err;
}

int listen_open(const char *address, struct strbuf *why)
{
	struct addrinfo *a = parse(address, why);
	int fd, on = 1;

	if (!a)
		return -1;
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (a->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		why_write(why, "%s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}
