/* The spool: what is kept, what is refused and leaves nothing behind, what goes first. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/spool.h"

#define PNG "\x89PNG\r\n\x1a\n"

static char dir[128];
static struct conf *conf;
static struct spool *spool;
static struct strbuf why = STRBUF_INIT;
static struct spool_file file;

static void setup(void)
{
	unit_temporary(dir, sizeof(dir), "spool");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	conf = conf_defaults();
	free(conf->state_dir);
	conf->state_dir = mem_strdup(dir);
	spool = spool_new(conf);
}

static void teardown(void)
{
	spool_free(&spool);
	conf_free(&conf);
	strbuf_release(&why);
}

/* Files below media/NAME; -1: no such directory. */
static int files_in(const char *name)
{
	char path[256];
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/media/%s", dir, name);
	d = opendir(path);
	for (const struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (!d)
		return -1;
	closedir(d);
	return n;
}

static enum spool_word put(const char *tenant, const char *name, const char *type, const void *bytes, size_t len, int64_t announced)
{
	enum spool_word word;
	struct spool_writer *w = spool_begin(spool, tenant, name, type, announced, &word, &why);

	ck_assert_int_eq(w == NULL, word != SPOOL_OK);
	if (!w)
		return word;
	for (size_t at = 0; at < len && word == SPOOL_OK; at += 7) {	/* in pieces */
		size_t n = len - at < 7 ? len - at : 7;

		word = spool_write(w, (const char *)bytes + at, n, &why);
	}
	if (word == SPOOL_OK)
		word = spool_commit(&w, &file, &why);
	else
		spool_abort(&w);
	ck_assert_ptr_null(w);
	return word;
}

static enum spool_word put_text(const char *tenant, const char *text)
{
	return put(tenant, "a.txt", NULL, text, strlen(text), (int64_t)strlen(text));
}

/* As if it had been used last so long ago. */
static void make_older(const char *tenant, const char *sha, int64_t s)
{
	struct timespec at[2] = { { .tv_sec = time(NULL) - s }, { .tv_sec = time(NULL) - s } };
	char path[300];

	snprintf(path, sizeof(path), "%s/media/%s/%s", dir, tenant, sha);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, at, 0), 0);
}

static void tidy(void)
{
	int steps = 0;

	while (spool_tidy(spool))
		ck_assert_int_lt(++steps, 1000);
}

static bool is_here(const char *tenant, const char *sha)
{
	struct spool_file f;

	return spool_open(spool, tenant, sha, NULL, &f, NULL) == SPOOL_OK;
}

