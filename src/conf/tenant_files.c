#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/tenant_keys.h"
#include "settings.h"

enum { SECRET_MAX = 4096 };

static int text_member(const config_setting_t *group, const char *name, bool needed, const char **out, struct strbuf *why)
{
	const config_setting_t *v = config_setting_get_member(group, name);

	*out = NULL;
	if (!v)
		return needed ? conf_complain(why, group, name, "is missing") : 0;
	if (config_setting_type(v) != CONFIG_TYPE_STRING)
		return conf_complain(why, v, name, "found %s, allowed text in quotes", conf_found(v));
	*out = config_setting_get_string(v);
	return 0;
}

static int flag_member(const config_setting_t *group, const char *name, bool *out, struct strbuf *why)
{
	const config_setting_t *v = config_setting_get_member(group, name);

	if (!v)
		return 0;
	if (config_setting_type(v) != CONFIG_TYPE_BOOL)
		return conf_complain(why, v, name, "found %s, allowed true or false", conf_found(v));
	*out = config_setting_get_bool(v);
	return 0;
}

static int known_members(const config_setting_t *group, const char *const *known, struct strbuf *why)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *v = config_setting_get_elem(group, (unsigned)i);
		int k = 0;

		while (known[k] && strcmp(known[k], config_setting_name(v)))
			k++;
		if (!known[k])
			return conf_complain(why, v, config_setting_name(v), "no such setting");
	}
	return 0;
}

/* First line of a file that others cannot read. */
int conf_read_secret_file(const char *file, char **out, struct strbuf *why)
{
	char buf[SECRET_MAX + 1];
	struct stat st;
	ssize_t n = -1;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = -1;

	if (fd < 0 || fstat(fd, &st) < 0) {
		why_set(why, "%s: %s", file, strerror(errno));
		goto out;
	}
	if (st.st_mode & S_IRWXO) {
		why_set(why, "%s: may be read by others (mode %03o); chmod o-rwx it", file, (unsigned)(st.st_mode & 0777));
		goto out;
	}
	n = read(fd, buf, SECRET_MAX);
	if (n < 0) {
		why_set(why, "%s: %s", file, strerror(errno));
		goto out;
	}
	buf[n] = 0;
	buf[strcspn(buf, "\r\n")] = 0;
	*out = mem_strdup(buf);
	err = 0;
out:
	mem_wipe(buf, sizeof(buf));
	if (fd >= 0)
		close(fd);
	return err;
}

/* name = "…" or name_file = "path", not both. */
static int secret_member(const config_setting_t *group, const char *name, bool needed, char **out, struct strbuf *why)
{
	struct strbuf file_name = STRBUF_INIT, reason = STRBUF_INIT;
	const char *value, *file;
	int err = -1;

	strbuf_addf(&file_name, "%s_file", name);
	if (text_member(group, name, false, &value, why) < 0 || text_member(group, file_name.buf, false, &file, why) < 0)
		goto out;
	if (value && file) {
		conf_complain(why, group, name, "both %s and %s_file are given", name, name);
		goto out;
	}
	if (!value && !file && needed) {
		conf_complain(why, group, name, "is missing (or %s_file)", name);
		goto out;
	}
	if (file) {
		char *path = conf_secret_path(config_setting_source_file(group), file, &reason);

		err = path ? conf_read_secret_file(path, out, &reason) : -1;
		free(path);
		if (err)
			conf_complain(why, group, file_name.buf, "%s", reason.buf);
		goto out;
	}
	*out = mem_strdup(value);
	err = 0;
out:
	strbuf_release(&file_name);
	strbuf_release(&reason);
	return err;
}

int64_t tier_rate(const struct conf *c, const char *tier)
{
	size_t n = strlen(tier);
	int64_t rate;

	for (int i = 0; i < c->limit_tiers.n; i++) {
		const char *t = c->limit_tiers.v[i];

		if (!strncmp(t, tier, n) && t[n] == '=')
			return parse_i64(t + n + 1, &rate) == 0 && rate >= 1 && rate <= RATE_LIMIT_MAX ? rate : -1;
	}
	return -1;
}

int64_t conf_grant_of_tier(const struct conf *c, const char *tier)
{
	return tier_rate(c, tier);
}

/* A rate is what wamd sends; of a tier, which is Meta's word, it leaves some for what comes in. */
int64_t conf_rate_of_tier(const struct conf *c, const char *tier)
{
	int64_t rate = tier_rate(c, tier);

	if (rate < 0)
		return -1;
	rate = rate * c->limit_headroom / 100;
	return rate < 1 ? 1 : rate;
}

