#include "settings.h"

#include "base/mem.h"
#include "base/str.h"

#define LIVE true
#define RESTART false
#define MIN_flag(x) (x)
#define MIN_count(x) (x)
#define MIN_msec(x) (x)
#define MIN_bytes(x) (x)
#define MIN_text(x) (x)
#define MIN_url(x) (x)
#define MIN_path(x) (x)
#define MIN_secret(x) (x)
#define MIN_texts(x) (x)
#define MIN_urls(x) (x)
#define MIN_msecs(x) (x)
#define MIN_classes(x) (x)
#define MIN_choice(x) 0
#define WORDS_flag(x) NULL
#define WORDS_count(x) NULL
#define WORDS_msec(x) NULL
#define WORDS_bytes(x) NULL
#define WORDS_text(x) NULL
#define WORDS_url(x) NULL
#define WORDS_path(x) NULL
#define WORDS_secret(x) NULL
#define WORDS_texts(x) NULL
#define WORDS_urls(x) NULL
#define WORDS_msecs(x) NULL
#define WORDS_classes(x) NULL
#define WORDS_choice(x) x

const struct setting settings[] = {
#define SETTING(member, type, path, fallback, min, max, reload, help) \
	{ SET_##type, path, fallback, MIN_##type(min), max, WORDS_##type(min), reload, help, offsetof(struct conf, member) },
#include "tbl/settings.h"
#undef SETTING
};
const int n_settings = ARRAY_LEN(settings);

static const char *const kinds[] = {
	[SET_flag] = "true or false", [SET_count] = "a whole number", [SET_msec] = "a duration in quotes such as \"30s\"",
	[SET_bytes] = "a size in quotes such as \"64KB\"", [SET_text] = "text in quotes", [SET_url] = "text in quotes",
	[SET_path] = "text in quotes", [SET_secret] = "text in quotes",
	[SET_choice] = "text in quotes", [SET_texts] = "a list of texts", [SET_urls] = "a list of texts",
	[SET_msecs] = "a list of durations in quotes", [SET_classes] = "a list of texts",
};

const struct setting *setting_find(const char *path)
{
	for (int i = 0; i < n_settings; i++)
		if (!strcmp(settings[i].path, path))
			return &settings[i];
	return NULL;
}

/* Where what it names is elsewhere on each host, or secret. */
static bool is_expanded(const struct setting *s)
{
	return s->type == SET_url || s->type == SET_urls || s->type == SET_path || s->type == SET_secret;
}

static bool is_list(const struct setting *s)
{
	return s->type == SET_texts || s->type == SET_urls || s->type == SET_msecs || s->type == SET_classes;
}

static int list_length(const struct setting *s, const void *m)
{
	if (s->type == SET_msecs)
		return ((const struct conf_steps *)m)->n;
	if (s->type == SET_classes)
		return ((const struct error_classes *)m)->n;
	return ((const struct conf_strings *)m)->n;
}

void setting_release(const struct setting *s, struct conf *c)
{
	void *m = (char *)c + s->offset;

	switch (s->type) {
	case SET_text:
	case SET_url:
	case SET_path:
	case SET_secret:
	case SET_choice:
		mem_free_secret(*(char **)m);
		*(char **)m = NULL;
		return;
	case SET_texts:
	case SET_urls:
		for (int i = 0; i < ((struct conf_strings *)m)->n; i++)
			mem_free_secret(((struct conf_strings *)m)->v[i]);
		((struct conf_strings *)m)->n = 0;
		return;
	case SET_msecs:
		((struct conf_steps *)m)->n = 0;
		return;
	case SET_classes:
		((struct error_classes *)m)->n = 0;
		return;
	case SET_flag:
	case SET_count:
	case SET_msec:
	case SET_bytes:
		return;
	}
}

static void copy_strings(struct conf_strings *to, const struct conf_strings *from)
{
	for (int i = 0; i < from->n; i++)
		to->v[i] = mem_strdup(from->v[i]);
	to->n = from->n;
}

void setting_copy(const struct setting *s, struct conf *to, const struct conf *from)
{
	void *into = (char *)to + s->offset;
	const void *value = (const char *)from + s->offset;

	switch (s->type) {
	case SET_text:
	case SET_url:
	case SET_path:
	case SET_secret:
	case SET_choice:
		setting_release(s, to);
		*(char **)into = mem_strdup(*(char *const *)value);
		return;
	case SET_texts:
	case SET_urls:
		setting_release(s, to);
		copy_strings(into, value);
		return;
	case SET_msecs:
	case SET_classes:
	case SET_flag:
	case SET_count:
	case SET_msec:
	case SET_bytes:
		BUG("setting %s needs a restart and is no text", s->path);
	}
}

static int between(const struct setting *s, int64_t v, void (*format)(int64_t, char[32]), struct strbuf *why)
{
	char found[32], min[32], max[32];

	if (v >= s->min && v <= s->max)
		return 0;
	format(v, found);
	format(s->min, min);
	format(s->max, max);
	return why_set(why, "found %s, allowed %s to %s", found, min, max);
}

static void format_count(int64_t v, char out[32])
{
	snprintf(out, 32, "%lld", (long long)v);
}

static int one_duration(const struct setting *s, const char *text, int64_t *out, struct strbuf *why)
{
	struct setting range = *s;

	if (parse_msec(text, out) < 0)
		return why_set(why, "found \"%s\", allowed %s", text, kinds[SET_msec]);
	if (s->type == SET_msecs)
		range.min = 1, range.max = 86400000;
	return between(&range, *out, format_msec, why);
}

static int is_choice(const struct setting *s, const char *text, struct strbuf *why)
{
	size_t n = strlen(text);

	for (const char *p = s->choices; *p; p += strcspn(p, " "), p += *p == ' ')
		if (strcspn(p, " ") == n && n && !memcmp(p, text, n))
			return 0;
	return why_set(why, "found \"%s\", allowed one of: %s", text, s->choices);
}

static int one_class(struct error_classes *classes, const char *text, struct strbuf *why)
{
	struct error_class one;

	if (error_class_parse(text, &one) < 0)
		return why_set(why, "found \"%s\", allowed a code, \"=\" and server, throttled, held or refused", text);
	if (error_classes_add(classes, one) < 0)
		return why_set(why, "found \"%s\", allowed each code once", text);
	return 0;
}

static int list_add(const struct setting *s, void *m, const char *text, struct strbuf *why)
{
	struct conf_strings *strings = m;
	struct conf_steps *steps = m;
	int n = list_length(s, m);

	if (n >= s->max || n >= WAMD_STRINGS_MAX)
		return why_set(why, "found more items, allowed at most %lld", (long long)s->max);
	if (s->type == SET_msecs)
		return one_duration(s, text, &steps->v[steps->n], why) < 0 ? -1 : (steps->n++, 0);
	if (s->type == SET_classes)
		return one_class(m, text, why);
	strings->v[strings->n++] = mem_strdup(text);
	return 0;
}

static int list_from_words(const struct setting *s, void *m, const char *text, struct strbuf *why)
{
	while (*text) {
		size_t n = strcspn(text, " ");
		char *word = mem_strndup(text, n);
		int err = n ? list_add(s, m, word, why) : 0;

		free(word);
		if (err)
			return -1;
		text += n + (text[n] == ' ');
	}
	return 0;
}

int setting_from_text(const struct setting *s, struct conf *c, const char *text, struct strbuf *why)
{
	void *m = (char *)c + s->offset;
	int64_t v;

	setting_release(s, c);
	switch (s->type) {
	case SET_flag:
		if (strcmp(text, "true") && strcmp(text, "false"))
			return why_set(why, "found \"%s\", allowed %s", text, kinds[s->type]);
		*(bool *)m = *text == 't';
		return 0;
	case SET_count:
		if (parse_i64(text, &v) < 0)
			return why_set(why, "found \"%s\", allowed %s", text, kinds[s->type]);
		*(int64_t *)m = v;
		return between(s, v, format_count, why);
	case SET_msec:
		return one_duration(s, text, m, why);
	case SET_bytes:
		if (parse_bytes(text, &v) < 0)
			return why_set(why, "found \"%s\", allowed %s", text, kinds[s->type]);
		*(int64_t *)m = v;
		return between(s, v, format_bytes, why);
	case SET_choice:
		if (is_choice(s, text, why) < 0)
			return -1;
		*(char **)m = mem_strdup(text);
		return 0;
	case SET_text:
	case SET_url:
	case SET_path:
	case SET_secret:
		if ((int64_t)strlen(text) < s->min || (int64_t)strlen(text) > s->max)
			return why_set(why, "found %zu characters, allowed %lld to %lld", strlen(text), (long long)s->min,
				       (long long)s->max);
		*(char **)m = mem_strdup(text);
		return 0;
	case SET_texts:
	case SET_urls:
	case SET_msecs:
	case SET_classes:
		return list_from_words(s, m, text, why);
	}
	BUG("setting type %d", (int)s->type);
}

enum { EXPANDED_MAX = 2048 };		/* within it nothing is left behind by growing */

/* It may have been a password. */
static void forget(struct strbuf *expanded)
{
	mem_wipe(expanded->buf, expanded->len);
	strbuf_release(expanded);
}

/* text, or what it is once it is expanded; NULL: why. */
static const char *expand(const struct setting *s, const char *text, struct strbuf *expanded, struct strbuf *why)
{
	if (!is_expanded(s))
		return text;
	strbuf_reserve(expanded, EXPANDED_MAX);
	return conf_expand(text, expanded, why) < 0 ? NULL : expanded->buf;
}

static int text_from_file(const struct setting *s, struct conf *c, const char *text, struct strbuf *why)
{
	struct strbuf expanded = STRBUF_INIT;
	const char *value = expand(s, text, &expanded, why);
	int err = value ? setting_from_text(s, c, value, why) : -1;

	forget(&expanded);
	return err;
}

static int list_add_from_file(const struct setting *s, void *m, const char *text, struct strbuf *why)
{
	struct strbuf expanded = STRBUF_INIT;
	const char *value = expand(s, text, &expanded, why);
	int err = value ? list_add(s, m, value, why) : -1;

	forget(&expanded);
	return err;
}

static int list_from_file(const struct setting *s, struct conf *c, const config_setting_t *v, struct strbuf *why)
{
	void *m = (char *)c + s->offset;

	if (!config_setting_is_array(v) && !config_setting_is_list(v))
		return why_set(why, "found %s, allowed %s", conf_found(v), kinds[s->type]);
	if (config_setting_length(v) < s->min)
		return why_set(why, "found %d items, allowed at least %lld", config_setting_length(v), (long long)s->min);
	setting_release(s, c);
	for (int i = 0; i < config_setting_length(v); i++) {
		const config_setting_t *item = config_setting_get_elem(v, (unsigned)i);

		if (config_setting_type(item) != CONFIG_TYPE_STRING)
			return why_set(why, "found %s, allowed %s", conf_found(item), kinds[s->type]);
		if (list_add_from_file(s, m, config_setting_get_string(item), why) < 0)
			return -1;
	}
	return 0;
}

int setting_from_file(const struct setting *s, struct conf *c, const config_setting_t *v, struct strbuf *why)
{
	char number[32];
	int type = config_setting_type(v);

	if (is_list(s))
		return list_from_file(s, c, v, why);
	switch (s->type) {
	case SET_flag:
		if (type != CONFIG_TYPE_BOOL)
			return why_set(why, "found %s, allowed %s", conf_found(v), kinds[s->type]);
		return setting_from_text(s, c, config_setting_get_bool(v) ? "true" : "false", why);
	case SET_count:
		/* libconfig 1.5 wraps large numbers silently: what does not fit 31 bits must be written with L */
		if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
			return why_set(why, "found %s, allowed %s", conf_found(v), kinds[s->type]);
		format_count(type == CONFIG_TYPE_INT ? config_setting_get_int(v) : config_setting_get_int64(v), number);
		return setting_from_text(s, c, number, why);
	case SET_msec:
	case SET_bytes:
	case SET_text:
	case SET_url:
	case SET_path:
	case SET_secret:
	case SET_choice:
		if (type != CONFIG_TYPE_STRING)
			return why_set(why, "found %s, allowed %s", conf_found(v), kinds[s->type]);
		return text_from_file(s, c, config_setting_get_string(v), why);
	case SET_texts:
	case SET_urls:
	case SET_msecs:
	case SET_classes:
		break;
	}
	BUG("setting type %d", (int)s->type);
}

/* user:password@ becomes user:****@, and password=… becomes password=****.  The last @ before the path ends the login. */
static void add_masked(struct strbuf *out, const char *url)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url;
	const char *at = memrchr(host, '@', strcspn(host, "/?")), *colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
	const char *query;

	if (colon) {
		strbuf_add(out, url, (size_t)(colon + 1 - url));
		strbuf_adds(out, "****");
		url = at;
	}
	query = strstr(url, "password=");
	if (query) {
		strbuf_add(out, url, (size_t)(query + 9 - url));
		strbuf_adds(out, "****");
		url = query + strcspn(query, "&");
	}
	strbuf_adds(out, url);
}

