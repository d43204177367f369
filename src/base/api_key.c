#include "base/api_key.h"

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

enum { SECRET_BYTES = 32, SECRET_LEN = 43 };

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_tenant(const char *name, size_t len)
{
	return len >= 1 && len <= API_KEY_TENANT_MAX && strspn(name, LETTERS "._-") >= len;
}

int api_key_make(const char *tenant, char out[API_KEY_MAX])
{
	uint8_t secret[SECRET_BYTES];
	char text[SECRET_LEN + 2];

	if (!is_tenant(tenant, strlen(tenant)))
		return -1;
	rand_bytes(secret, sizeof(secret));
	base64url_encode(secret, sizeof(secret), text);
	snprintf(out, API_KEY_MAX, "wk.%s.%s", tenant, text);
	mem_wipe(secret, sizeof(secret));
	mem_wipe(text, sizeof(text));
	return 0;
}

/* A tenant's name may have dots in it, the secret has none. */
int api_key_tenant(const char *text, char out[API_KEY_TENANT_MAX + 1])
{
	const char *dot = strrchr(text, '.');

	if (!str_starts(text, "wk.") || dot < text + 3 || strlen(dot + 1) != SECRET_LEN || strspn(dot + 1, LETTERS "_-") != SECRET_LEN ||
	    !is_tenant(text + 3, (size_t)(dot - text - 3)))
		return -1;
	snprintf(out, API_KEY_TENANT_MAX + 1, "%.*s", (int)(dot - text - 3), text + 3);
	return 0;
}

void api_key_hash(const char *text, uint8_t out[SHA256_LEN])
{
	sha256(text, strlen(text), out);
}
