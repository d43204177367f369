#include "sandbox/filekind.h"

#include <string.h>
#include <strings.h>

enum { KILOBYTE = 1024, MEGABYTE = 1024 * 1024, STICKER_STATIC_MAX = 100 * KILOBYTE };

#define MEDIA_KIND(...)
#define MEDIA_TYPE(...)
#define MEDIA_MAGIC(...)

enum kind {
#undef MEDIA_KIND
#define MEDIA_KIND(ident, name, max) KIND_##ident,
#include "sandbox/tbl_media.h"
};

static const struct { const char *name; int64_t max; } kinds[] = {
#undef MEDIA_KIND
#define MEDIA_KIND(ident, name, max) { name, max },
#include "sandbox/tbl_media.h"
#undef MEDIA_KIND
#define MEDIA_KIND(...)
};

static const struct filekind types[] = {
#undef MEDIA_TYPE
#define MEDIA_TYPE(mime, kind) { mime, KIND_##kind },
#include "sandbox/tbl_media.h"
#undef MEDIA_TYPE
#define MEDIA_TYPE(...)
};

static const struct { const char *mime; size_t at; const char *bytes; size_t n; } magic[] = {
#undef MEDIA_MAGIC
#define MEDIA_MAGIC(mime, at, bytes, n) { mime, at, bytes, n },
#include "sandbox/tbl_media.h"
#undef MEDIA_MAGIC
};

#undef MEDIA_KIND
#undef MEDIA_TYPE

const struct filekind *filekind_find(const char *mime)
{
	size_t n = strcspn(mime, "; \t");

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strlen(types[i].mime) == n && strncasecmp(types[i].mime, mime, n) == 0)
			return &types[i];
	return NULL;
}

void filekind_list(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", types[i].mime);
}

static bool begins_right(const struct filekind *k, const uint8_t *first, size_t n)
{
	bool has_magic = false;

	for (size_t i = 0; i < ARRAY_LEN(magic); i++) {
		if (strcmp(magic[i].mime, k->mime))
			continue;
		has_magic = true;
		if (magic[i].at + magic[i].n <= n && memcmp(first + magic[i].at, magic[i].bytes, magic[i].n) == 0)
			return true;
	}
	return !has_magic && !memchr(first, 0, n);
}

/* The extended header of a WebP file has a bit for it. */
static bool is_animated(const uint8_t *first, size_t n)
{
	return n > 20 && memcmp(first + 12, "VP8X", 4) == 0 && (first[20] & 2);
}

int filekind_check(const struct filekind *k, int64_t size, const uint8_t *first, size_t n_first, struct graph_error *e)
{
	int64_t max = kinds[k->kind].max;

	if (size == 0)
		return graph_error_set(e, 131053, "The file is empty.");
	if (!begins_right(k, first, n_first))
		return graph_error_set(e, 131053, "The file is not of the type %s it is uploaded as.", k->mime);
	if (k->kind == KIND_STICKER && !is_animated(first, n_first))
		max = STICKER_STATIC_MAX;
	if (size > max)
		return graph_error_set(e, 131053, "The file has %lld bytes; at most %lld are allowed for %s.", (long long)size, (long long)max,
				       kinds[k->kind].name);
	return 0;
}

/* A document may be anything; a GIF is sent as a video without sound. */
bool filekind_shows_as(const struct filekind *k, const char *member)
{
	if (strcmp(member, "document") == 0)
		return true;
	return strcmp(kinds[k->kind].name, strcmp(member, "gif") == 0 ? "video" : member) == 0;
}
