#include "io/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum stream_state { CONNECTING, SHAKING, OPEN };

struct stream {
	struct loop *loop;
	struct loop_io io;
	enum stream_state state;
	SSL *ssl;			/* NULL: plain */
	bool want_write, ssl_wants_write;
	struct stream_callbacks cb;
	void *arg;
};

struct stream_trust { SSL_CTX *ctx; };

/* OpenSSL's first words of the error queue, which is empty afterwards. */
static const char *ssl_words(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return reason ? reason : "TLS failed";
}

struct stream_trust *stream_trust_new(const char *ca_file, struct strbuf *why)
{
	struct stream_trust *t = mem_alloc(sizeof(*t));

	t->ctx = SSL_CTX_new(TLS_client_method());
	if (!t->ctx)
		fatal(71, "TLS: %s", ssl_words());
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_load_verify_locations(t->ctx, ca_file, NULL) == 1)
		return t;
	why_set(why, "%s: %s", ca_file, ssl_words());
	stream_trust_free(&t);
	return NULL;
}

void stream_trust_free(struct stream_trust **tp)
{
	if (!*tp)
		return;
	SSL_CTX_free((*tp)->ctx);
	free(*tp);
	*tp = NULL;
}

static int start_tls(struct stream *s, const char *host, struct stream_trust *trust, struct strbuf *why)
{
	struct in6_addr ip;
	bool is_ip = inet_pton(AF_INET, host, &ip) == 1 || inet_pton(AF_INET6, host, &ip) == 1;

	s->ssl = SSL_new(trust->ctx);
	if (!s->ssl || SSL_set_fd(s->ssl, s->io.fd) != 1)
		return why_set(why, "TLS: %s", ssl_words());
	if (is_ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), host) != 1
	    : SSL_set1_host(s->ssl, host) != 1 || SSL_set_tlsext_host_name(s->ssl, host) != 1)
		return why_set(why, "TLS: host name %s cannot be checked", host);
	SSL_set_connect_state(s->ssl);
	return 0;
}

static void watch(struct stream *s)
{
	unsigned events = s->state == CONNECTING ? LOOP_WRITE : LOOP_READ;

	if (s->want_write || s->ssl_wants_write)
		events |= LOOP_WRITE;
	if (s->io.events != events)
		loop_io_set(s->loop, &s->io, s->io.fd, events);
}

static void fail(struct stream *s, const char *what, const char *detail)
{
	struct strbuf why = STRBUF_INIT;

	strbuf_addf(&why, "%s%s", what, detail);
	s->cb.failed(s->arg, why.buf);	/* s is gone now */
	strbuf_release(&why);
}

static void became_open(struct stream *s)
{
	s->state = OPEN;
	s->ssl_wants_write = false;
	watch(s);
	s->cb.open(s->arg);
}

static void shake_hands(struct stream *s)
{
	int done = SSL_do_handshake(s->ssl), reason = SSL_get_error(s->ssl, done);
	long bad = SSL_get_verify_result(s->ssl);

	if (done == 1) {
		became_open(s);
		return;
	}
	s->ssl_wants_write = reason == SSL_ERROR_WANT_WRITE;
	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
		watch(s);
		return;
	}
	if (bad != X509_V_OK) {
		ERR_clear_error();
		fail(s, "TLS: ", X509_verify_cert_error_string(bad));
		return;
	}
	fail(s, "TLS: ", reason == SSL_ERROR_SSL ? ssl_words() : "connection closed in the handshake");
}

static void on_connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		fail(s, "connect: ", strerror(error));
		return;
	}
	if (!s->ssl) {
		became_open(s);
		return;
	}
	s->state = SHAKING;
	shake_hands(s);
}

static void on_ready(void *arg, unsigned events UNUSED)
{
	struct stream *s = arg;

	switch (s->state) {
	case CONNECTING:	on_connected(s); return;
	case SHAKING:		shake_hands(s); return;
	case OPEN:		s->cb.ready(s->arg); return;
	}
}

