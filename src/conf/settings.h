/* settings - what the files of this room share: the table in memory, and one value's way in and out. */
#ifndef SRC_CONF_SETTINGS_H
#define SRC_CONF_SETTINGS_H

#include <libconfig.h>

#include "conf/conf.h"

enum setting_type { SET_flag, SET_count, SET_msec, SET_bytes, SET_text, SET_url, SET_path, SET_secret, SET_choice, SET_texts, SET_urls, SET_msecs, SET_classes };

struct setting {
	enum setting_type type;
	const char *path;
	const char *fallback;		/* the default, as written */
	int64_t min, max;
	const char *choices;		/* choice only */
	bool live;
	const char *help;
	size_t offset;			/* in struct conf */
};

extern const struct setting settings[];
extern const int n_settings;

const struct setting *setting_find(const char *path);
int setting_from_text(const struct setting *s, struct conf *c, const char *text, struct strbuf *why) MUST_CHECK;
int setting_from_file(const struct setting *s, struct conf *c, const config_setting_t *v, struct strbuf *why) MUST_CHECK;
void setting_to_text(const struct setting *s, const struct conf *c, bool mask, struct strbuf *out);
void setting_copy(const struct setting *s, struct conf *to, const struct conf *from);	/* text only: what needs a restart */
void setting_release(const struct setting *s, struct conf *c);

/* "file:line: path: …"; gives -1, as why_set does */
#define conf_complain(...) (conf_write_complaint(__VA_ARGS__), why_failed())
void conf_write_complaint(struct strbuf *why, const config_setting_t *at, const char *path, const char *fmt, ...) PRINTF(4, 5);
const char *conf_found(const config_setting_t *v);	/* "a whole number", for error texts */
char *conf_beside(const char *file, const char *name);	/* name resolved against file's directory; caller frees */
int conf_each_file(const char *dir, int (*f)(void *arg, const char *file, struct strbuf *why), void *arg,
		   struct strbuf *why) MUST_CHECK;	/* *.conf, sorted; a missing directory is empty */
int conf_read(config_t *cfg, const char *file, struct strbuf *why) MUST_CHECK;

/* Of URLs, paths and secrets: ${NAME} becomes what the environment has, $${ stands for ${.  -1: a variable is not there. */
int conf_expand(const char *text, struct strbuf *out, struct strbuf *why) MUST_CHECK;
void conf_unexpand(const char *text, struct strbuf *out);	/* what conf_expand() makes text of */

/* Where the secret is that a file names: beside it, or credential:NAME of systemd.  The caller frees it; NULL with the reason. */
char *conf_secret_path(const char *beside, const char *name, struct strbuf *why) MUST_CHECK;
bool conf_is_credential(const char *path);

/* Messages per second that limit.tiers grants to this tier, -1: no such tier or a bad one. */
int64_t tier_rate(const struct conf *c, const char *tier);

int conf_read_secret_file(const char *file, char **out, struct strbuf *why) MUST_CHECK;	/* first line; others must not be able to read it */
int conf_load_tenants(struct conf *c, struct strbuf *why) MUST_CHECK;	/* from files, where no tenant service is named */

#endif
