/* test_conf - what the tests of src/conf share: a directory of configuration files that is gone afterwards. */
#ifndef TEST_CONF_H
#define TEST_CONF_H

#include "unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"

static char dir[256];

static inline void in_a_directory(void)
{
	unit_temporary(dir, sizeof(dir), "test_conf");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline void remove_all(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d)); ) {
		struct strbuf sb = STRBUF_INIT;

		strbuf_addf(&sb, "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			remove_all(sb.buf);
		else
			unlink(sb.buf);
		strbuf_release(&sb);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static inline void clean(void)
{
	remove_all(dir);
}

static inline char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static inline void put(const char *name, mode_t mode, const char *text)
{
	char sub[128];
	FILE *f;

	snprintf(sub, sizeof(sub), "%.*s", (int)(strchr(name, '/') ? strchr(name, '/') - name : 0), name);
	if (*sub)
		mkdir(path_of(sub), 0755);
	f = fopen(path_of(name), "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path_of(name), mode), 0);
}

static inline struct conf *load(struct strbuf *why)
{
	return conf_load(path_of("wamd.conf"), why);
}

static inline struct conf *must_load(const char *text)
{
	struct strbuf why = STRBUF_INIT;
	struct conf *c;

	put("wamd.conf", 0644, text);
	c = load(&why);
	ck_assert_msg(c != NULL, "%s", why.buf);
	strbuf_release(&why);
	return c;
}

static inline char *dump(const struct conf *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	conf_dump(c, f);
	fclose(f);
	return text;
}

/* The reason must be these very words; "@" stands for the test's directory. */
static inline void check_reason(const char *what, const struct strbuf *why, const char *want)
{
	struct strbuf text = STRBUF_INIT;

	for (; *want; want++)
		if (*want == '@')
			strbuf_adds(&text, dir);
		else
			strbuf_addc(&text, *want);
	ck_assert_msg(!strcmp(why->buf, text.buf), "%s\nsays   %s\nwanted %s", what, why->buf, text.buf);
	strbuf_release(&text);
}

#endif
