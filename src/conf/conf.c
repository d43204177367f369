#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "settings.h"

void conf_write_complaint(struct strbuf *why, const config_setting_t *at, const char *path, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	const char *file = config_setting_source_file(at);
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	why_set(why, "%s:%u: %s: %s", file ? file : "?", config_setting_source_line(at), path, text.buf);
	strbuf_release(&text);
}

const char *conf_found(const config_setting_t *v)
{
	switch (config_setting_type(v)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return "a list";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a fraction";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	}
	return "something else";
}

char *conf_beside(const char *file, const char *name)
{
	struct strbuf sb = STRBUF_INIT;
	const char *slash = strrchr(file, '/');

	if (*name != '/' && slash)
		strbuf_add(&sb, file, (size_t)(slash + 1 - file));
	strbuf_adds(&sb, name);
	return strbuf_detach(&sb);
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".conf");
}

int conf_each_file(const char *dir, int (*f)(void *arg, const char *file, struct strbuf *why), void *arg, struct strbuf *why)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_conf, alphasort), err = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : why_set(why, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		struct strbuf file = STRBUF_INIT;

		strbuf_addf(&file, "%s/%s", dir, names[i]->d_name);
		if (!err)
			err = f(arg, file.buf, why);
		strbuf_release(&file);
		free(names[i]);
	}
	free(names);
	return err;
}

int conf_read(config_t *cfg, const char *file, struct strbuf *why)
{
	struct stat st;
	bool is_twice;

	if (stat(file, &st) < 0)
		return why_set(why, "%s: %s", file, strerror(errno));
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return why_set(why, "%s: may be written by group or others (mode %03o); chmod go-w it", file,
			       (unsigned)(st.st_mode & 0777));
	config_init(cfg);
	if (config_read_file(cfg, file) == CONFIG_TRUE)
		return 0;
	is_twice = !strcmp(config_error_text(cfg), "duplicate setting name");
	why_set(why, "%s:%d: %s%s", config_error_file(cfg) ? config_error_file(cfg) : file, config_error_line(cfg), config_error_text(cfg),
		is_twice ? ": a group or setting stands only once in a file" : "");
	config_destroy(cfg);
	return -1;
}

/* Every leaf must be a setting of the table; groups only lead to leaves. */
static int take_group(struct conf *c, const config_setting_t *group, const char *prefix, struct strbuf *why)
{
	struct strbuf path = STRBUF_INIT, reason = STRBUF_INIT;
	int err = 0;

	for (int i = 0; i < config_setting_length(group) && !err; i++) {
		const config_setting_t *v = config_setting_get_elem(group, (unsigned)i);
		const struct setting *s;

		strbuf_setf(&path, "%s%s%s", prefix, *prefix ? "." : "", config_setting_name(v));
		s = setting_find(path.buf);
		if (s) {
			err = setting_from_file(s, c, v, &reason);
			if (err)
				conf_complain(why, v, path.buf, "%s", reason.buf);
		} else if (config_setting_is_group(v)) {
			err = take_group(c, v, path.buf, why);
		} else {
			err = conf_complain(why, v, path.buf, "no such setting");
		}
	}
	strbuf_release(&path);
	strbuf_release(&reason);
	return err;
}

static int take_file(void *arg, const char *file, struct strbuf *why)
{
	config_t cfg;
	int err;

	if (conf_read(&cfg, file, why) < 0)
		return -1;
	err = take_group(arg, config_root_setting(&cfg), "", why);
	config_destroy(&cfg);
	return err;
}

struct conf *conf_defaults(void)
{
	struct conf *c = mem_alloc(sizeof(*c));
	struct strbuf why = STRBUF_INIT;

	for (int i = 0; i < n_settings; i++)
		if (setting_from_text(&settings[i], c, settings[i].fallback, &why) < 0)
			BUG("default of %s: %s", settings[i].path, why.buf);
	strbuf_release(&why);
	c->file = mem_strdup("");
	c->tenants = tenant_set_new();
	return c;
}

static int64_t longest(const struct conf_steps *s)
{
	int64_t max = 0;

	for (int i = 0; i < s->n; i++)
		max = s->v[i] > max ? s->v[i] : max;
	return max;
}

/* The whole host must be the address: not 127.example.com, nor a login before another host. */
static bool is_plain_loopback(const char *url)
{
	const char *end;

	if (str_starts(url, "http://127."))
		end = url + 7 + strspn(url + 7, "0123456789.");
	else if (str_starts(url, "http://[::1]"))
		end = url + 12;
	else
		return false;
	return strchr(":/", *end) && !strchr(end, '@');
}

enum { LANE_GRACE_MARGIN_MS = 5000 };	/* a join's life (flow/join.c) and some more */

