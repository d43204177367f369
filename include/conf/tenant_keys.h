/* tenant_keys - the API keys of a tenant: several at a time, so that one can follow the other; only their digests are known. */
#ifndef CONF_TENANT_KEYS_H
#define CONF_TENANT_KEYS_H

#include "conf/tenants.h"

enum api_scope {
#define API_SCOPE(ident, ...) API_SCOPE_##ident,
#include "tbl/api_scopes.h"
#undef API_SCOPE
	API_SCOPES
};
#define API_SCOPES_ALL (BIT(API_SCOPES) - 1)
const char *api_scope_name(enum api_scope s);
int api_scope_parse(const char *name, enum api_scope *out) MUST_CHECK;

enum { TENANT_KEYS_MAX = 32 };

struct api_key {
	char *id;			/* for people: which one is it? */
	uint8_t sha[SHA256_LEN];	/* of its text */
	unsigned scopes;		/* BIT(enum api_scope) */
	int64_t expires_ms;		/* Unix time; 0: never */
};

/* NULL: it has TENANT_KEYS_MAX already, or hex is not 64 hex digits. */
struct api_key *tenant_add_key(struct tenant *t, const char *id, const char *hex);
void tenant_free_keys(struct tenant *t);
bool tenant_take_keys(struct tenant *t, struct tenant *fresh);	/* those of fresh move over; true: they are others */

/* In constant time for the digest, whichever it is; NULL: none of its keys that have not expired. */
const struct api_key *tenant_find_key(const struct tenant *t, const uint8_t sha[SHA256_LEN], int64_t now_ms);

#endif