START_TEST(a_file_is_kept_as_it_came)
{
	char bytes[] = PNG "and so on", back[64];
	uint8_t digest[SHA256_LEN];
	char sha[MEDIA_SHA_LEN + 1];
	struct spool_file f;
	struct stat st;
	char path[200];
	int fd = -1;

	ck_assert_int_eq(put("t", "/home/me/Käse \"1\".png", "", bytes, sizeof(bytes), (int64_t)sizeof(bytes)), SPOOL_OK);
	sha256(bytes, sizeof(bytes), digest);
	hex_encode(digest, SHA256_LEN, sha);
	ck_assert_str_eq(file.sha, sha);
	ck_assert_int_eq(spool_open(spool, "t", sha, &fd, &f, &why), SPOOL_OK);
	ck_assert_int_eq(read(fd, back, sizeof(back)), (ssize_t)sizeof(bytes));
	ck_assert_int_eq(memcmp(back, bytes, sizeof(bytes)), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq((int)(st.st_mode & 0777), 0600);
	close(fd);
	ck_assert_str_eq(f.mime, "image/png");
	ck_assert_str_eq(f.kind, "image");
	ck_assert_str_eq(f.name, "Käse \"1\".png");
	ck_assert_int_eq(f.size, (int64_t)sizeof(bytes));
	ck_assert_int_le(llabs(f.since_ms - wall_ms()), 60000);
	snprintf(path, sizeof(path), "%s/media/t", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq((int)(st.st_mode & 0777), 0700);
	ck_assert_int_eq(files_in("t"), 2);
	ck_assert_int_eq(files_in("+new"), 0);
}
END_TEST

START_TEST(tenants_do_not_see_each_other)
{
	ck_assert_int_eq(put_text("t", "mine"), SPOOL_OK);
	ck_assert(is_here("t", file.sha));
	ck_assert(!is_here("u", file.sha));
	ck_assert_int_eq(spool_remove(spool, "u", file.sha, &why), SPOOL_NOT_HERE);
	ck_assert(is_here("t", file.sha));
	ck_assert_int_eq(spool_remove(spool, "t", file.sha, &why), SPOOL_OK);
	ck_assert(!is_here("t", file.sha));
	ck_assert_int_eq(files_in("t"), 0);
}
END_TEST

START_TEST(the_same_again_is_one_file_with_the_newest_name)
{
	struct spool_file f;

	ck_assert_int_eq(put("t", "a.txt", NULL, "x", 1, 1), SPOOL_OK);
	ck_assert_int_eq(put("t", "b.txt", NULL, "x", 1, -1), SPOOL_OK);
	ck_assert_int_eq(files_in("t"), 2);
	ck_assert_int_eq(spool_open(spool, "t", file.sha, NULL, &f, &why), SPOOL_OK);
	ck_assert_str_eq(f.name, "b.txt");
}
END_TEST

static const struct { const char *tenant, *name, *type, *bytes; size_t len; int64_t announced; enum spool_word word; const char *words; } bad[] = {
	{ "t", "a.txt", NULL, "", 0, 0, SPOOL_EMPTY, "empty" },
	{ "t", "a.png", NULL, "hello", 5, 5, SPOOL_TYPE, "text/plain" },
	{ "t", "a.txt", NULL, "hello", 5, 6, SPOOL_TRUNCATED, "5 bytes came of 6" },
	{ "t", "a.txt", NULL, "hello", 5, 100 << 20 | 1, SPOOL_TOO_LARGE, "104857601 bytes" },
	{ "..", "a.txt", NULL, "hello", 5, 5, SPOOL_NAME, "tenant" },
	{ ".", "a.txt", NULL, "hello", 5, 5, SPOOL_NAME, "tenant" },
	{ "+new", "a.txt", NULL, "hello", 5, 5, SPOOL_NAME, "tenant" },
	{ "a/b", "a.txt", NULL, "hello", 5, 5, SPOOL_NAME, "tenant" },
	{ "", "a.txt", NULL, "hello", 5, 5, SPOOL_NAME, "tenant" },
	{ "t", "a\r\nb.txt", NULL, "hello", 5, 5, SPOOL_NAME, "control" },
	{ "t", "a\xff.txt", NULL, "hello", 5, 5, SPOOL_NAME, "UTF-8" },
};

START_TEST(refused_and_nothing_left)
{
	ck_assert_int_eq(put(bad[_i].tenant, bad[_i].name, bad[_i].type, bad[_i].bytes, bad[_i].len, bad[_i].announced), bad[_i].word);
	ck_assert_msg(strstr(why.buf, bad[_i].words) != NULL, "%s", why.buf);
	ck_assert_int_le(files_in("t"), 0);
	ck_assert_int_le(files_in("+new"), 0);
	ck_assert_int_eq(access("/tmp/+new", F_OK), -1);
}
END_TEST

START_TEST(a_kind_has_its_own_limit)
{
	size_t len = (5 << 20) + 1;
	char *bytes = mem_alloc(len);

	memcpy(bytes, PNG, 8);
	ck_assert_int_eq(put("t", "a.png", NULL, bytes, len, -1), SPOOL_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(why.buf, "5242880 of image/png"));
	strbuf_reset(&why);
	ck_assert_int_eq(put("t", "a.png", NULL, bytes, len - 1, -1), SPOOL_OK);
	conf->media_spool_max = 1 << 20;
	ck_assert_int_eq(put("t", "a.png", NULL, bytes, len - 1, -1), SPOOL_FULL);
	ck_assert_int_eq(files_in("+new"), 0);
	free(bytes);
}
END_TEST

START_TEST(what_is_used_stays)
{
	char old[MEDIA_SHA_LEN + 1], used[MEDIA_SHA_LEN + 1];

	ck_assert_int_eq(put_text("t", "old"), SPOOL_OK);
	snprintf(old, sizeof(old), "%s", file.sha);
	ck_assert_int_eq(put_text("u", "used"), SPOOL_OK);
	snprintf(used, sizeof(used), "%s", file.sha);
	make_older("t", old, 31 * 86400);
	make_older("u", used, 31 * 86400);
	spool_touch(spool, "u", used);
	spool_touch(spool, "u", old);			/* it is not there: nothing happens */
	tidy();
	ck_assert(!is_here("t", old));
	ck_assert(is_here("u", used));
	ck_assert_int_eq(files_in("t"), 0);
	ck_assert_int_eq(files_in("u"), 2);
}
END_TEST

START_TEST(what_is_too_much_goes_oldest_first)
{
	char sha[10][MEDIA_SHA_LEN + 1];
	char *bytes = mem_alloc(200000);

	conf->media_spool_max = 1 << 20;
	memset(bytes, 'x', 200000);
	for (int i = 0; i < 10; i++) {
		bytes[0] = (char)('0' + i);
		ck_assert_int_eq(put(i % 2 ? "t" : "u", "a.txt", NULL, bytes, 200000, -1), SPOOL_OK);
		snprintf(sha[i], sizeof(sha[i]), "%s", file.sha);
		make_older(i % 2 ? "t" : "u", sha[i], i == 3 ? 5 : 1000 - i);
	}
	ck_assert(spool_is_over(spool));
	tidy();
	ck_assert(!spool_is_over(spool));
	for (int i = 0; i < 10; i++)
		ck_assert_msg(is_here(i % 2 ? "t" : "u", sha[i]) == (i == 3 || i >= 6), "file %d", i);
	free(bytes);
}
END_TEST

START_TEST(left_overs_go_and_strangers_stay)
{
	char path[300], sha[MEDIA_SHA_LEN + 1];
	static const char *const names[] = { "+new/1.1", "t/notes.txt", NULL };
	struct timespec at[2] = { { .tv_sec = time(NULL) - 7200 }, { .tv_sec = time(NULL) - 7200 } };

	ck_assert_int_eq(put_text("t", "whole"), SPOOL_OK);
	memset(sha, 'a', MEDIA_SHA_LEN);
	sha[MEDIA_SHA_LEN] = 0;
	for (int i = 0; i < 3; i++) {
		if (names[i])
			snprintf(path, sizeof(path), "%s/media/%s", dir, names[i]);
		else
			snprintf(path, sizeof(path), "%s/media/t/%s.json", dir, sha);
		close(open(path, O_WRONLY | O_CREAT, 0600));
		utimensat(AT_FDCWD, path, at, 0);
	}
	tidy();
	ck_assert_int_eq(files_in("+new"), 0);
	ck_assert_int_eq(files_in("t"), 3);		/* the file, its description, the stranger */
	ck_assert(is_here("t", file.sha));
}
END_TEST

START_TEST(no_spool_is_an_empty_one)
{
	tidy();
	ck_assert(!is_here("t", "ab"));
	ck_assert(!is_here("..", "ab"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spool");
	TCase *c = unit_case(s, "spool");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_file_is_kept_as_it_came);
	tcase_add_test(c, tenants_do_not_see_each_other);
	tcase_add_test(c, the_same_again_is_one_file_with_the_newest_name);
	tcase_add_loop_test(c, refused_and_nothing_left, 0, ARRAY_LEN(bad));
	tcase_add_test(c, a_kind_has_its_own_limit);
	tcase_add_test(c, what_is_used_stays);
	tcase_add_test(c, what_is_too_much_goes_oldest_first);
	tcase_add_test(c, left_overs_go_and_strangers_stay);
	tcase_add_test(c, no_spool_is_an_empty_one);
	return unit_run(s);
}