/* What one setting alone cannot say. */
static int check_tiers(const struct conf *c, struct strbuf *why)
{
	for (int i = 0; i < c->limit_tiers.n; i++) {
		const char *item = c->limit_tiers.v[i];
		char *name = mem_strndup(item, strcspn(item, "="));
		int64_t rate = *name ? tier_rate(c, name) : -1;

		free(name);
		if (rate < 0)
			return why_set(why, "%s: limit.tiers: found \"%s\", allowed NAME=MESSAGES_PER_SECOND, 1 to 100000", c->file, item);
	}
	if (tier_rate(c, c->limit_tier) < 0)
		return why_set(why, "%s: limit.tier: found \"%s\", allowed a tier of limit.tiers", c->file, c->limit_tier);
	return 0;
}

static int cross_check(const struct conf *c, struct strbuf *why)
{
	if (c->lane_grace < c->amqp_confirm + LANE_GRACE_MARGIN_MS)
		return why_set(why, "%s: lane.grace: found %lld ms, allowed from 5 s above amqp.confirm_timeout, %lld ms", c->file,
			       (long long)c->lane_grace, (long long)(c->amqp_confirm + LANE_GRACE_MARGIN_MS));
	if (check_tiers(c, why) < 0)
		return -1;
	if (*c->default_region && !region_is_good(c->default_region))
		return why_set(why, "%s: message.default_region: found \"%s\", allowed two capital letters such as DE, or none", c->file,
			       c->default_region);
	if (c->amqp_backoff_min > c->amqp_backoff_max)
		return why_set(why, "%s: amqp.reconnect_min is longer than amqp.reconnect_max", c->file);
	if (c->respawn_min > c->respawn_max)
		return why_set(why, "%s: respawn.min is longer than respawn.max", c->file);
	if (c->host_open > c->host_open_max)
		return why_set(why, "%s: host.open is longer than host.open_max", c->file);
	if (c->retry_max > c->retry_connect.n || c->retry_max > c->retry_server.n)
		return why_set(why, "%s: retry.max is %lld, but retry.connect has %d steps and retry.server %d", c->file,
			       (long long)c->retry_max, c->retry_connect.n, c->retry_server.n);
	if (!strcmp(c->amqp_queue_type, "quorum") && c->amqp_priority)
		return why_set(why, "%s: amqp.queue_type quorum knows no priority: set amqp.max_priority = 0", c->file);
	if (longest(&c->retry_server) > c->max_age || c->unknown_timer > c->max_age)
		return why_set(why, "%s: message.max_age is shorter than a delay step", c->file);
	if (*c->log_target != '/' && strcmp(c->log_target, "stderr") && strcmp(c->log_target, "syslog"))
		return why_set(why, "%s: log.target: found \"%s\", allowed stderr, syslog or an absolute path", c->file, c->log_target);
	if (strpbrk(c->redis_prefix, "{}"))
		return why_set(why, "%s: redis.prefix: found \"%s\", allowed without { and }, which mark what a cluster keeps together",
			       c->file, c->redis_prefix);
	if (!str_starts(c->graph_url, "https://") && !is_plain_loopback(c->graph_url))
		return why_set(why, "%s: graph.url: must be https:// (http:// only to loopback)", c->file);
	if (*c->service_url && !str_starts(c->service_url, "https://") && !is_plain_loopback(c->service_url))
		return why_set(why, "%s: tenant_service.url: must be https:// (http:// only to loopback)", c->file);
	if (*c->state_url && !str_starts(c->state_url, "https://") && !is_plain_loopback(c->state_url))
		return why_set(why, "%s: state_manager.url: must be https:// (http:// only to loopback)", c->file);
	if (!strstr(c->state_status, "{wamid}"))
		return why_set(why, "%s: state_manager.status_path: found \"%s\", allowed with {wamid} in it", c->file, c->state_status);
	if (c->graph_version[0] != 'v' || strspn(c->graph_version + 1, "0123456789.") != strlen(c->graph_version + 1))
		return why_set(why, "%s: graph.version: found \"%s\", allowed such as \"v25.0\"", c->file, c->graph_version);
	return 0;
}

static int read_secret(const struct conf *c, const char *setting, const char *file, char **out, struct strbuf *why)
{
	struct strbuf reason = STRBUF_INIT;
	char *path;
	int err;

	if (!*file)
		return 0;
	path = conf_secret_path(c->file, file, &reason);
	err = path ? conf_read_secret_file(path, out, &reason) : -1;
	if (err)
		why_write(why, "%s: %s: %s", c->file, setting, reason.buf);
	strbuf_release(&reason);
	free(path);
	return err;
}

static int read_secrets(struct conf *c, struct strbuf *why)
{
	size_t len;

	if (read_secret(c, "tenant_service.bearer_file", c->service_bearer, &c->service_secret, why) < 0 ||
	    read_secret(c, "state_manager.token_file", c->state_token, &c->state_secret, why) < 0 ||
	    read_secret(c, "console.token_file", c->console_token, &c->console_secret, why) < 0)
		return -1;
	len = c->console_secret ? strlen(c->console_secret) : 0;
	if (*c->console_listen && !c->console_secret)
		return why_set(why, "%s: console.token_file: is missing: console.listen asks for a login", c->file);
	if (c->console_secret && len < CONSOLE_TOKEN_MIN)
		return why_set(why, "%s: console.token_file: found a token of %zu characters, allowed %d or more", c->file, len,
			       CONSOLE_TOKEN_MIN);
	return 0;
}

