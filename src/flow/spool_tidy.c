/*
 * The spool is kept small: a round lists all files, a bite at a time, and then removes those that were not used for too long, and
 * the oldest of the others while all together are too much.  What came meanwhile is the next round's.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/spool_inside.h"

enum {
	NAMES_A_STEP = 200, REMOVED_A_STEP = 20,
	LEFT_OVER_MS = 3600000,		/* what is no whole file by then never will be one */
};

struct found { char *tenant; char sha[MEDIA_SHA_LEN + 1]; int64_t size, used_ms; };

struct spool_round {
	DIR *tenants, *files;		/* files: of the tenant that is being looked at */
	char *tenant;
	struct found *v;
	int n, size;
	int64_t total;
	bool is_sorted;
	int next;			/* to be looked at, oldest first */
};

void spool_round_free(struct spool_round **rp)
{
	struct spool_round *r = *rp;

	if (!r)
		return;
	if (r->tenants)
		closedir(r->tenants);
	if (r->files)
		closedir(r->files);
	for (int i = 0; i < r->n; i++)
		free(r->v[i].tenant);
	free(r->v);
	free(r->tenant);
	free(r);
	*rp = NULL;
}

static int64_t used_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static void add(struct spool_round *r, const char *sha, const struct stat *st)
{
	struct found *f;

	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 64;
		r->v = mem_grow(r->v, (size_t)r->size, sizeof(*r->v));
	}
	f = &r->v[r->n++];
	*f = (struct found){ .tenant = mem_strdup(r->tenant), .size = st->st_size, .used_ms = used_ms(st) };
	snprintf(f->sha, sizeof(f->sha), "%.*s", MEDIA_SHA_LEN, sha);
	r->total += f->size;
}

/* A description whose file is gone, or a file that nobody finished. */
static bool is_left_over(const struct spool_round *r, const char *name, const struct stat *st)
{
	struct stat file;
	char sha[MEDIA_SHA_LEN + 1];

	if (wall_ms() - used_ms(st) < LEFT_OVER_MS)
		return false;
	if (!strcmp(r->tenant, SPOOL_NEW))
		return true;
	snprintf(sha, sizeof(sha), "%.*s", MEDIA_SHA_LEN, name);
	return spool_sha_is_good(sha) && !strcmp(name + MEDIA_SHA_LEN, ".json") &&
	       fstatat(dirfd(r->files), sha, &file, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static void look_at(struct spool_round *r, const char *name)
{
	struct stat st;

	if (fstatat(dirfd(r->files), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (strcmp(r->tenant, SPOOL_NEW) && spool_sha_is_good(name))
		add(r, name, &st);
	else if (is_left_over(r, name, &st) && unlinkat(dirfd(r->files), name, 0) < 0)
		log_warn("spool", "%s/%s: %s", r->tenant, name, strerror(errno));
}

/* The next tenant's; false: there are no more. */
static bool next_tenant(struct spool_round *r)
{
	const struct dirent *d = readdir(r->tenants);

	free(r->tenant);
	r->tenant = d && (spool_tenant_is_good(d->d_name) || !strcmp(d->d_name, SPOOL_NEW)) ? mem_strdup(d->d_name) : NULL;
	return d;
}

/* false: all are listed. */
static bool list_some(const struct spool *s, struct spool_round *r)
{
	for (int i = 0; i < NAMES_A_STEP; i++) {
		const struct dirent *d = r->files ? readdir(r->files) : NULL;

		if (d) {
			look_at(r, d->d_name);
			continue;
		}
		if (r->files)
			closedir(r->files);
		r->files = NULL;
		if (!next_tenant(r))
			return false;
		r->files = r->tenant ? spool_files(s, r->tenant) : NULL;
	}
	return true;
}

static int by_use(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->used_ms < y->used_ms ? -1 : x->used_ms > y->used_ms;
}

/* It may have been used since it was listed. */
static bool was_used(const struct spool *s, const struct found *f)
{
	struct strbuf path = STRBUF_INIT;
	struct stat st;
	bool used;

	spool_path(s, f->tenant, f->sha, "", &path);
	used = lstat(path.buf, &st) == 0 && used_ms(&st) > f->used_ms;
	strbuf_release(&path);
	return used;
}

static void take_away(struct spool *s, const struct found *f, const char *why)
{
	struct strbuf path = STRBUF_INIT;

	spool_path(s, f->tenant, f->sha, "", &path);
	if (unlink(path.buf) < 0 && errno != ENOENT)
		log_warn("spool", "%s: %s", path.buf, strerror(errno));
	else
		log_info("media_removed", "tenant=%s sha256=%.12s bytes=%lld: %s", f->tenant, f->sha, (long long)f->size, why);
	spool_path(s, f->tenant, f->sha, ".json", &path);
	unlink(path.buf);
	strbuf_release(&path);
}

/* false: what is left may stay. */
static bool remove_some(struct spool *s, struct spool_round *r)
{
	int64_t oldest = wall_ms() - s->conf->media_spool_age;

	for (int removed = 0; r->next < r->n; r->next++) {
		const struct found *f = &r->v[r->next];
		bool is_old = f->used_ms < oldest;

		if (!is_old && r->total <= s->conf->media_spool_max)
			return false;
		if (was_used(s, f))
			continue;
		if (removed++ == REMOVED_A_STEP)
			return true;
		take_away(s, f, is_old ? "not used for media.spool_age" : "more than media.spool_max, and this was not used for the longest time");
		r->total -= f->size;
		s->used -= f->size;
	}
	return false;
}

bool spool_tidy(struct spool *s)
{
	struct spool_round *r = s->round;

	if (!r) {
		r = s->round = mem_alloc(sizeof(*r));
		r->tenants = opendir(s->dir.buf);
		s->used = 0;
	}
	if (r->tenants && list_some(s, r))
		return true;
	if (r->tenants)
		closedir(r->tenants);
	r->tenants = NULL;
	if (!r->is_sorted && r->n)
		qsort(r->v, (size_t)r->n, sizeof(*r->v), by_use);
	if (!r->is_sorted)
		s->used += r->total;	/* what came while it was listed may be in it twice: the next round knows better */
	r->is_sorted = true;
	if (remove_some(s, r))
		return true;
	spool_round_free(&s->round);
	return false;
}

void spool_grew(struct spool *s, int64_t bytes)
{
	s->used += bytes;
}

bool spool_is_over(const struct spool *s)
{
	return s->used > s->conf->media_spool_max;
}
