/* A file comes into the spool: written aside, looked at, then put into its place. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/spool_inside.h"
#include "msg/json.h"

enum { STRETCH = 2 << 20 };		/* so much is on its way to the disk while the next is written: the last fsync is short */

struct spool_writer {
	struct spool *s;
	char tenant[TENANT_NAME_MAX + 1], name[MEDIA_NAME_MAX + 1], declared[FILE_MIME_MAX + 65];
	struct strbuf path;
	int fd;
	int64_t announced, size, flushed;
	uint8_t head[FILE_HEAD_MAX];
	size_t head_len;
	struct sha256_stream *hash;
};

/* Without its directories and without what could end a header line; cut between characters. */
static int take_name(struct spool_writer *w, const char *name, struct strbuf *why)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	size_t len = strlen(base);

	if (!str_is_utf8(base, len))
		return why_set(why, "name: is not UTF-8");
	if (len > MEDIA_NAME_MAX)
		return why_set(why, "name: found %zu bytes, allowed at most %d", len, MEDIA_NAME_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)base[i] < ' ' || base[i] == 127)
			return why_set(why, "name: has a control character in it");
	memcpy(w->name, base, len + 1);
	return 0;
}

static enum spool_word failed(struct strbuf *why, const char *path, int error)
{
	bool full = error == ENOSPC || error == EDQUOT;

	why_write(why, "%s: %s", path, strerror(error));
	return full ? SPOOL_FULL : SPOOL_BROKEN;
}

