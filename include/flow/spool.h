/*
 * spool - bytes that were given to wamd for sending, on this machine: media.spool/<tenant>/<sha256>, and <sha256>.json beside it.
 *
 * A file is written once and never changed: what has the same digest is the same file.  It comes into its place whole, after its
 * description, or not at all; what is being written lies in media.spool/+new, a name that no tenant has.  The time of a file's last
 * use is its modification time.  spool_tidy() takes away what is too old, or too much (media.spool_age, media.spool_max).
 * Any process may read; keeper and apis write, the keeper tidies.  Failures have a stable code (enum spool_word) and a reason for people.
 */
#ifndef FLOW_SPOOL_H
#define FLOW_SPOOL_H

#include "conf/conf.h"
#include "msg/file_type.h"

enum { MEDIA_SHA_LEN = 2 * SHA256_LEN, MEDIA_NAME_MAX = 240 };

enum spool_word {
	SPOOL_OK, SPOOL_EMPTY, SPOOL_TOO_LARGE, SPOOL_TYPE, SPOOL_TRUNCATED, SPOOL_FULL, SPOOL_NOT_HERE, SPOOL_NAME, SPOOL_BROKEN
};
const char *spool_code(enum spool_word w);	/* media_empty media_too_large media_type media_truncated spool_full media_not_here … */

struct spool_file {
	char sha[MEDIA_SHA_LEN + 1], mime[FILE_MIME_MAX + 1], name[MEDIA_NAME_MAX + 1];
	const char *kind;
	int64_t size, since_ms, used_ms;	/* Unix time */
};

struct spool;
struct spool *spool_new(const struct conf *c);
void spool_free(struct spool **sp);
void spool_dir(const struct conf *c, struct strbuf *out);

/* ---- writing ---- */

struct spool_writer;
/* len: as announced, -1: not known.  name: of the file, "": none; its path is left out.  NULL: *word and why say it. */
struct spool_writer *spool_begin(struct spool *s, const char *tenant, const char *name, const char *declared, int64_t len,
				 enum spool_word *word, struct strbuf *why);
/* Name and type as above, for who learns them behind the bytes. */
enum spool_word spool_describe(struct spool_writer *w, const char *name, const char *declared, struct strbuf *why) MUST_CHECK;
enum spool_word spool_write(struct spool_writer *w, const void *data, size_t len, struct strbuf *why) MUST_CHECK;
/* Checks the whole, and puts it into its place, on disk.  The writer is gone afterwards, whatever it says. */
enum spool_word spool_commit(struct spool_writer **wp, struct spool_file *out, struct strbuf *why) MUST_CHECK;
void spool_abort(struct spool_writer **wp);			/* NULL is fine */

/* ---- reading ---- */

/* The caller closes *fd; fd NULL: only what is known of it. */
enum spool_word spool_open(const struct spool *s, const char *tenant, const char *sha, int *fd, struct spool_file *out, struct strbuf *why)
	MUST_CHECK;
void spool_touch(const struct spool *s, const char *tenant, const char *sha);	/* it is used now */
enum spool_word spool_remove(struct spool *s, const char *tenant, const char *sha, struct strbuf *why) MUST_CHECK;

/* ---- keeping it small ---- */

/* One step of a round over all files.  true: more steps are to do, soon; false: the round is over, begin another in a minute. */
bool spool_tidy(struct spool *s);
void spool_grew(struct spool *s, int64_t bytes);		/* another process wrote so many */
bool spool_is_over(const struct spool *s);			/* more has come than has room: tidy it now */

#endif
