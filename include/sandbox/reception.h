/*
 * reception - the body of a media upload while it comes in: counted, hashed, looked at, never kept.
 *
 * Ownership: a call's; reception_free().
 */
#ifndef SANDBOX_RECEPTION_H
#define SANDBOX_RECEPTION_H

#include "base/crypto.h"
#include "base/strbuf.h"
#include "sandbox/filekind.h"

struct reception;

enum { RECEPTION_MAX = 128 * 1024 * 1024 };	/* more than any file may have, so that we can say so */

struct received {
	bool has_file;
	char product[64], type[128];		/* the parts of these names; "": not there */
	char file_type[128], filename[256];	/* of the part "file" */
	int64_t size;
	uint8_t sha256[SHA256_LEN], first[FILEKIND_FIRST];
	size_t n_first;
};

struct reception *reception_new(const char *content_type);
void reception_free(struct reception **rp);
void reception_take(struct reception *r, const void *data, size_t len);
const struct received *reception_end(struct reception *r);	/* NULL: it was no whole multipart/form-data */

#endif