static int read_apps(struct conf *c, struct strbuf *why)
{
	struct strbuf reason = STRBUF_INIT;
	int err = 0;

	for (int i = 0; i < c->webhook_apps.n && !err; i++) {
		err = webhook_app_read(&c->apps[i], c->webhook_apps.v[i], c->file, &reason);
		if (err)
			why_write(why, "%s: webhook.apps: %s", c->file, reason.buf);
	}
	strbuf_release(&reason);
	return err;
}

static void wipe(char *secret)
{
	if (secret)
		mem_wipe(secret, strlen(secret));
}

void conf_wipe_secrets(const struct conf *c, bool also_webhooks)
{
	wipe(c->service_secret);
	wipe(c->state_secret);
	wipe(c->console_secret);
	for (int i = 0; i < c->webhook_apps.n && also_webhooks; i++) {
		for (int k = 0; k < WEBHOOK_SECRETS; k++)
			wipe(c->apps[i].secrets[k]);
		wipe(c->apps[i].verify);
	}
}

struct conf *conf_load(const char *file, struct strbuf *why)
{
	struct conf *c = conf_defaults();
	char *overlays = conf_beside(file, "conf.d");

	free(c->file);
	c->file = mem_strdup(file);
	if (take_file(c, file, why) < 0 || conf_each_file(overlays, take_file, c, why) < 0 || cross_check(c, why) < 0 ||
	    read_secrets(c, why) < 0 || read_apps(c, why) < 0 || conf_load_tenants(c, why) < 0)
		conf_free(&c);
	free(overlays);
	return c;
}

void conf_free(struct conf **cp)
{
	struct conf *c = *cp;

	if (!c)
		return;
	tenant_set_free(&c->tenants);
	mem_free_secret(c->service_secret);
	mem_free_secret(c->state_secret);
	mem_free_secret(c->console_secret);
	for (int i = 0; i < WAMD_STRINGS_MAX; i++)
		webhook_app_release(&c->apps[i]);
	for (int i = 0; i < n_settings; i++)
		setting_release(&settings[i], c);
	free(c->file);
	free(c);
	*cp = NULL;
}

void conf_dump(const struct conf *c, FILE *out)
{
	struct strbuf sb = STRBUF_INIT;
	const char *group = "";

	for (int i = 0; i < n_settings; i++) {
		const char *dot = strchr(settings[i].path, '.');
		size_t n = dot ? (size_t)(dot - settings[i].path) : 0;

		if (strlen(group) < n || strncmp(group, settings[i].path, n) || (*group && !n)) {
			strbuf_addf(&sb, "%s\n%.*s:\n{\n", *group ? "};\n" : "", (int)n, settings[i].path);
			group = settings[i].path;
		}
		strbuf_addf(&sb, "%s%s = ", n ? "\t" : "", n ? dot + 1 : settings[i].path);
		setting_to_text(&settings[i], c, true, &sb);
		strbuf_adds(&sb, ";\n");
	}
	strbuf_addf(&sb, "%s", *group ? "};\n" : "");
	for (int i = 0; i < tenant_set_size(c->tenants); i++)
		strbuf_addf(&sb, "# tenant %s: %d account%s\n", tenant_set_at(c->tenants, i)->id, tenant_set_at(c->tenants, i)->n_accounts,
			    tenant_set_at(c->tenants, i)->n_accounts == 1 ? "" : "s");
	fputs(sb.buf, out);
	strbuf_release(&sb);
}

void conf_diff(const struct conf *a, const struct conf *b, void (*changed)(void *arg, const char *path, bool live), void *arg)
{
	struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;

	for (int i = 0; i < n_settings; i++) {
		strbuf_reset(&x);
		strbuf_reset(&y);
		setting_to_text(&settings[i], a, false, &x);
		setting_to_text(&settings[i], b, false, &y);
		if (strcmp(x.buf, y.buf))
			changed(arg, settings[i].path, settings[i].live);
	}
	mem_wipe(x.buf, x.len);
	mem_wipe(y.buf, y.len);
	strbuf_release(&x);
	strbuf_release(&y);
}

void conf_keep_fixed(struct conf *c, const struct conf *in_force)
{
	for (int i = 0; i < n_settings; i++)
		if (!settings[i].live)
			setting_copy(&settings[i], c, in_force);
}

bool conf_feature_is_on(const struct conf *c, const struct tenant *t, enum feature f)
{
	const bool on[] = {
#define FEATURE(ident, word, ...) c->features_##word,
#include "tbl/features.h"
#undef FEATURE
	};

	return on[f] && !(t->features_off & BIT(f));
}
