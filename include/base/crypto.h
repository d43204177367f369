/* crypto - HMAC-SHA256 with a kept key, SHA-256, constant-time compare.  libcrypto's only door. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/base.h"

enum { SHA256_LEN = 32 };

struct hmac;				/* one keyed context, reused; not thread safe */
struct hmac *hmac_new(const void *key, size_t len);
void hmac_free(struct hmac **hp);
/* The MAC over the concatenation of n parts. */
struct crypto_part { const void *data; size_t len; };
void hmac_parts(struct hmac *h, const struct crypto_part *parts, int n, uint8_t out[SHA256_LEN]);

void sha256(const void *data, size_t len, uint8_t out[SHA256_LEN]);
/* The same for what comes in pieces. */
struct sha256_stream;
struct sha256_stream *sha256_stream_new(void);
void sha256_stream_add(struct sha256_stream *h, const void *data, size_t len);
void sha256_stream_end(struct sha256_stream *h, uint8_t out[SHA256_LEN]);	/* once */
void sha256_stream_free(struct sha256_stream **hp);

void sha1_hex(const void *data, size_t len, char out[41]);	/* only to name scripts, as EVALSHA wants */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif
