#include "api/console_session.h"

#include <inttypes.h>
#include <strings.h>

#include "base/str.h"

static void prove(const char *what, const char *text, const char *token, char out[SESSION_PROOF_MAX])
{
	struct hmac *h = hmac_new(token, strlen(token));
	uint8_t mac[SHA256_LEN];

	hmac_parts(h, (struct crypto_part[]){ { what, strlen(what) + 1 }, { text, strlen(text) } }, 2, mac);
	hmac_free(&h);
	hex_encode(mac, sizeof(mac), out);
}

static void write_head(const struct session *s, char out[SESSION_HEAD_MAX])
{
	char nonce[2 * SESSION_NONCE + 1];

	hex_encode(s->nonce, SESSION_NONCE, nonce);
	snprintf(out, SESSION_HEAD_MAX, "%c.%" PRId64 ".%s", s->may_act ? 'f' : 'r', s->end_ms, nonce);
}

void session_write(const struct session *s, const char *token, char out[SESSION_MAX])
{
	char head[SESSION_HEAD_MAX], mac[SESSION_PROOF_MAX];

	write_head(s, head);
	prove("wamd console session", head, token, mac);
	snprintf(out, SESSION_MAX, "%s.%s", head, mac);
}

static bool same_text(const char *a, const char *b, size_t b_len)
{
	return strlen(a) == b_len && crypto_equal(a, b, b_len);
}

/* "f.1790000000000.00ff00ff00ff00ff.MAC": read, and then it must be what we would have written. */
static bool read_value(struct session *s, const char *token, const char *value, size_t len)
{
	char text[SESSION_MAX], again[SESSION_MAX], end[24], nonce[2 * SESSION_NONCE + 1];

	if (len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, value);
	if ((text[0] != 'r' && text[0] != 'f') || text[1] != '.' || strcspn(text + 2, ".") >= sizeof(end))
		return false;
	snprintf(end, sizeof(end), "%.*s", (int)strcspn(text + 2, "."), text + 2);
	snprintf(nonce, sizeof(nonce), "%s", text + 2 + strlen(end) + (text[2 + strlen(end)] != 0));
	if (parse_i64(end, &s->end_ms) < 0 || hex_decode(nonce, s->nonce, SESSION_NONCE) < 0)
		return false;
	s->may_act = text[0] == 'f';
	session_write(s, token, again);
	return same_text(again, value, len);
}

bool session_read(struct session *s, const char *token, const char *header, const char *name, int64_t now_ms)
{
	size_t name_len = strlen(name);

	while (header && *header) {
		size_t len;

		header += strspn(header, "; ");
		len = strcspn(header, ";");
		if (len > name_len && !strncmp(header, name, name_len) && header[name_len] == '=' &&
		    read_value(s, token, header + name_len + 1, len - name_len - 1) && s->end_ms > now_ms)
			return true;
		header += len;
	}
	return false;
}

void session_proof(const struct session *s, const char *token, char out[SESSION_PROOF_MAX])
{
	char head[SESSION_HEAD_MAX];

	write_head(s, head);
	prove("wamd console proof", head, token, out);
}

bool session_proof_is_good(const struct session *s, const char *token, const char *proof)
{
	char right[SESSION_PROOF_MAX];

	session_proof(s, token, right);
	return proof && same_text(right, proof, strlen(proof));
}

bool host_is_loopback(const char *host)
{
	static const char *const names[] = { "localhost", "[::1]" };
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		len = strlen(names[i]);
		if (!strncasecmp(host, names[i], len) && (!host[len] || (host[len] == ':' && str_is_digits(host + len + 1))))
			return true;
	}
	len = strspn(host, "0123456789.");	/* a name cannot look so: its last label is no number */
	return str_starts(host, "127.") && (!host[len] || (host[len] == ':' && str_is_digits(host + len + 1)));
}

bool origin_is_own(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return origin && host && str_starts(origin, scheme) && !strcasecmp(origin + sizeof(scheme) - 1, host) && host_is_loopback(host);
}
