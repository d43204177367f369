#include "io/http_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

struct http_peer http_peer_of(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.pid == 0)
		return (struct http_peer){ .known = false };
	return (struct http_peer){ true, cred.uid, cred.gid, cred.pid };
}

/* The socket's buffer is empty, so this never waits. */
void http_peer_refuse(int fd)
{
	static const char answer[] =
		"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
		"{\"code\":\"too_many_connections\",\"title\":\"too_many_connections\",\"status\":429,"
		"\"detail\":\"this user has as many connections as one may have\"}\n";

	if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("http_server", "who has too many connections has gone");
	close(fd);
}
