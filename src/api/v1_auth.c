#include "api/v1_call.h"

#include <strings.h>

#include "base/api_key.h"
#include "conf/tenant_keys.h"

/* "Bearer KEY"; NULL: it is something else. */
static const char *bearer(const char *authorization)
{
	static const char scheme[] = "Bearer ";

	if (!authorization || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	authorization += sizeof(scheme) - 1;
	return authorization + strspn(authorization, " ");
}

/* An unknown tenant and a wrong key are the same to whoever asks. */
enum v1_key v1_whose_key(struct v1 *v, const char *authorization, int scope, struct tenant **t, char tenant_id[TENANT_NAME_MAX + 1])
{
	static const struct tenant nobody;
	const char *text = bearer(authorization);
	const struct api_key *key;
	uint8_t sha[SHA256_LEN];

	*t = NULL;
	if (!text || api_key_tenant(text, tenant_id) < 0)
		return V1_KEY_BAD;
	switch (directory_find(v->directory, tenant_id, t)) {
	case DIRECTORY_FOUND:
	case DIRECTORY_UNKNOWN:
		break;
	case DIRECTORY_AWAY:
		return V1_KEY_AWAY;
	case DIRECTORY_ASKED:
		return V1_KEY_ASKED;
	}
	api_key_hash(text, sha);
	key = tenant_find_key(*t ? *t : &nobody, sha, wall_ms());
	if (!key)
		return V1_KEY_BAD;
	return key->scopes & BIT(scope) ? V1_KEY_GOOD : V1_KEY_SCOPE;
}
