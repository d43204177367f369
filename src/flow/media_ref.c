#include "flow/media_ref.h"

#include <inttypes.h>

#include "base/rand.h"
#include "base/str.h"
#include "flow/spool_inside.h"

enum media_ref_kind media_ref_kind(const char *ref)
{
	if (str_starts(ref, "sha256:"))
		return spool_sha_is_good(media_ref_sha(ref)) ? MEDIA_REF_SHA : MEDIA_REF_BAD;
	if (!str_starts(ref, "m.") || strlen(ref) != MEDIA_HANDLE_LEN)
		return MEDIA_REF_BAD;
	for (const char *p = ref + 2; *p; p++)
		if (!(*p >= '0' && *p <= '9') && !(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && *p != '-' && *p != '_')
			return MEDIA_REF_BAD;
	return MEDIA_REF_HANDLE;
}

void media_handle_new(char out[MEDIA_HANDLE_LEN + 1])
{
	uint8_t bytes[16];

	rand_bytes(bytes, sizeof(bytes));
	out[0] = 'm';
	out[1] = '.';
	base64url_encode(bytes, sizeof(bytes), out + 2);
}

void media_handle_write(const struct spool_file *f, struct strbuf *out)
{
	strbuf_setf(out, "%s %s %" PRId64 " %s", f->sha, f->mime, f->size, f->name);
}

/* The next word into out; NULL: there is none that fits. */
static const char *next_word(const char *p, char *out, size_t size)
{
	size_t len = strcspn(p, " ");

	if (!p[len] || len == 0 || len >= size)
		return NULL;
	memcpy(out, p, len);
	out[len] = 0;
	return p + len + 1;
}

int media_handle_read(const char *text, struct spool_file *out)
{
	char size[24];

	*out = (struct spool_file){ .kind = "document" };
	text = next_word(text, out->sha, sizeof(out->sha));
	text = text ? next_word(text, out->mime, sizeof(out->mime)) : NULL;
	text = text ? next_word(text, size, sizeof(size)) : NULL;
	if (!text || !spool_sha_is_good(out->sha) || parse_i64(size, &out->size) < 0 || strlen(text) >= sizeof(out->name))
		return -1;
	memcpy(out->name, text, strlen(text) + 1);
	out->kind = file_kind_of(out->mime);
	return 0;
}
