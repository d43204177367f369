#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/str.h"

struct hmac { EVP_MAC_CTX *ctx; };

struct hmac *hmac_new(const void *key, size_t len)
{
	struct hmac *h = mem_alloc(sizeof(*h));
	static EVP_MAC *mac;	/* fetching it costs more than signing a webhook */
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (!mac)
		mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	h->ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	if (!h->ctx || !EVP_MAC_init(h->ctx, key, len, params))
		fatal(EX_SOFTWARE, "libcrypto has no HMAC-SHA256");
	return h;
}

void hmac_free(struct hmac **hp)
{
	if (!*hp)
		return;
	EVP_MAC_CTX_free((*hp)->ctx);
	free(*hp);
	*hp = NULL;
}

void hmac_parts(struct hmac *h, const struct crypto_part *parts, int n, uint8_t out[SHA256_LEN])
{
	size_t len;

	if (!EVP_MAC_init(h->ctx, NULL, 0, NULL))	/* the same key again */
		BUG("hmac init");
	for (int i = 0; i < n; i++)
		if (!EVP_MAC_update(h->ctx, parts[i].data, parts[i].len))
			BUG("hmac update");
	if (!EVP_MAC_final(h->ctx, out, &len, SHA256_LEN) || len != SHA256_LEN)
		BUG("hmac final");
}

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
	static EVP_MD *md;	/* fetching it costs more than hashing a message */

	if (!md)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!md || !EVP_Digest(data, len, out, NULL, md, NULL))
		BUG("sha256");
}

struct sha256_stream { EVP_MD_CTX *ctx; };

struct sha256_stream *sha256_stream_new(void)
{
	struct sha256_stream *h = mem_alloc(sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || !EVP_DigestInit_ex2(h->ctx, EVP_sha256(), NULL))
		fatal(EX_SOFTWARE, "libcrypto has no SHA-256");
	return h;
}

void sha256_stream_add(struct sha256_stream *h, const void *data, size_t len)
{
	if (!EVP_DigestUpdate(h->ctx, data, len))
		BUG("sha256 update");
}

void sha256_stream_end(struct sha256_stream *h, uint8_t out[SHA256_LEN])
{
	if (!EVP_DigestFinal_ex(h->ctx, out, NULL))
		BUG("sha256 final");
}

void sha256_stream_free(struct sha256_stream **hp)
{
	if (!*hp)
		return;
	EVP_MD_CTX_free((*hp)->ctx);
	free(*hp);
	*hp = NULL;
}

void sha1_hex(const void *data, size_t len, char out[41])
{
	uint8_t md[20];

	if (!EVP_Digest(data, len, md, NULL, EVP_sha1(), NULL))
		BUG("sha1");
	hex_encode(md, sizeof(md), out);
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