static int make_dir(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static enum spool_word open_new(struct spool_writer *w, struct strbuf *why)
{
	spool_path(w->s, SPOOL_NEW, "", "", &w->path);
	if (make_dir(w->s->dir.buf) < 0 || make_dir(w->path.buf) < 0)
		return failed(why, w->path.buf, errno);
	strbuf_addf(&w->path, "/%d.%u", (int)getpid(), ++w->s->serial);
	w->fd = open(w->path.buf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return w->fd < 0 ? failed(why, w->path.buf, errno) : SPOOL_OK;
}

static enum spool_word check_size(const struct spool_writer *w, int64_t size, struct strbuf *why)
{
	if (size > FILE_BYTES_MAX) {
		why_write(why, "found %lld bytes, and Meta takes no file of more than %d", (long long)size, FILE_BYTES_MAX);
		return SPOOL_TOO_LARGE;
	}
	if (size > w->s->conf->media_spool_max) {
		why_write(why, "found %lld bytes, but there is room for %lld only (media.spool_max)", (long long)size,
			  (long long)w->s->conf->media_spool_max);
		return SPOOL_FULL;
	}
	return SPOOL_OK;
}

enum spool_word spool_describe(struct spool_writer *w, const char *name, const char *declared, struct strbuf *why)
{
	if (take_name(w, name, why) < 0)
		return SPOOL_NAME;
	if (declared && strlen(declared) >= sizeof(w->declared)) {
		why_write(why, "type: found \"%.64s…\", allowed a MIME type such as image/png", declared);
		return SPOOL_TYPE;
	}
	snprintf(w->declared, sizeof(w->declared), "%s", declared ? declared : "");
	return SPOOL_OK;
}

static enum spool_word begin(struct spool_writer *w, const char *name, const char *declared, struct strbuf *why)
{
	enum spool_word word;

	if (!spool_tenant_is_good(w->tenant)) {
		why_write(why, "tenant: found \"%s\", allowed 1 to %d of A-Z a-z 0-9 . _ -, but not . and ..", w->tenant, TENANT_NAME_MAX);
		return SPOOL_NAME;
	}
	word = spool_describe(w, name, declared, why);
	if (word == SPOOL_OK)
		word = check_size(w, w->announced, why);
	return word == SPOOL_OK ? open_new(w, why) : word;
}

struct spool_writer *spool_begin(struct spool *s, const char *tenant, const char *name, const char *declared, int64_t len,
				 enum spool_word *word, struct strbuf *why)
{
	struct spool_writer *w = mem_alloc(sizeof(*w));

	*w = (struct spool_writer){ .s = s, .path = STRBUF_INIT, .fd = -1, .announced = len, .hash = sha256_stream_new() };
	snprintf(w->tenant, sizeof(w->tenant), "%s", tenant_name_is_good(tenant) ? tenant : "");
	*word = begin(w, name, declared, why);
	if (*word != SPOOL_OK)
		spool_abort(&w);
	return w;
}

/* Waits for what the stretch before still has to write: never long, and the disk is never far behind. */
static void push_to_disk(struct spool_writer *w)
{
	int64_t done = w->flushed;

	if (w->size - done < STRETCH)
		return;
	if (done >= STRETCH)
		(void)sync_file_range(w->fd, done - STRETCH, STRETCH,
				      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	(void)sync_file_range(w->fd, done, STRETCH, SYNC_FILE_RANGE_WRITE);
	w->flushed = done + STRETCH;
}

enum spool_word spool_write(struct spool_writer *w, const void *data, size_t len, struct strbuf *why)
{
	size_t more = sizeof(w->head) - w->head_len, at = 0;
	enum spool_word word = check_size(w, w->size + (int64_t)len, why);

	if (word != SPOOL_OK)
		return word;
	if (more > len)
		more = len;
	memcpy(w->head + w->head_len, data, more);
	w->head_len += more;
	sha256_stream_add(w->hash, data, len);
	while (at < len) {
		ssize_t n = write(w->fd, (const char *)data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(why, w->path.buf, n < 0 ? errno : ENOSPC);
		at += (size_t)n;
	}
	w->size += (int64_t)len;
	push_to_disk(w);
	return SPOOL_OK;
}

/* ---- the end ---- */

void spool_abort(struct spool_writer **wp)
{
	struct spool_writer *w = *wp;

	if (!w)
		return;
	if (w->fd >= 0) {
		close(w->fd);
		unlink(w->path.buf);
	}
	strbuf_release(&w->path);
	sha256_stream_free(&w->hash);
	free(w);
	*wp = NULL;
}

/* What is in it, in order: what would go to Graph and be refused there, hours later perhaps. */
static enum spool_word check(const struct spool_writer *w, struct spool_file *out, struct strbuf *why)
{
	struct file_facts facts = { w->head, w->head_len, w->name, w->declared };
	struct file_type type;

	if (w->announced >= 0 && w->size != w->announced) {
		why_write(why, "%lld bytes came of %lld that were announced", (long long)w->size, (long long)w->announced);
		return SPOOL_TRUNCATED;
	}
	if (w->size == 0) {
		why_write(why, "the file is empty");
		return SPOOL_EMPTY;
	}
	if (file_type_of(&facts, &type, why) < 0)
		return SPOOL_TYPE;
	if (w->size > type.max) {
		why_write(why, "found %lld bytes, and Meta takes %lld of %s", (long long)w->size, (long long)type.max, type.mime);
		return SPOOL_TOO_LARGE;
	}
	memcpy(out->mime, type.mime, sizeof(out->mime));
	out->kind = type.kind;
	return SPOOL_OK;
}

static int write_description(const struct spool_file *f, const char *path)
{
	json_t *o = json_object();
	struct strbuf text = STRBUF_INIT;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err = -1;

	json_put_text(o, "mime", f->mime);
	json_put_text(o, "filename", f->name);
	json_put_int(o, "size", f->size);
	json_put_int(o, "since", f->since_ms);
	json_dump_to(o, JSON_COMPACT, &text);
	json_decref(o);
	if (fd >= 0)
		err = write(fd, text.buf, text.len) == (ssize_t)text.len && fsync(fd) == 0 ? 0 : -1;
	if (fd >= 0)
		close(fd);
	strbuf_release(&text);
	return err;
}

static int sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = fd < 0 || fsync(fd) < 0 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* The description is there before the file. */
static int put_into_place(struct spool_writer *w, const struct spool_file *f, struct strbuf *to)
{
	struct strbuf aside = STRBUF_INIT;
	int err = -1;

	strbuf_addf(&aside, "%s.json", w->path.buf);
	spool_path(w->s, w->tenant, "", "", to);
	if (make_dir(to->buf) < 0 || write_description(f, aside.buf) < 0)
		goto out;
	spool_path(w->s, w->tenant, f->sha, ".json", to);
	if (rename(aside.buf, to->buf) < 0)
		goto out;
	spool_path(w->s, w->tenant, f->sha, "", to);
	if (rename(w->path.buf, to->buf) < 0)
		goto out;
	close(w->fd);
	w->fd = -1;
	spool_path(w->s, w->tenant, "", "", to);
	err = sync_dir(to->buf);
out:
	if (err < 0)
		unlink(aside.buf);
	strbuf_release(&aside);
	return err;
}

enum spool_word spool_commit(struct spool_writer **wp, struct spool_file *out, struct strbuf *why)
{
	struct spool_writer *w = *wp;
	struct strbuf to = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];
	enum spool_word word;

	*out = (struct spool_file){ .kind = "document", .size = w->size, .since_ms = wall_ms(), .used_ms = wall_ms() };
	memcpy(out->name, w->name, sizeof(out->name));
	sha256_stream_end(w->hash, digest);
	hex_encode(digest, SHA256_LEN, out->sha);
	word = check(w, out, why);
	if (word == SPOOL_OK && (fsync(w->fd) < 0 || put_into_place(w, out, &to) < 0))
		word = failed(why, *to.buf ? to.buf : w->path.buf, errno);
	if (word == SPOOL_OK)
		w->s->used += w->size;
	strbuf_release(&to);
	spool_abort(wp);
	return word;
}
