/*
 * api_key - the keys tenants show to the HTTP API: "wk.<tenant id>.<43 characters>", the last part 256 random bits in base64url.
 *
 * wamd knows the SHA-256 of the whole text only; the tenant's name in it says whose keys are to be looked at.
 */
#ifndef BASE_API_KEY_H
#define BASE_API_KEY_H

#include "base/crypto.h"

enum { API_KEY_TENANT_MAX = 64, API_KEY_MAX = 128 };

int api_key_make(const char *tenant, char out[API_KEY_MAX]) MUST_CHECK;	/* a new one; -1: no such name can be a tenant's */
int api_key_tenant(const char *text, char out[API_KEY_TENANT_MAX + 1]) MUST_CHECK;	/* -1: it is no key */
void api_key_hash(const char *text, uint8_t out[SHA256_LEN]);

#endif
