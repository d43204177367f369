#include "msg/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/seal.h"
#include "base/str.h"

enum { RANDOM_LEN = 6, MAC_LEN = 8, RAW_LEN = KEY_LEN + 1 + RANDOM_LEN + MAC_LEN };

struct identity { struct hmac *record, *token, *who; struct seal *body; };

/* A key of its own for each end: one MAC never serves two. */
static void derive(struct hmac *from, const char *label, uint8_t derived[SHA256_LEN])
{
	hmac_parts(from, &(struct crypto_part){ label, strlen(label) }, 1, derived);
}

static struct hmac *derived_key(struct hmac *from, const char *label)
{
	uint8_t derived[SHA256_LEN];
	struct hmac *h;

	derive(from, label, derived);
	h = hmac_new(derived, sizeof(derived));
	mem_wipe(derived, sizeof(derived));
	return h;
}

static struct seal *derived_seal(struct hmac *from, const char *label)
{
	uint8_t derived[SHA256_LEN];
	struct seal *s;

	derive(from, label, derived);
	s = seal_new(derived);
	mem_wipe(derived, sizeof(derived));
	return s;
}

struct identity *identity_from_key(const uint8_t key[SHA256_LEN])
{
	struct identity *i = mem_alloc(sizeof(*i));

	i->record = hmac_new(key, SHA256_LEN);
	i->token = derived_key(i->record, "wamd callback token");
	i->who = derived_key(i->record, "wamd recipient");
	i->body = derived_seal(i->record, "wamd stored body");
	return i;
}

static int make_file(const char *file, struct strbuf *why)
{
	uint8_t key[SHA256_LEN];
	char hex[2 * SHA256_LEN + 2];
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), err = 0;

	if (fd < 0)
		return errno == EEXIST ? 0 : why_set(why, "%s: %s", file, strerror(errno));
	rand_bytes(key, sizeof(key));
	hex_encode(key, sizeof(key), hex);
	hex[2 * SHA256_LEN] = '\n';
	if (write(fd, hex, 2 * SHA256_LEN + 1) != 2 * SHA256_LEN + 1 || fsync(fd) < 0)
		err = why_set(why, "%s: %s", file, strerror(errno));
	close(fd);
	mem_wipe(hex, sizeof(hex));
	mem_wipe(key, sizeof(key));
	return err;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct identity *identity_load(const char *file, bool make, struct strbuf *why)
{
	char hex[2 * SHA256_LEN + 2];
	uint8_t key[SHA256_LEN];
	struct identity *i;
	ssize_t n;
	int fd;

	if (make && make_file(file, why) < 0)
		return NULL;
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		why_set(why, "%s: %s", file, strerror(errno));
		return NULL;
	}
	n = read(fd, hex, sizeof(hex));
	close(fd);
	for (int k = 0; k < SHA256_LEN; k++) {
		int hi = n >= 2 * SHA256_LEN ? hex_value(hex[2 * k]) : -1, lo = hi < 0 ? -1 : hex_value(hex[2 * k + 1]);

		if (lo < 0) {
			why_set(why, "%s: found no installation key, allowed 64 hex digits", file);
			return NULL;
		}
		key[k] = (uint8_t)(hi << 4 | lo);
	}
	i = identity_from_key(key);
	mem_wipe(hex, sizeof(hex));
	mem_wipe(key, sizeof(key));
	return i;
}

void identity_free(struct identity **ip)
{
	if (!*ip)
		return;
	hmac_free(&(*ip)->record);
	hmac_free(&(*ip)->token);
	hmac_free(&(*ip)->who);
	seal_free(&(*ip)->body);
	free(*ip);
	*ip = NULL;
}

void identity_record_key(struct identity *i, const struct message *m, uint8_t key[KEY_LEN])
{
	uint8_t mac[SHA256_LEN];
	struct crypto_part parts[] = {
		{ m->tenant_id, strlen(m->tenant_id) + 1 }, { m->key, strlen(m->key) + 1 }, { m->digest, SHA256_LEN },
	};

	hmac_parts(i->record, parts, ARRAY_LEN(parts), mac);
	memcpy(key, mac, KEY_LEN);
}

void identity_who(struct identity *i, const struct recipient *r, char out[WHO_LEN + 1])
{
	char person[RECIPIENT_MAX];
	struct crypto_part part = { person, 0 };
	uint8_t mac[SHA256_LEN];

	recipient_person(r, person);
	part.len = strlen(person);
	hmac_parts(i->who, &part, 1, mac);
	hex_encode(mac, WHO_LEN / 2, out);
}

void identity_token(struct identity *i, const uint8_t key[KEY_LEN], int attempt, char out[TOKEN_LEN + 1])
{
	uint8_t raw[RAW_LEN], mac[SHA256_LEN];
	struct crypto_part part = { raw, RAW_LEN - MAC_LEN };

	memcpy(raw, key, KEY_LEN);
	raw[KEY_LEN] = (uint8_t)attempt;
	rand_bytes(raw + KEY_LEN + 1, RANDOM_LEN);
	hmac_parts(i->token, &part, 1, mac);
	memcpy(raw + RAW_LEN - MAC_LEN, mac, MAC_LEN);
	memcpy(out, "w1.", sizeof("w1."));
	base64url_encode(raw, RAW_LEN, out + 3);
}

int identity_read_token(struct identity *i, const char *token, uint8_t key[KEY_LEN], int *attempt)
{
	uint8_t raw[RAW_LEN], mac[SHA256_LEN];
	struct crypto_part part = { raw, RAW_LEN - MAC_LEN };
	size_t n = strcspn(token, "|");		/* the caller's own value may follow */

	if (n != TOKEN_LEN || memcmp(token, "w1.", 3) || base64url_decode(token + 3, n - 3, raw, RAW_LEN) != RAW_LEN)
		return -1;
	hmac_parts(i->token, &part, 1, mac);
	if (!crypto_equal(mac, raw + RAW_LEN - MAC_LEN, MAC_LEN))
		return -1;
	memcpy(key, raw, KEY_LEN);
	*attempt = raw[KEY_LEN];
	return 0;
}

void identity_seal(struct identity *i, const uint8_t key[KEY_LEN], const void *data, size_t len, struct strbuf *out)
{
	seal_close(i->body, key, KEY_LEN, data, len, out);
}

int identity_unseal(struct identity *i, const uint8_t key[KEY_LEN], const void *sealed, size_t len, struct strbuf *out)
{
	return seal_open(i->body, key, KEY_LEN, sealed, len, out);
}
