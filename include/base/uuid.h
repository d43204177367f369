/* uuid - RFC 9562 identifiers as text. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/crypto.h"

enum { UUID_LEN = 36 };

void uuid_v7(char out[UUID_LEN + 1]);					/* of now, with 74 random bits */
void uuid_v8(const uint8_t digest[SHA256_LEN], char out[UUID_LEN + 1]);	/* the same digest gives the same one */

#endif