/* As a file would say it. */
static void add_quoted(struct strbuf *out, const struct setting *of, const char *s, bool mask)
{
	struct strbuf value = STRBUF_INIT, text = STRBUF_INIT;

	if (mask)
		add_masked(&value, s);
	else
		strbuf_adds(&value, s);
	if (is_expanded(of))
		conf_unexpand(value.buf, &text);
	else
		strbuf_adds(&text, value.buf);
	strbuf_addc(out, '"');
	for (const char *p = text.buf; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *p);
	}
	strbuf_addc(out, '"');
	strbuf_release(&value);
	strbuf_release(&text);
}

static void add_list(const struct setting *s, const void *m, bool mask, struct strbuf *out)
{
	const struct conf_strings *strings = m;
	const struct conf_steps *steps = m;
	const struct error_classes *classes = m;
	char text[32];

	strbuf_adds(out, "[ ");
	for (int i = 0; i < list_length(s, m); i++) {
		if (i)
			strbuf_adds(out, ", ");
		if (s->type == SET_msecs) {
			format_msec(steps->v[i], text);
			add_quoted(out, s, text, false);
		} else if (s->type == SET_classes) {
			strbuf_addf(out, "\"%d=%s\"", classes->v[i].code, outcome_name(classes->v[i].outcome));
		} else {
			add_quoted(out, s, strings->v[i], mask && s->type == SET_urls);
		}
	}
	strbuf_adds(out, " ]");
}

void setting_to_text(const struct setting *s, const struct conf *c, bool mask, struct strbuf *out)
{
	const void *m = (const char *)c + s->offset;
	char number[32];

	switch (s->type) {
	case SET_flag:
		strbuf_adds(out, *(const bool *)m ? "true" : "false");
		return;
	case SET_count:
		strbuf_addf(out, "%lld", (long long)*(const int64_t *)m);
		return;
	case SET_msec:
		format_msec(*(const int64_t *)m, number);
		add_quoted(out, s, number, false);
		return;
	case SET_bytes:
		format_bytes(*(const int64_t *)m, number);
		add_quoted(out, s, number, false);
		return;
	case SET_text:
	case SET_url:
	case SET_path:
	case SET_secret:
	case SET_choice:
		add_quoted(out, s, *(char *const *)m, mask && s->type == SET_url);
		return;
	case SET_texts:
	case SET_urls:
	case SET_msecs:
	case SET_classes:
		add_list(s, m, mask, out);
		return;
	}
}
