#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "settings.h"

enum { SECRET_MAX = 4096, RATE_MAX = 100000 };

static bool all_of(const char *s, size_t max, const char *more)
{
	size_t n = strlen(s);

	if (!n || n > max)
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr(more, *s)))
			return false;
	return true;
}

static bool is_name(const char *s) { return all_of(s, 64, "._-"); }
static bool is_graph_id(const char *s) { return str_is_digits(s) && strlen(s) <= 32; }
static bool is_token(const char *s) { return all_of(s, 1024, "._|~-"); }	/* nothing that could end a header line */

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
static int read_secret(const char *file, char **out, struct strbuf *why)
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
		char *path = conf_beside(config_setting_source_file(group), file);

		err = read_secret(path, out, &reason);
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
			return parse_i64(t + n + 1, &rate) == 0 && rate >= 1 && rate <= RATE_MAX ? rate : -1;
	}
	return -1;
}

/* A rate is what wamd sends; of a tier, which is Meta's word, it leaves some for what comes in. */
static int rate_from_tier(const struct conf *c, const config_setting_t *at, const char *tier, int64_t *out, struct strbuf *why)
{
	int64_t rate = tier_rate(c, tier);

	if (rate < 0)
		return conf_complain(why, at, "tier", "found \"%s\", allowed a tier of limit.tiers", tier);
	rate = rate * c->limit_headroom / 100;
	*out = rate < 1 ? 1 : rate;
	return 0;
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
	return *out >= 1 && *out <= RATE_MAX ? 0 : conf_complain(why, v, "rate", "found %lld, allowed 1 to %d", (long long)*out, RATE_MAX);
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
	return rate_from_tier(c, g, a->tier, &a->rate, why);
}

