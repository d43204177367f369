/* Access tokens that were refreshed by this machine, or rotated in a file of their own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "settings.h"

enum { FILE_MAX = ACCESS_TOKEN_MAX + 64 };

static void path_of(const struct conf *c, const struct account *a, struct strbuf *out)
{
	strbuf_setf(out, "%s/tokens/%s/%s", c->state_dir, a->tenant->id, a->id);
}

/* "TOKEN SINCE_MS EXPIRES_MS\n" */
static int parse(char *text, char **token, int64_t *since, int64_t *expires)
{
	char *at[3], *save = NULL;

	for (int i = 0; i < 3; i++) {
		at[i] = strtok_r(i ? NULL : text, " \n", &save);
		if (!at[i])
			return -1;
	}
	*token = at[0];
	return access_token_is_good(at[0]) && parse_i64(at[1], since) == 0 && parse_i64(at[2], expires) == 0 ? 0 : -1;
}

bool conf_read_stored_token(const struct conf *c, struct account *a)
{
	char text[FILE_MAX + 1], *token;
	struct strbuf path = STRBUF_INIT;
	int64_t since, expires;
	bool changed = false;
	ssize_t n;
	int fd;

	path_of(c, a, &path);
	fd = open(path.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	strbuf_release(&path);
	if (fd < 0)
		return false;
	n = read(fd, text, FILE_MAX);
	close(fd);
	if (n > 0) {
		text[n] = 0;
		if (parse(text, &token, &since, &expires) == 0 && since > a->token_since_ms)
			changed = account_set_token(a, token, since, expires);
	}
	mem_wipe(text, sizeof(text));
	return changed;
}

/* It cannot have been rotated since the start.  Of it and the stored one, the other takes its turn, for this one may have been refused. */
static bool take_credential(struct account *a, const char *token)
{
	if (a->token && !strcmp(a->token, token))
		return false;
	a->token_since_ms = 0;
	return account_set_token(a, token, 0, 0);
}

bool conf_read_token_again(const struct conf *c, struct account *a)
{
	char *token = NULL;
	bool changed = conf_read_stored_token(c, a);

	if (changed && a->token_file && conf_is_credential(a->token_file))
		return true;
	if (a->token_file && conf_read_secret_file(a->token_file, &token, NULL) == 0 && access_token_is_good(token)) {
		struct stat st;
		bool is_credential = conf_is_credential(a->token_file);
		int64_t since = stat(a->token_file, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 : wall_ms();

		if (is_credential)
			changed = take_credential(a, token);
		else if (since >= a->token_since_ms)	/* else: one that was refreshed since */
			changed |= account_set_token(a, token, since, 0);
	}
	mem_free_secret(token);
	return changed;
}

static int make_dir(const char *path, struct strbuf *why)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : why_set(why, "%s: %s", path, strerror(errno));
}

static int write_whole(int fd, const struct strbuf *text)
{
	return write(fd, text->buf, text->len) == (ssize_t)text->len && fsync(fd) == 0 ? 0 : -1;
}

/* A reader sees the old one or the new one; after a crash, too. */
static int replace(const char *path, const struct strbuf *text, struct strbuf *why)
{
	struct strbuf temporary = STRBUF_INIT;
	int fd, err = -1;

	strbuf_addf(&temporary, "%s.new", path);
	fd = open(temporary.buf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0 || write_whole(fd, text) < 0 || rename(temporary.buf, path) < 0)
		why_write(why, "%s: %s", path, strerror(errno));
	else
		err = 0;
	if (fd >= 0)
		close(fd);
	strbuf_release(&temporary);
	return err;
}

int conf_store_token(const struct conf *c, const struct account *a, struct strbuf *why)
{
	struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	int err = -1;

	strbuf_setf(&path, "%s/tokens", c->state_dir);
	if (make_dir(path.buf, why) < 0)
		goto out;
	strbuf_setf(&path, "%s/tokens/%s", c->state_dir, a->tenant->id);
	if (make_dir(path.buf, why) < 0)
		goto out;
	path_of(c, a, &path);
	strbuf_reserve(&text, FILE_MAX);
	strbuf_addf(&text, "%s %" PRId64 " %" PRId64 "\n", a->token, a->token_since_ms, a->token_expires_ms);
	err = replace(path.buf, &text, why);
	mem_wipe(text.buf, text.len);
out:
	strbuf_release(&path);
	strbuf_release(&text);
	return err;
}
