#include "flow/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/spool_inside.h"
#include "msg/json.h"

enum { DESCRIPTION_MAX = 4096 };

const char *spool_code(enum spool_word w)
{
	static const char *const codes[] = {
		[SPOOL_OK] = "ok", [SPOOL_EMPTY] = "media_empty", [SPOOL_TOO_LARGE] = "media_too_large", [SPOOL_TYPE] = "media_type",
		[SPOOL_TRUNCATED] = "media_truncated", [SPOOL_FULL] = "spool_full", [SPOOL_NOT_HERE] = "media_not_here",
		[SPOOL_NAME] = "bad_request", [SPOOL_BROKEN] = "spool_broken",
	};

	return codes[w];
}

void spool_dir(const struct conf *c, struct strbuf *out)
{
	strbuf_setf(out, "%s%s%s", *c->media_spool == '/' ? "" : c->state_dir, *c->media_spool == '/' ? "" : "/", c->media_spool);
}

struct spool *spool_new(const struct conf *c)
{
	struct spool *s = mem_alloc(sizeof(*s));

	s->conf = c;
	strbuf_init(&s->dir);
	spool_dir(c, &s->dir);
	return s;
}

void spool_free(struct spool **sp)
{
	struct spool *s = *sp;

	if (!s)
		return;
	spool_round_free(&s->round);
	strbuf_release(&s->dir);
	free(s);
	*sp = NULL;
}

void spool_path(const struct spool *s, const char *tenant, const char *sha, const char *ending, struct strbuf *out)
{
	strbuf_setf(out, "%s/%s%s%s%s", s->dir.buf, tenant, *sha ? "/" : "", sha, ending);
}

DIR *spool_files(const struct spool *s, const char *tenant)
{
	struct strbuf path = STRBUF_INIT;
	DIR *files;

	spool_path(s, tenant, "", "", &path);
	files = opendir(path.buf);
	strbuf_release(&path);
	return files;
}

bool spool_tenant_is_good(const char *tenant)
{
	return tenant_name_is_good(tenant) && strcmp(tenant, ".") && strcmp(tenant, "..");
}

bool spool_sha_is_good(const char *sha)
{
	return strlen(sha) == MEDIA_SHA_LEN && strspn(sha, "0123456789abcdef") == MEDIA_SHA_LEN;
}

/* ---- reading ---- */

static int read_description(const char *path, struct spool_file *out)
{
	char text[DESCRIPTION_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	json_t *o = NULL;
	int err = -1;

	if (fd >= 0)
		close(fd);
	if (n > 0 && json_parse(text, (size_t)n, &o, NULL) == JSON_OK && json_text(o, "mime") && json_text(o, "filename")) {
		snprintf(out->mime, sizeof(out->mime), "%s", json_text(o, "mime"));
		snprintf(out->name, sizeof(out->name), "%s", json_text(o, "filename"));
		out->since_ms = json_integer_value(json_object_get(o, "since"));
		out->kind = file_kind_of(out->mime);
		err = 0;
	}
	json_decref(o);
	return err;
}

enum spool_word spool_open(const struct spool *s, const char *tenant, const char *sha, int *fd, struct spool_file *out, struct strbuf *why)
{
	struct strbuf path = STRBUF_INIT;
	struct stat st;
	int file = -1, err = -1;

	*out = (struct spool_file){ .kind = "document" };
	snprintf(out->sha, sizeof(out->sha), "%s", sha);
	if (spool_tenant_is_good(tenant) && spool_sha_is_good(sha)) {
		spool_path(s, tenant, sha, "", &path);
		file = open(path.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		spool_path(s, tenant, sha, ".json", &path);
		err = file >= 0 && fstat(file, &st) == 0 ? read_description(path.buf, out) : -1;
	}
	strbuf_release(&path);
	if (err < 0) {
		why_write(why, "the file is not on this machine: it was never given to it, or was removed after media.spool_age without use");
		if (file >= 0)
			close(file);
		return SPOOL_NOT_HERE;
	}
	out->size = st.st_size;
	out->used_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (fd)
		*fd = file;
	else
		close(file);
	return SPOOL_OK;
}

void spool_touch(const struct spool *s, const char *tenant, const char *sha)
{
	struct strbuf path = STRBUF_INIT;

	if (spool_tenant_is_good(tenant) && spool_sha_is_good(sha)) {
		spool_path(s, tenant, sha, "", &path);
		(void)utimensat(AT_FDCWD, path.buf, NULL, AT_SYMLINK_NOFOLLOW);	/* it may be on another machine */
	}
	strbuf_release(&path);
}

/* The file first: without it nobody looks at its description. */
enum spool_word spool_remove(struct spool *s, const char *tenant, const char *sha, struct strbuf *why)
{
	struct strbuf path = STRBUF_INIT;
	struct spool_file f;
	enum spool_word word = spool_open(s, tenant, sha, NULL, &f, why);

	if (word == SPOOL_OK) {
		spool_path(s, tenant, sha, "", &path);
		if (unlink(path.buf) < 0 && errno != ENOENT) {
			why_write(why, "%s: %s", path.buf, strerror(errno));
			word = SPOOL_BROKEN;
		} else {
			s->used -= f.size;
			spool_path(s, tenant, sha, ".json", &path);
			unlink(path.buf);
		}
	}
	strbuf_release(&path);
	return word;
}
