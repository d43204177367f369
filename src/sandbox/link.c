#include "sandbox/link.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_AHEAD = 64 * 1024 };	/* several TLS records with one system call */

struct link_tls { SSL_CTX *ctx; };

struct link {
	int fd;
	SSL *ssl;		/* NULL: bare */
	bool wants_write;
	bool broken;		/* libssl forbids a shutdown after a fatal error */
};

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
			   void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static const char *tls_reason(void)
{
	const char *s = ERR_reason_error_string(ERR_peek_last_error());

	return s ? s : "unknown error";
}

static int use_files(SSL_CTX *ctx, const char *dir, struct strbuf *why)
{
	struct strbuf path = STRBUF_INIT;
	int err = 0;

	strbuf_setf(&path, "%s/cert.pem", dir);
	if (SSL_CTX_use_certificate_chain_file(ctx, path.buf) != 1)
		err = why_set(why, "%s: %s", path.buf, tls_reason());
	strbuf_setf(&path, "%s/key.pem", dir);
	if (!err && SSL_CTX_use_PrivateKey_file(ctx, path.buf, SSL_FILETYPE_PEM) != 1)
		err = why_set(why, "%s: %s", path.buf, tls_reason());
	strbuf_release(&path);
	return err;
}

struct link_tls *link_tls_new(const char *dir, struct strbuf *why)
{
	static const unsigned char session_context[] = "wamd-sandbox";
	struct link_tls *t = mem_alloc(sizeof(*t));

	t->ctx = SSL_CTX_new(TLS_server_method());
	if (!t->ctx || use_files(t->ctx, dir, why) < 0) {
		link_tls_free(&t);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_ciphersuites(t->ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384");
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_id_context(t->ctx, session_context, sizeof(session_context) - 1);
	SSL_CTX_set_num_tickets(t->ctx, 1);
	SSL_CTX_set_read_ahead(t->ctx, 1);
	SSL_CTX_set_default_read_buffer_len(t->ctx, READ_AHEAD);
	SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, NULL);
	return t;
}

void link_tls_free(struct link_tls **tp)
{
	if (!*tp)
		return;
	SSL_CTX_free((*tp)->ctx);
	free(*tp);
	*tp = NULL;
}

struct link *link_new(struct link_tls *tls, int fd)
{
	struct link *l = mem_alloc(sizeof(*l));

	l->fd = fd;
	if (!tls)
		return l;
	l->ssl = SSL_new(tls->ctx);
	if (!l->ssl || !SSL_set_fd(l->ssl, fd))
		BUG("SSL_new: %s", tls_reason());
	SSL_set_accept_state(l->ssl);
	return l;
}

void link_free(struct link **lp)
{
	struct link *l = *lp;

	if (!l)
		return;
	SSL_free(l->ssl);
	close(l->fd);
	free(l);
	*lp = NULL;
}

int link_fd(const struct link *l)
{
	return l->fd;
}

static int tls_result(struct link *l, int ret)
{
	int e = SSL_get_error(l->ssl, ret);

	l->wants_write = e == SSL_ERROR_WANT_WRITE;
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return LINK_AGAIN;
	if (e == SSL_ERROR_ZERO_RETURN)
		return LINK_EOF;
	l->broken = true;
	return LINK_ERROR;
}

static ssize_t bare_result(struct link *l, ssize_t n, bool write)
{
	if (n >= 0)
		return n;
	l->wants_write = write;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? LINK_AGAIN : LINK_ERROR;
}

int link_handshake(struct link *l)
{
	int ret;

	if (!l->ssl)
		return 1;
	ERR_clear_error();
	ret = SSL_accept(l->ssl);
	if (ret == 1)
		return 1;
	return tls_result(l, ret) == LINK_AGAIN ? LINK_AGAIN : LINK_ERROR;
}

bool link_speaks_h2(const struct link *l)
{
	const unsigned char *name = NULL;
	unsigned len = 0;

	if (l->ssl)
		SSL_get0_alpn_selected(l->ssl, &name, &len);
	return len == 2 && memcmp(name, "h2", 2) == 0;
}

bool link_wants_write(const struct link *l)
{
	return l->wants_write;
}

bool link_has_pending(const struct link *l)
{
	return l->ssl && SSL_has_pending(l->ssl);
}

ssize_t link_read(struct link *l, void *buf, size_t size)
{
	size_t n;

	if (!l->ssl)
		return bare_result(l, recv(l->fd, buf, size, 0), false);
	ERR_clear_error();
	return SSL_read_ex(l->ssl, buf, size, &n) ? (ssize_t)n : tls_result(l, 0);
}

ssize_t link_write(struct link *l, const void *data, size_t len)
{
	size_t n;

	if (!l->ssl)
		return bare_result(l, send(l->fd, data, len, MSG_NOSIGNAL), true);
	ERR_clear_error();
	return SSL_write_ex(l->ssl, data, len, &n) ? (ssize_t)n : tls_result(l, 0);
}

void link_say_goodbye(struct link *l)
{
	if (l->ssl && !l->broken && SSL_is_init_finished(l->ssl)) {
		ERR_clear_error();
		SSL_shutdown(l->ssl);
	}
}

void link_shut(struct link *l)
{
	shutdown(l->fd, SHUT_WR);
}

int link_discard(struct link *l)
{
	char waste[16384];

	/* Bounded: a client that never stops sending must not keep us here. */
	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(l->fd, waste, sizeof(waste), 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return LINK_AGAIN;
		if (n <= 0)
			return LINK_EOF;
	}
	return LINK_AGAIN;
}

void link_reset_on_close(struct link *l)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
