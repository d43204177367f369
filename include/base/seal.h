/*
 * seal - AES-256-GCM with a kept key: what it closes, nobody without the key can read, change or put under another name.
 *
 * A sealed text is nonce (12 random bytes), cipher text, tag (16 bytes).  A random nonce may be drawn 2^32 times for one key.
 * aad is not part of it, and must be the same again: the name of the place where it is kept.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/strbuf.h"

enum { SEAL_KEY_LEN = 32, SEAL_NONCE_LEN = 12, SEAL_TAG_LEN = 16, SEAL_EXTRA = SEAL_NONCE_LEN + SEAL_TAG_LEN };

struct seal;				/* one key's contexts, reused; not thread safe */
struct seal *seal_new(const uint8_t key[SEAL_KEY_LEN]);
void seal_free(struct seal **sp);

void seal_close(struct seal *s, const void *aad, size_t aad_len, const void *data, size_t len, struct strbuf *out);	/* appended */
/* -1: not closed by this key under this aad, or no longer what it was; out is as it was then. */
int seal_open(struct seal *s, const void *aad, size_t aad_len, const void *sealed, size_t len, struct strbuf *out) MUST_CHECK;

#endif