/* 0 in *out: not named. */
static int rate_member(const config_setting_t *group, int64_t *out, struct strbuf *why)
{
	const config_setting_t *v = config_setting_get_member(group, "rate");

	*out = 0;
	if (!v)
		return 0;
	if (config_setting_type(v) != CONFIG_TYPE_INT)
		return conf_complain(why, v, "rate", "found %s, allowed a whole number", conf_found(v));
	*out = config_setting_get_int(v);
	return *out >= 1 && *out <= RATE_LIMIT_MAX ? 0 : conf_complain(why, v, "rate", "found %lld, allowed 1 to %d", (long long)*out, RATE_LIMIT_MAX);
}

/* The account's own rate, else its tier, else its tenant's tier, else limit.tier. */
static int take_rate(const struct conf *c, struct account *a, const config_setting_t *g, const char *tenant_tier, struct strbuf *why)
{
	const char *tier;

	if (rate_member(g, &a->rate, why) < 0 || text_member(g, "tier", false, &tier, why) < 0)
		return -1;
	if (a->rate && tier)
		return conf_complain(why, g, "tier", "both rate and tier are given");
	if (a->rate)
		return 0;
	a->tier = mem_strdup(tier ? tier : tenant_tier ? tenant_tier : c->limit_tier);
	a->rate = conf_rate_of_tier(c, a->tier);
	return a->rate < 0 ? conf_complain(why, g, "tier", "found \"%s\", allowed a tier of limit.tiers", a->tier) : 0;
}

/* Where the configured token stands, and since when: a refreshed one of our own is used while it is newer. */
static void take_place(struct account *a, const config_setting_t *g, const char *file)
{
	const char *here = config_setting_source_file(g), *where;
	struct stat st;

	if (file)
		a->token_file = conf_secret_path(here, file, NULL);
	where = a->token_file ? a->token_file : here;
	/* A credential has the time of the service's start, which says nothing: ours is the newer one, until it is refused. */
	if (!conf_is_credential(where) && stat(where, &st) == 0)
		a->token_since_ms = (int64_t)st.st_mtim.tv_sec * 1000;
}

static int take_token(struct account *a, const config_setting_t *g, struct strbuf *why)
{
	const char *file, *expires;

	if (secret_member(g, "access_token", true, &a->token, why) < 0 || text_member(g, "access_token_file", false, &file, why) < 0 ||
	    text_member(g, "token_expires_at", false, &expires, why) < 0)
		return -1;
	if (!access_token_is_good(a->token))
		return conf_complain(why, g, "access_token", "found %zu characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -",
				     strlen(a->token));
	take_place(a, g, file);
	if (expires && parse_time_ms(expires, &a->token_expires_ms) < 0)
		return conf_complain(why, g, "token_expires_at", "found \"%.40s\", allowed a time such as 2027-01-31T12:00:00Z", expires);
	return 0;
}

static int graph_id_member(const config_setting_t *g, const char *name, bool needed, char **out, struct strbuf *why)
{
	const char *id;

	if (text_member(g, name, needed, &id, why) < 0)
		return -1;
	if (id && !graph_id_is_good(id))
		return conf_complain(why, g, name, "found \"%s\", allowed 1 to %d digits", id, GRAPH_ID_MAX);
	*out = id ? mem_strdup(id) : NULL;
	return 0;
}

static int take_region(struct account *a, const config_setting_t *g, struct strbuf *why)
{
	const char *region;

	if (text_member(g, "default_region", false, &region, why) < 0)
		return -1;
	if (region && !region_is_good(region))
		return conf_complain(why, g, "default_region", "found \"%s\", allowed two capital letters such as DE", region);
	a->region = region ? mem_strdup(region) : NULL;
	return 0;
}

static int take_account(const struct conf *c, struct tenant *t, const config_setting_t *g, const char *tenant_tier,
			struct strbuf *why)
{
	static const char *const known[] = { "id", "phone_number_id", "waba_id", "app_id", "access_token", "access_token_file",
					     "token_expires_at", "app_secret", "app_secret_file", "rate", "tier", "default",
					     "enabled", "default_region", NULL };
	struct account *a = tenant_add_account(t);
	const char *id;

