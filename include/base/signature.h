/*
 * signature - did Meta write this webhook?  X-Hub-Signature-256 is "sha256=" and the HMAC-SHA256 of the raw body, keyed with the app secret.
 *
 * All secrets are tried always and compared in constant time, so the time tells only how many there are: two while one replaces another.
 */
#ifndef BASE_SIGNATURE_H
#define BASE_SIGNATURE_H

#include "base/base.h"

/* header: the value, NULL if there is none.  Secrets that are NULL or empty fit nothing. */
bool signature_is_good(const char *header, const void *body, size_t len, const char *const secrets[], int n);

#endif