static void set_option(int fd, int level, int name, int value)
{
	/* None of these is needed for correctness: a kernel that refuses one costs some speed or patience. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

struct stream *stream_new(struct loop *l, const struct address *to, const char *host, struct stream_trust *trust,
			  const struct stream_callbacks *cb, void *arg, struct strbuf *why)
{
	struct stream *s = mem_alloc(sizeof(*s));
	int fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	s->loop = l;
	s->cb = *cb;
	s->arg = arg;
	loop_io_init(&s->io, on_ready, s);
	if (fd < 0) {
		why_set(why, "socket: %s", strerror(errno));
		goto fail;
	}
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) < 0 && errno != EINPROGRESS) {
		why_set(why, "connect: %s", strerror(errno));
		close(fd);
		goto fail;
	}
	loop_io_set(l, &s->io, fd, LOOP_WRITE);
	if (trust && start_tls(s, host, trust, why) < 0)
		goto fail;
	return s;
fail:
	stream_free(&s);
	return NULL;
}

void stream_free(struct stream **sp)
{
	struct stream *s = *sp;
	int fd;

	if (!s)
		return;
	*sp = NULL;
	fd = s->io.fd;
	if (fd >= 0)
		loop_io_del(s->loop, &s->io);
	if (s->ssl && s->state == OPEN)
		(void)SSL_shutdown(s->ssl);	/* says goodbye if there is room; waits for nothing */
	SSL_free(s->ssl);
	ERR_clear_error();
	if (fd >= 0)
		close(fd);
	free(s);
}

void stream_adopt(struct stream *s, const struct stream_callbacks *cb, void *arg)
{
	s->cb = *cb;
	s->arg = arg;
}

static ssize_t ssl_outcome(struct stream *s, int n, bool *eof, struct strbuf *why)
{
	int reason = SSL_get_error(s->ssl, n);

	if (reason == SSL_ERROR_WANT_READ)
		return 0;
	if (reason == SSL_ERROR_WANT_WRITE) {
		s->ssl_wants_write = true;
		watch(s);
		return 0;
	}
	*eof = reason == SSL_ERROR_ZERO_RETURN;
	if (*eof)
		return why_set(why, "closed by the peer");
	if (reason == SSL_ERROR_SYSCALL && errno)
		return why_set(why, "%s", strerror(errno));
	return why_set(why, "TLS: %s", ssl_words());
}

static ssize_t outcome(ssize_t n, struct strbuf *why)
{
	if (n > 0 || errno == EAGAIN || errno == EINTR)
		return n > 0 ? n : 0;
	return why_set(why, "%s", strerror(errno));
}

ssize_t stream_read(struct stream *s, void *buf, size_t n, bool *eof, struct strbuf *why)
{
	ssize_t got;

	*eof = false;
	if (s->ssl) {
		int one;

		s->ssl_wants_write = false;
		errno = 0;
		one = SSL_read(s->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);
		return one > 0 ? one : ssl_outcome(s, one, eof, why);
	}
	got = recv(s->io.fd, buf, n, 0);
	*eof = got == 0;
	return got == 0 ? why_set(why, "closed by the peer") : outcome(got, why);
}

ssize_t stream_write(struct stream *s, const void *buf, size_t n, struct strbuf *why)
{
	bool eof;

	if (s->ssl) {
		int one;

		errno = 0;
		one = SSL_write(s->ssl, buf, n > INT32_MAX ? INT32_MAX : (int)n);
		return one > 0 ? one : ssl_outcome(s, one, &eof, why);
	}
	return outcome(send(s->io.fd, buf, n, MSG_NOSIGNAL), why);
}

void stream_want_write(struct stream *s, bool want)
{
	s->want_write = want;
	watch(s);
}

void stream_unacked_timeout(struct stream *s, int64_t ms)
{
	set_option(s->io.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)ms);
}
