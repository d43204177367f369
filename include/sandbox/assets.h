/*
 * assets - the media files that were uploaded, by id: what Meta says of them, and who may send them.
 *
 * An id belongs to the number it was uploaded to and lives for 30 days.  Until the first upload, or until a test wants it
 * ("strict"), messages may name any id: tests that know nothing of media go on.
 * Ownership: an asset lives until assets_clear(); only the facts are kept, not the bytes.
 */
#ifndef SANDBOX_ASSETS_H
#define SANDBOX_ASSETS_H

#include <jansson.h>

#include "base/crypto.h"
#include "sandbox/filekind.h"
#include "sandbox/graph.h"

struct assets;

struct asset {
	char id[24];
	char *pnid, *filename;
	const struct filekind *kind;
	char sha256[2 * SHA256_LEN + 1];
	int64_t size, expires_s;	/* bytes; Unix time */
	bool gone;			/* deleted */
	uint64_t sends;			/* accepted messages that named it */
};

struct received;

struct assets *assets_new(void);
void assets_free(struct assets **ap);
void assets_clear(struct assets *a);		/* any id is good again */
void assets_be_strict(struct assets *a, bool strict);
struct asset *assets_add(struct assets *a, const char *pnid, const struct filekind *kind, const struct received *r, int64_t now_s);
struct asset *assets_find(const struct assets *a, const char *id, size_t len);	/* NULL: never issued */
bool asset_is_good(const struct asset *f, int64_t now_s);
int assets_expire(struct assets *a, const char *id);		/* "all", or one; how many */
void assets_print(const struct assets *a, int64_t now_s, struct strbuf *out);

/* Every id in a message's payload (type: its type): is it this number's, alive, and of a kind the message may show? */
int assets_check(const struct assets *a, const char *pnid, const char *type, const json_t *payload, int64_t now_s, struct graph_error *e)
	MUST_CHECK;
void assets_count(struct assets *a, const char *type, const json_t *payload);

#endif
