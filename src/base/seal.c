#include "base/seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "base/rand.h"

/* Each keeps its key schedule: only the nonce is new for each text. */
struct seal { EVP_CIPHER_CTX *closing, *opening; };

struct seal *seal_new(const uint8_t key[SEAL_KEY_LEN])
{
	struct seal *s = mem_alloc(sizeof(*s));
	EVP_CIPHER *aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

	s->closing = EVP_CIPHER_CTX_new();
	s->opening = EVP_CIPHER_CTX_new();
	if (!aes || !s->closing || !s->opening || !EVP_EncryptInit_ex2(s->closing, aes, key, NULL, NULL) ||
	    !EVP_DecryptInit_ex2(s->opening, aes, key, NULL, NULL))
		fatal(EX_SOFTWARE, "libcrypto has no AES-256-GCM");
	EVP_CIPHER_free(aes);
	return s;
}

void seal_free(struct seal **sp)
{
	if (!*sp)
		return;
	EVP_CIPHER_CTX_free((*sp)->closing);
	EVP_CIPHER_CTX_free((*sp)->opening);
	free(*sp);
	*sp = NULL;
}

void seal_close(struct seal *s, const void *aad, size_t aad_len, const void *data, size_t len, struct strbuf *out)
{
	uint8_t nonce[SEAL_NONCE_LEN], tag[SEAL_TAG_LEN];
	uint8_t *text;
	int n = 0;

	if (len > INT_MAX || aad_len > INT_MAX)
		BUG("%zu bytes to seal", len);
	rand_bytes(nonce, sizeof(nonce));
	strbuf_reserve(out, len + SEAL_EXTRA);
	strbuf_add(out, nonce, sizeof(nonce));
	text = (uint8_t *)out->buf + out->len;
	if (!EVP_EncryptInit_ex2(s->closing, NULL, NULL, nonce, NULL) || !EVP_EncryptUpdate(s->closing, NULL, &n, aad, (int)aad_len) ||
	    !EVP_EncryptUpdate(s->closing, text, &n, data, (int)len) || n != (int)len || !EVP_EncryptFinal_ex(s->closing, text + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(s->closing, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, tag))
		BUG("seal");
	out->len += len;
	strbuf_add(out, tag, sizeof(tag));
}

int seal_open(struct seal *s, const void *aad, size_t aad_len, const void *sealed, size_t len, struct strbuf *out)
{
	const uint8_t *p = sealed;
	uint8_t tag[SEAL_TAG_LEN];
	size_t text_len;
	uint8_t *text;
	int n = 0;

	if (len < SEAL_EXTRA || len > INT_MAX || aad_len > INT_MAX)
		return -1;
	text_len = len - SEAL_EXTRA;
	memcpy(tag, p + len - SEAL_TAG_LEN, sizeof(tag));
	strbuf_reserve(out, text_len + 1);
	text = (uint8_t *)out->buf + out->len;
	if (!EVP_DecryptInit_ex2(s->opening, NULL, NULL, p, NULL) || !EVP_DecryptUpdate(s->opening, NULL, &n, aad, (int)aad_len) ||
	    !EVP_DecryptUpdate(s->opening, text, &n, p + SEAL_NONCE_LEN, (int)text_len) ||
	    !EVP_CIPHER_CTX_ctrl(s->opening, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, tag) ||
	    EVP_DecryptFinal_ex(s->opening, text + text_len, &n) <= 0) {
		mem_wipe(text, text_len);	/* what was not proven is nobody's to read */
		*text = 0;
		return -1;
	}
	out->len += text_len;
	out->buf[out->len] = 0;
	return 0;
}
