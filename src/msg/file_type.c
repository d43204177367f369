#include "msg/file_type.h"

#include <strings.h>

#include "base/str.h"

enum { STATIC_STICKER_MAX = 100 << 10 };

static const struct row { const char *mime, *kind, *names, *magic; int64_t max; } rows[] = {
#define MEDIA_TYPE(mime, kind, names, magic, max) { mime, kind, names, magic, max },
#include "tbl/media_types.h"
#undef MEDIA_TYPE
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One alternative of a magic: how many bytes it has, 0: the head begins otherwise. */
static size_t fits(const char *magic, size_t digits, const struct file_facts *f)
{
	const uint8_t *head = f->head;

	if (digits / 2 > f->len)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		int have = i % 2 ? head[i / 2] & 15 : head[i / 2] >> 4;

		if (magic[i] != '?' && digit(magic[i]) != have)
			return 0;
	}
	return digits / 2;
}

/* How much of the head the magic of this row explains; 0: it is another type's. */
static size_t row_fits(const struct row *r, const struct file_facts *f)
{
	size_t most = 0;

	for (const char *p = r->magic; *p; p += strspn(p, " ")) {
		size_t digits = strcspn(p, " "), n = fits(p, digits, f);

		most = n > most ? n : most;
		p += digits;
	}
	return most;
}

static const struct row *row_of_bytes(const struct file_facts *f)
{
	const struct row *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = row_fits(&rows[i], f);

		if (n > most) {
			most = n;
			best = &rows[i];
		}
	}
	return best;
}

static const struct row *row_of_mime(const char *mime)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strcasecmp(rows[i].mime, mime))
			return &rows[i];
	return NULL;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (; *words; words += strspn(words, " ")) {
		size_t n = strcspn(words, " ");

		if (n == len && !strncasecmp(words, word, n))
			return true;
		words += n;
	}
	return false;
}

static const struct row *row_of_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(rows); i++)
		if (has_word(rows[i].names, dot + 1))
			return &rows[i];
	return NULL;
}

static bool looks_like_text(const struct file_facts *f)
{
	return f->len > 0 && !memchr(f->head, 0, f->len) && !row_of_bytes(f);
}

static bool row_agrees(const struct row *r, const struct file_facts *f)
{
	return *r->magic ? row_fits(r, f) > 0 : looks_like_text(f);
}

/* "type/subtype" without parameters, in lower case; -1: it is none. */
static int read_mime(const char *text, char out[FILE_MIME_MAX + 1])
{
	size_t len = strcspn(text, "; ");

	if (len == 0 || len > FILE_MIME_MAX)
		return -1;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("!#$&^_.+-/", c))
			return -1;
		out[i] = c;
	}
	out[len] = 0;
	return strchr(out, '/') > out && strchr(out, '/') == strrchr(out, '/') && out[len - 1] != '/' ? 0 : -1;
}

/* Meta takes large stickers only if they move: the flag is in the extended header ("WebP Container Specification"). */
static bool is_animated(const struct file_facts *f)
{
	const uint8_t *head = f->head;

	return f->len > 20 && !memcmp(head + 12, "VP8X", 4) && (head[20] & 2);
}

static int take(const struct row *r, const struct file_facts *f, struct file_type *out)
{
	snprintf(out->mime, sizeof(out->mime), "%s", r->mime);
	out->kind = r->kind;
	out->max = !strcmp(r->kind, "sticker") && !is_animated(f) ? STATIC_STICKER_MAX : r->max;
	return 0;
}

static const char *words_for_bytes(const struct file_facts *f)
{
	const struct row *r = row_of_bytes(f);

	return r ? r->mime : looks_like_text(f) ? "text/plain" : "no type that is known";
}

static int of_declared(const struct file_facts *f, struct file_type *out, struct strbuf *why)
{
	const struct row *r;

	if (read_mime(f->declared, out->mime) < 0)
		return why_set(why, "type: found \"%.64s\", allowed a MIME type such as image/png", f->declared);
	r = row_of_mime(out->mime);
	if (r && !row_agrees(r, f))
		return why_set(why, "declared as %s, but the bytes are those of %s", r->mime, words_for_bytes(f));
	if (r)
		return take(r, f, out);
	out->kind = "document";
	out->max = FILE_BYTES_MAX;
	return 0;
}

/* Old and new office files begin all alike, and so do others that are none. */
static bool is_one_of_several(const struct row *r)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (&rows[i] != r && *rows[i].names && !strcmp(rows[i].magic, r->magic))
			return true;
	return false;
}

int file_type_of(const struct file_facts *f, struct file_type *out, struct strbuf *why)
{
	const struct row *named = row_of_name(f->name), *found = row_of_bytes(f);

	if (f->declared && *f->declared)
		return of_declared(f, out, why);
	if (named && !row_agrees(named, f))
		return why_set(why, "the name says %s, but the bytes are those of %s", named->mime, words_for_bytes(f));
	if (named)
		return take(named, f, out);
	if (found && !is_one_of_several(found))
		return take(found, f, out);
	if (looks_like_text(f))
		return take(row_of_mime("text/plain"), f, out);
	return why_set(why, "neither its name nor its bytes say what it is: name its type");
}

const char *file_kind_of(const char *mime)
{
	const struct row *r = row_of_mime(mime);

	return r ? r->kind : "document";
}