static int take_account(struct conf *c, struct account *a, const config_setting_t *g, const char *tenant_tier, struct strbuf *why)
{
	static const char *const known[] = { "id", "phone_number_id", "waba_id", "access_token", "access_token_file", "app_secret",
					     "app_secret_file", "rate", "tier", "default", "enabled", NULL };
	const char *id, *pnid, *waba;

	a->enabled = true;
	if (!config_setting_is_group(g))
		return conf_complain(why, g, "accounts", "found %s, allowed a list of { … } groups", conf_found(g));
	if (known_members(g, known, why) < 0 || text_member(g, "id", true, &id, why) < 0 ||
	    text_member(g, "phone_number_id", true, &pnid, why) < 0 || text_member(g, "waba_id", true, &waba, why) < 0)
		return -1;
	a->id = mem_strdup(id);
	a->phone_number_id = mem_strdup(pnid);
	a->waba_id = mem_strdup(waba);
	if (!is_name(id))
		return conf_complain(why, g, "id", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", id);
	if (!is_graph_id(pnid))
		return conf_complain(why, g, "phone_number_id", "found \"%s\", allowed 1 to 32 digits", pnid);
	if (!is_graph_id(waba))
		return conf_complain(why, g, "waba_id", "found \"%s\", allowed 1 to 32 digits", waba);
	if (secret_member(g, "access_token", true, &a->token, why) < 0 ||
	    secret_member(g, "app_secret", false, &a->app_secret, why) < 0 || take_rate(c, a, g, tenant_tier, why) < 0 ||
	    flag_member(g, "default", &a->is_default, why) < 0 || flag_member(g, "enabled", &a->enabled, why) < 0)
		return -1;
	if (!is_token(a->token))
		return conf_complain(why, g, "access_token", "found %zu characters, allowed 1 to 1024 of A-Z a-z 0-9 . _ | ~ -",
				     strlen(a->token));
	return 0;
}

static int by_account_id(const void *a, const void *b)
{
	return strcmp(((const struct account *)a)->id, ((const struct account *)b)->id);
}

static int take_accounts(struct conf *c, struct tenant *t, const config_setting_t *list, const char *tier, struct strbuf *why)
{
	int n = list ? config_setting_length(list) : 0, defaults = 0;

	if (list && !config_setting_is_list(list))
		return conf_complain(why, list, "accounts", "found %s, allowed a list: ( { … }, { … } )", conf_found(list));
	t->accounts = mem_array((size_t)n, sizeof(*t->accounts));
	for (int i = 0; i < n; i++) {
		t->n_accounts++;
		if (take_account(c, &t->accounts[i], config_setting_get_elem(list, (unsigned)i), tier, why) < 0)
			return -1;
		defaults += t->accounts[i].is_default;
	}
	if (defaults > 1)
		return conf_complain(why, list, "default", "more than one account of tenant %s is the default", t->id);
	qsort(t->accounts, (size_t)n, sizeof(*t->accounts), by_account_id);
	for (int i = 1; i < n; i++)
		if (!strcmp(t->accounts[i].id, t->accounts[i - 1].id))
			return conf_complain(why, list, "id", "account %s stands twice in tenant %s", t->accounts[i].id, t->id);
	return 0;
}

static int take_tenant(struct conf *c, const config_setting_t *g, struct strbuf *why)
{
	static const char *const known[] = { "id", "portfolio", "suspended", "rate", "tier", "accounts", NULL };
	struct tenant *t;
	const char *id, *portfolio, *tier;

	if (!config_setting_is_group(g))
		return conf_complain(why, g, "tenant", "found %s, allowed a group: { … }", conf_found(g));
	if (known_members(g, known, why) < 0 || text_member(g, "id", true, &id, why) < 0 ||
	    text_member(g, "portfolio", false, &portfolio, why) < 0 || text_member(g, "tier", false, &tier, why) < 0)
		return -1;
	if (!is_name(id))
		return conf_complain(why, g, "id", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", id);
	if (portfolio && !is_name(portfolio))
		return conf_complain(why, g, "portfolio", "found \"%s\", allowed 1 to 64 of A-Z a-z 0-9 . _ -", portfolio);
	c->tenants = mem_grow(c->tenants, (size_t)c->n_tenants + 1, sizeof(*c->tenants));
	t = &c->tenants[c->n_tenants++];
	*t = (struct tenant){ .id = mem_strdup(id), .domain = mem_strdup(portfolio ? portfolio : id) };
	if (flag_member(g, "suspended", &t->suspended, why) < 0 || rate_member(g, &t->rate, why) < 0)
		return -1;
	return take_accounts(c, t, config_setting_get_member(g, "accounts"), tier, why);
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

static int by_tenant_id(const void *a, const void *b)
{
	return strcmp(((const struct tenant *)a)->id, ((const struct tenant *)b)->id);
}

static int by_number(const void *a, const void *b)
{
	return strcmp((*(const struct account *const *)a)->phone_number_id, (*(const struct account *const *)b)->phone_number_id);
}

/* A phone number belongs to exactly one tenant's one account. */
static int numbers_are_unique(const struct conf *c, struct strbuf *why)
{
	const struct account **all;
	int n = 0, err = 0;

	for (int i = 0; i < c->n_tenants; i++)
		n += c->tenants[i].n_accounts;
	all = mem_array((size_t)n, sizeof(*all));
	n = 0;
	for (int i = 0; i < c->n_tenants; i++)
		for (int k = 0; k < c->tenants[i].n_accounts; k++)
			all[n++] = &c->tenants[i].accounts[k];
	qsort(all, (size_t)n, sizeof(*all), by_number);
	for (int i = 1; i < n && !err; i++)
		if (!strcmp(all[i]->phone_number_id, all[i - 1]->phone_number_id))
			err = why_set(why, "%s: phone_number_id %s belongs to tenant %s account %s and to tenant %s account %s",
				      c->tenants_dir, all[i]->phone_number_id, all[i - 1]->tenant->id, all[i - 1]->id,
				      all[i]->tenant->id, all[i]->id);
	free(all);
	return err;
}

int tenants_load(struct conf *c, struct strbuf *why)
{
	char *dir = conf_beside(c->file, c->tenants_dir);
	int err = conf_each_file(dir, take_file, c, why);

	free(dir);
	if (err)
		return -1;
	if (c->n_tenants)
		qsort(c->tenants, (size_t)c->n_tenants, sizeof(*c->tenants), by_tenant_id);
	for (int i = 1; i < c->n_tenants; i++)
		if (!strcmp(c->tenants[i].id, c->tenants[i - 1].id))
			return why_set(why, "%s: tenant %s stands twice", c->tenants_dir, c->tenants[i].id);
	for (int i = 0; i < c->n_tenants; i++)
		for (int k = 0; k < c->tenants[i].n_accounts; k++) {
			c->tenants[i].accounts[k].tenant = &c->tenants[i];	/* only now: sorting moved them */
			c->tenants[i].accounts[k].index = c->n_accounts++;
		}
	return numbers_are_unique(c, why);
}

void tenants_release(struct conf *c)
{
	for (int i = 0; i < c->n_tenants; i++) {
		struct tenant *t = &c->tenants[i];

		for (int k = 0; k < t->n_accounts; k++) {
			free(t->accounts[k].id);
			free(t->accounts[k].phone_number_id);
			free(t->accounts[k].waba_id);
			free(t->accounts[k].tier);
			mem_free_secret(t->accounts[k].token);
			mem_free_secret(t->accounts[k].app_secret);
		}
		free(t->accounts);
		free(t->id);
		free(t->domain);
	}
	free(c->tenants);
	c->tenants = NULL;
	c->n_tenants = 0;
}

const struct tenant *conf_tenant(const struct conf *c, const char *id)
{
	int lo = 0, hi = c->n_tenants;

	while (lo < hi) {
		int mid = (lo + hi) / 2, cmp = strcmp(id, c->tenants[mid].id);

		if (!cmp)
			return &c->tenants[mid];
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct account *tenant_account(const struct tenant *t, const char *id)
{
	struct account key = { .id = (char *)(uintptr_t)id };
	const struct account *a = bsearch(&key, t->accounts, (size_t)t->n_accounts, sizeof(key), by_account_id);

	for (int i = 0; !a && i < t->n_accounts; i++)
		if (!strcmp(t->accounts[i].phone_number_id, id))
			a = &t->accounts[i];
	return a;
}

const struct account *tenant_default_account(const struct tenant *t)
{
	for (int i = 0; i < t->n_accounts; i++)
		if (t->accounts[i].is_default)
			return &t->accounts[i];
	return t->n_accounts == 1 ? &t->accounts[0] : NULL;
}