	a->id = mem_strdup("");
	if (!config_setting_is_group(g))
		return conf_complain(why, g, "accounts", "found %s, allowed a list of { … } groups", conf_found(g));
	if (known_members(g, known, why) < 0 || text_member(g, "id", true, &id, why) < 0)
		return -1;
	if (!tenant_name_is_good(id))
		return conf_complain(why, g, "id", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", id);
	free(a->id);
	a->id = mem_strdup(id);
	if (graph_id_member(g, "phone_number_id", true, &a->phone_number_id, why) < 0 ||
	    graph_id_member(g, "waba_id", true, &a->waba_id, why) < 0 || graph_id_member(g, "app_id", false, &a->app_id, why) < 0)
		return -1;
	if (take_token(a, g, why) < 0 || secret_member(g, "app_secret", false, &a->app_secret, why) < 0)
		return -1;
	account_prove(a);
	return take_region(a, g, why) < 0 || take_rate(c, a, g, tenant_tier, why) < 0 || flag_member(g, "default", &a->is_default, why) < 0 ||
	       flag_member(g, "enabled", &a->enabled, why) < 0 ? -1 : 0;
}

static int take_accounts(const struct conf *c, struct tenant *t, const config_setting_t *list, const char *tier, struct strbuf *why)
{
	int n = list ? config_setting_length(list) : 0, err;
	struct strbuf reason = STRBUF_INIT;

	if (list && !config_setting_is_list(list))
		return conf_complain(why, list, "accounts", "found %s, allowed a list: ( { … }, { … } )", conf_found(list));
	for (int i = 0; i < n; i++)
		if (take_account(c, t, config_setting_get_elem(list, (unsigned)i), tier, why) < 0)
			return -1;
	err = tenant_finish(t, &reason);
	if (err) {			/* "default: more than …" */
		char *colon = strchr(reason.buf, ':');

		*colon = 0;
		conf_write_complaint(why, list, reason.buf, "%s", colon + 2);
	}
	strbuf_release(&reason);
	return err;
}

static int take_features(struct tenant *t, const config_setting_t *g, struct strbuf *why)
{
	if (!g)
		return 0;
	if (!config_setting_is_group(g))
		return conf_complain(why, g, "features", "found %s, allowed a group: { … }", conf_found(g));
	for (int i = 0; i < config_setting_length(g); i++) {
		const char *name = config_setting_name(config_setting_get_elem(g, (unsigned)i));
		enum feature f;
		bool on = true;

		if (feature_parse(name, &f) < 0)
			return conf_complain(why, g, name, "no such feature");
		if (flag_member(g, name, &on, why) < 0)
			return -1;
		if (!on)
			t->features_off |= BIT(f);
	}
	return 0;
}

static int take_scopes(struct api_key *k, const config_setting_t *g, struct strbuf *why)
{
	const config_setting_t *list = config_setting_get_member(g, "scopes");

	if (!list)
		return 0;
	if (!config_setting_is_array(list) && !config_setting_is_list(list))
		return conf_complain(why, list, "scopes", "found %s, allowed a list of texts", conf_found(list));
	k->scopes = 0;
	for (int i = 0; i < config_setting_length(list); i++) {
		const char *name = config_setting_get_string_elem(list, i);
		enum api_scope s;

		if (!name || api_scope_parse(name, &s) < 0)
			return conf_complain(why, list, "scopes", "found \"%.40s\", allowed send, read, manage", name ? name : "");
		k->scopes |= BIT(s);
	}
	return 0;
}

static int take_key(struct tenant *t, const config_setting_t *g, struct strbuf *why)
{
	static const char *const known[] = { "id", "sha256", "scopes", "expires", NULL };
	const char *id, *hex, *expires;
	struct api_key *k;

	if (!config_setting_is_group(g))
		return conf_complain(why, g, "api_keys", "found %s, allowed a list of { … } groups", conf_found(g));
	if (known_members(g, known, why) < 0 || text_member(g, "id", true, &id, why) < 0 || text_member(g, "sha256", true, &hex, why) < 0 ||
	    text_member(g, "expires", false, &expires, why) < 0)
		return -1;
	if (!tenant_name_is_good(id))
		return conf_complain(why, g, "id", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", id);
	k = tenant_add_key(t, id, hex);
	if (!k)
		return conf_complain(why, g, "sha256", "allowed 64 hex digits, for at most %d keys of a tenant", TENANT_KEYS_MAX);
	if (expires && parse_time_ms(expires, &k->expires_ms) < 0)
		return conf_complain(why, g, "expires", "found \"%.40s\", allowed a time such as 2027-01-31T12:00:00Z", expires);
	return take_scopes(k, g, why);
}

static int take_keys(struct tenant *t, const config_setting_t *list, struct strbuf *why)
{
	if (list && !config_setting_is_list(list))
		return conf_complain(why, list, "api_keys", "found %s, allowed a list: ( { … }, { … } )", conf_found(list));
	for (int i = 0; list && i < config_setting_length(list); i++)
		if (take_key(t, config_setting_get_elem(list, (unsigned)i), why) < 0)
			return -1;
	return 0;
}

static int read_tenant(struct conf *c, struct tenant *t, const config_setting_t *g, const char *tier, struct strbuf *why)
{
	return flag_member(g, "suspended", &t->suspended, why) < 0 || rate_member(g, &t->rate, why) < 0 ||
	       take_features(t, config_setting_get_member(g, "features"), why) < 0 ||
	       take_keys(t, config_setting_get_member(g, "api_keys"), why) < 0 ||
	       take_accounts(c, t, config_setting_get_member(g, "accounts"), tier, why) < 0 ? -1 : 0;
}

static int take_tenant(struct conf *c, const config_setting_t *g, struct strbuf *why)
{
	static const char *const known[] = { "id", "portfolio", "suspended", "rate", "tier", "features", "accounts", "api_keys", NULL };
	const char *id, *portfolio, *tier;
	struct tenant *t;
	bool changed;

	if (!config_setting_is_group(g))
		return conf_complain(why, g, "tenant", "found %s, allowed a group: { … }", conf_found(g));
	if (known_members(g, known, why) < 0 || text_member(g, "id", true, &id, why) < 0 ||
	    text_member(g, "portfolio", false, &portfolio, why) < 0 || text_member(g, "tier", false, &tier, why) < 0)
		return -1;
	if (!tenant_name_is_good(id))
		return conf_complain(why, g, "id", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", id);
	if (portfolio && !tenant_name_is_good(portfolio))
		return conf_complain(why, g, "portfolio", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", portfolio);
	if (tenant_set_find(c->tenants, id))
		return conf_complain(why, g, "id", "tenant %s stands twice", id);
	t = tenant_new(id, portfolio ? portfolio : id);
	if (read_tenant(c, t, g, tier, why) < 0) {
		tenant_free(&t);
		return -1;
	}
	tenant_set_put(c->tenants, t, &changed);
	return 0;
}

/* A file holds `tenant: { … };` or `tenants: ( { … }, … );`. */
static int take_file(void *arg, const char *file, struct strbuf *why)
{
	config_t cfg;
	const config_setting_t *root;
	int err = 0;

	if (conf_read(&cfg, file, why) < 0)
		return -1;
	root = config_root_setting(&cfg);
	for (int i = 0; i < config_setting_length(root) && !err; i++) {
		const config_setting_t *v = config_setting_get_elem(root, (unsigned)i);

		if (!strcmp(config_setting_name(v), "tenant")) {
			err = take_tenant(arg, v, why);
		} else if (!strcmp(config_setting_name(v), "tenants") && config_setting_is_list(v)) {
			for (int k = 0; k < config_setting_length(v) && !err; k++)
				err = take_tenant(arg, config_setting_get_elem(v, (unsigned)k), why);
		} else {
			err = conf_complain(why, v, config_setting_name(v), "no such setting (tenant or tenants belong here)");
		}
	}
	config_destroy(&cfg);
	return err;
}

static int by_number(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->phone_number_id, (*(const struct account *const *)b)->phone_number_id);
}

/* A phone number belongs to exactly one tenant's one account. */
static int numbers_are_unique(const struct conf *c, struct strbuf *why)
{
	const struct account **all = mem_array((size_t)c->tenants->n_accounts, sizeof(*all));
	int n = 0, err = 0;

	for (int i = 0; i < tenant_set_size(c->tenants); i++)
		for (int k = 0; k < tenant_set_at(c->tenants, i)->n_accounts; k++)
			all[n++] = tenant_set_at(c->tenants, i)->accounts[k];
	if (n)
		qsort(all, (size_t)n, sizeof(*all), by_number);
	for (int i = 1; i < n && !err; i++)
		if (!strcmp(all[i]->phone_number_id, all[i - 1]->phone_number_id))
			err = why_set(why, "%s: phone_number_id %s belongs to tenant %s account %s and to tenant %s account %s",
				      c->tenants_dir, all[i]->phone_number_id, all[i - 1]->tenant->id, all[i - 1]->id,
				      all[i]->tenant->id, all[i]->id);
	free(all);
	return err;
}

int conf_load_tenants(struct conf *c, struct strbuf *why)
{
	char *dir;
	int err;

	if (*c->service_url)
		return 0;		/* they come from there, one by one */
	dir = conf_beside(c->file, c->tenants_dir);
	err = conf_each_file(dir, take_file, c, why);
	free(dir);
	if (err || numbers_are_unique(c, why) < 0)
		return -1;
	for (int i = 0; i < tenant_set_size(c->tenants); i++)
		for (int k = 0; k < tenant_set_at(c->tenants, i)->n_accounts; k++)
			(void)conf_read_stored_token(c, tenant_set_at(c->tenants, i)->accounts[k]);
	return 0;
}
