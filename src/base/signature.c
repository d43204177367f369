#include "base/signature.h"

#include "base/crypto.h"
#include "base/str.h"

static int decode(const char *header, uint8_t mac[SHA256_LEN])
{
	static const char prefix[] = "sha256=";

	if (!header || !str_starts(header, prefix))
		return -1;
	return hex_decode(header + strlen(prefix), mac, SHA256_LEN);
}

bool signature_is_good(const char *header, const void *body, size_t len, const char *const secrets[], int n)
{
	uint8_t claimed[SHA256_LEN], own[SHA256_LEN];
	bool good = false;

	if (decode(header, claimed) < 0)
		return false;
	for (int i = 0; i < n; i++) {
		struct hmac *h;

		if (!secrets[i] || !*secrets[i])
			continue;
		h = hmac_new(secrets[i], strlen(secrets[i]));
		hmac_parts(h, &(struct crypto_part){ body, len }, 1, own);
		hmac_free(&h);
		good |= crypto_equal(claimed, own, sizeof(own));
	}
	return good;
}
