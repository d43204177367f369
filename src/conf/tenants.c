#include "conf/tenants.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/tenant_keys.h"

/* ---- features ---- */

static const struct { const char *name, *types; } features[] = {
#define FEATURE(ident, word, types_, help) { #word, types_ },
#include "tbl/features.h"
#undef FEATURE
};

const char *feature_name(enum feature f)
{
	return features[f].name;
}

int feature_parse(const char *name, enum feature *out)
{
	for (int f = 0; f < FEATURES; f++)
		if (!strcmp(features[f].name, name)) {
			*out = (enum feature)f;
			return 0;
		}
	return -1;
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; *p; p += *p == ' ') {
		size_t n = strcspn(p, " ");

		if (n == len && !memcmp(p, word, n))
			return true;
		p += n;
	}
	return false;
}

int feature_of_type(const char *type, enum feature *out)
{
	for (int f = 0; f < FEATURES; f++)
		if (has_word(features[f].types, type)) {
			*out = (enum feature)f;
			return 0;
		}
	return -1;
}

/* ---- what a source may say ---- */

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

bool tenant_name_is_good(const char *s) { return all_of(s, TENANT_NAME_MAX, "._-"); }
bool graph_id_is_good(const char *s) { return str_is_digits(s) && strlen(s) <= GRAPH_ID_MAX; }
bool region_is_good(const char *s) { return strlen(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'; }
bool access_token_is_good(const char *s) { return all_of(s, ACCESS_TOKEN_MAX, "._|~-"); }

/* ---- one tenant ---- */

/* hex(HMAC-SHA256(key = app secret, message = access token)) */
void account_prove(struct account *a)
{
	uint8_t mac[SHA256_LEN];
	struct hmac *h;

	if (!a->app_secret || !*a->app_secret || !a->token)
		return;
	h = hmac_new(a->app_secret, strlen(a->app_secret));
	hmac_parts(h, &(struct crypto_part){ a->token, strlen(a->token) }, 1, mac);
	hmac_free(&h);
	hex_encode(mac, SHA256_LEN, a->proof);
}

void account_wipe(struct account *a)
{
	mem_wipe(a->proof, sizeof(a->proof));
	mem_free_secret(a->token);
	mem_free_secret(a->app_secret);
	mem_free_secret(a->replaced);
	a->token = a->app_secret = a->replaced = NULL;
}

static void account_free(struct account *a)
{
	account_wipe(a);
	free(a->id);
	free(a->phone_number_id);
	free(a->waba_id);
	free(a->app_id);
	free(a->token_file);
	free(a->region);
	free(a->tier);
	free(a);
}

struct tenant *tenant_new(const char *id, const char *domain)
{
	struct tenant *t = mem_alloc(sizeof(*t));

	*t = (struct tenant){ .id = mem_strdup(id), .domain = mem_strdup(domain) };
	return t;
}

struct account *tenant_add_account(struct tenant *t)
{
	struct account *a = mem_alloc(sizeof(*a));

	*a = (struct account){ .tenant = t, .index = -1, .enabled = true };
	t->accounts = mem_grow(t->accounts, (size_t)t->n_accounts + 1, sizeof(*t->accounts));
	t->accounts[t->n_accounts++] = a;
	return a;
}

void tenant_drop_last_account(struct tenant *t)
{
	account_free(t->accounts[--t->n_accounts]);
}

void tenant_drop_account(struct tenant *t, const struct account *a)
{
	int i = 0;

	while (t->accounts[i] != a)
		i++;
	account_free(t->accounts[i]);
	t->n_accounts--;
	memmove(&t->accounts[i], &t->accounts[i + 1], (size_t)(t->n_accounts - i) * sizeof(*t->accounts));
}

void tenant_free(struct tenant **tp)
{
	struct tenant *t = *tp;

	if (!t)
		return;
	for (int i = 0; i < t->n_accounts + t->n_gone; i++)
		account_free(t->accounts[i]);
	free(t->accounts);
	tenant_free_keys(t);
	free(t->id);
	free(t->domain);
	free(t);
	*tp = NULL;
}

static int by_account_id(const void *a, const void *b)
{
	return strcmp((*(struct account *const *)a)->id, (*(struct account *const *)b)->id);
}

static void sort_accounts(struct tenant *t)
{
	if (t->n_accounts > 1)
		qsort(t->accounts, (size_t)t->n_accounts, sizeof(*t->accounts), by_account_id);
}

static int by_number(const void *a, const void *b)
{
	return strcmp((*(struct account *const *)a)->phone_number_id, (*(struct account *const *)b)->phone_number_id);
}

/* The number that two accounts of it have, or NULL. */
static const char *number_twice(const struct tenant *t)
{
	struct account **all = mem_array((size_t)t->n_accounts + 1, sizeof(*all));
	const char *twice = NULL;
	int n = 0;

	for (int i = 0; i < t->n_accounts; i++)
		if (t->accounts[i]->phone_number_id)
			all[n++] = t->accounts[i];
	if (n > 1)
		qsort(all, (size_t)n, sizeof(*all), by_number);
	for (int i = 1; i < n && !twice; i++)
		if (!strcmp(all[i]->phone_number_id, all[i - 1]->phone_number_id))
			twice = all[i]->phone_number_id;
	free(all);
	return twice;
}

int tenant_finish(struct tenant *t, struct strbuf *why)
{
	const char *twice;
	int defaults = 0;

	sort_accounts(t);
	for (int i = 0; i < t->n_accounts; i++) {
		defaults += t->accounts[i]->is_default;
		if (i > 0 && !strcmp(t->accounts[i]->id, t->accounts[i - 1]->id))
			return why_set(why, "id: account %s stands twice in tenant %s", t->accounts[i]->id, t->id);
	}
	twice = number_twice(t);
	if (twice)
		return why_set(why, "phone_number_id: %s stands twice in tenant %s", twice, t->id);
	return defaults > 1 ? why_set(why, "default: more than one account of tenant %s is the default", t->id) : 0;
}

struct account *tenant_account(const struct tenant *t, const char *id)
{
	struct account key = { .id = (char *)(uintptr_t)id }, *p = &key, **found = NULL;

	if (t->n_accounts)
		found = bsearch(&p, t->accounts, (size_t)t->n_accounts, sizeof(p), by_account_id);
	if (found)
		return *found;
	for (int i = 0; i < t->n_accounts; i++)
		if (!strcmp(t->accounts[i]->phone_number_id, id))
			return t->accounts[i];
	return NULL;
}

struct account *tenant_default_account(const struct tenant *t)
{
	for (int i = 0; i < t->n_accounts; i++)
		if (t->accounts[i]->is_default)
			return t->accounts[i];
	return t->n_accounts == 1 ? t->accounts[0] : NULL;
}

/* ---- the set ---- */

struct tenant_set *tenant_set_new(void)
{
	return mem_alloc(sizeof(struct tenant_set));
}

void tenant_set_free(struct tenant_set **tp)
{
	struct tenant_set *ts = *tp;

	if (!ts)
		return;
	for (int i = 0; i < tenant_set_size(ts); i++)
		tenant_free(&(struct tenant *){ tenant_set_at(ts, i) });
	for (int i = 0; i < ts->n_gone; i++)
		tenant_free(&ts->gone[i]);
	names_release(&ts->names);
	account_index_release(&ts->index);
	free(ts->gone);
	free(ts);
	*tp = NULL;
}

int tenant_set_size(const struct tenant_set *ts)
{
	return ts->names.n;
}

static struct tenant *of_name(struct name *n)
{
	return n ? CONTAINER_OF(n, struct tenant, name) : NULL;
}

struct tenant *tenant_set_at(const struct tenant_set *ts, int i)
{
	return of_name(ts->names.v[i]);
}

struct tenant *tenant_set_find(const struct tenant_set *ts, const char *id)
{
	return of_name(names_find(&ts->names, id));
}

static void is_gone(struct tenant_set *ts, struct account *a)
{
	a->is_gone = true;
	account_index_drop(&ts->index, a);
}

static struct tenant *add(struct tenant_set *ts, struct tenant *fresh)
{
	fresh->name.text = fresh->id;
	names_add(&ts->names, &fresh->name);
	for (int i = 0; i < fresh->n_accounts; i++) {
		fresh->accounts[i]->index = ts->n_accounts++;
		account_index_put(&ts->index, fresh->accounts[i]);
	}
	return fresh;
}

void tenant_set_forget(struct tenant_set *ts, const char *id)
{
	struct tenant *t = tenant_set_find(ts, id);

	if (!t)
		return;
	t->is_gone = true;
	for (int i = 0; i < t->n_accounts; i++)
		is_gone(ts, t->accounts[i]);
	names_remove(&ts->names, id);
	ts->gone = mem_grow(ts->gone, (size_t)ts->n_gone + 1, sizeof(*ts->gone));
	ts->gone[ts->n_gone++] = t;
}

const char *account_is_off(const struct account *a)
{
	return a->tenant->suspended ? "tenant_suspended" : a->enabled ? NULL : "account_disabled";
}

bool account_set_token(struct account *a, const char *token, int64_t since_ms, int64_t expires_ms)
{
	bool is_same = a->token && !strcmp(a->token, token);

	if (since_ms > a->token_since_ms)
		a->token_since_ms = since_ms;
	if (expires_ms || !is_same)	/* who does not know when it ends takes nothing from who does */
		a->token_expires_ms = expires_ms;
	if (is_same)
		return false;
	mem_free_secret(a->token);
	a->token = mem_strdup(token);
	a->token_serial++;
	a->proof[0] = 0;
	account_prove(a);
	return true;
}

static bool differ(const char *a, const char *b)
{
	return a != b && (!a || !b || strcmp(a, b) != 0);
}

/* Moves *from into *to. */
static bool take_text(char **to, char **from)
{
	bool other = differ(*to, *from);

	free(*to);
	*to = *from;
	*from = NULL;
	return other;
}

/* What the source says is older than what we have. */
static bool is_older(const struct account *a, const struct account *fresh)
{
	return (a->replaced && !strcmp(a->replaced, fresh->token)) ||
	       (fresh->token_since_ms && fresh->token_since_ms < a->token_since_ms);
}

static bool take_secrets(struct account *a, struct account *fresh)
{
	bool old, other = false;

	if (!fresh->token)
		return false;
	old = is_older(a, fresh);
	if (!old) {
		mem_free_secret(a->replaced);	/* its source has ours by now, or a third one */
		a->replaced = NULL;
		other = account_set_token(a, fresh->token, fresh->token_since_ms, fresh->token_expires_ms);
	}
	if (differ(a->app_secret, fresh->app_secret)) {
		mem_free_secret(a->app_secret);
		a->app_secret = fresh->app_secret;
		fresh->app_secret = NULL;
		a->proof[0] = 0;
		account_prove(a);
		a->token_serial++;
		other = true;
	}
	if (!a->app_secret && !old && strcmp(a->proof, fresh->proof) != 0) {
		memcpy(a->proof, fresh->proof, sizeof(a->proof));
		a->token_serial++;
		other = true;
	}
	return other;
}

bool account_set_granted(struct account *a, int64_t rate, int64_t own)
{
	bool other = a->rate != rate;

	a->granted = rate > own ? rate : 0;
	a->rate = rate;
	return other;
}

static bool update_account(struct account *a, struct account *fresh)
{
	bool other = take_secrets(a, fresh);

	other |= take_text(&a->app_id, &fresh->app_id);
	other |= take_text(&a->token_file, &fresh->token_file);
	other |= take_text(&a->region, &fresh->region);
	other |= take_text(&a->tier, &fresh->tier);
	if (a->tier && a->granted > fresh->rate)
		fresh->rate = a->granted;
	other |= a->rate != fresh->rate || a->enabled != fresh->enabled || a->is_default != fresh->is_default;
	a->rate = fresh->rate;
	a->enabled = fresh->enabled;
	a->is_default = fresh->is_default;
	return other;
}

static bool is_same_number(const struct account *a, const struct account *b)
{
	return !strcmp(a->id, b->id) && !strcmp(a->phone_number_id, b->phone_number_id) && !strcmp(a->waba_id, b->waba_id);
}

static struct account *counterpart(const struct tenant *t, const struct account *a)
{
	for (int i = 0; i < t->n_accounts; i++)
		if (t->accounts[i] && is_same_number(t->accounts[i], a))
			return t->accounts[i];
	return NULL;
}

/* Known accounts stay the objects they are, in fresh's order; new ones move over; those left out stand behind, gone. */
static bool update_accounts(struct tenant_set *ts, struct tenant *t, struct tenant *fresh)
{
	struct account **now = mem_array((size_t)(fresh->n_accounts + t->n_accounts + t->n_gone) + 1, sizeof(*now));
	bool other = false;
	int n = 0, n_old = t->n_accounts;

	for (int i = 0; i < fresh->n_accounts; i++) {
		struct account *a = counterpart(t, fresh->accounts[i]);

		if (a) {
			other |= update_account(a, fresh->accounts[i]);
		} else {
			a = fresh->accounts[i];
			fresh->accounts[i] = NULL;
			a->tenant = t;
			a->index = ts->n_accounts++;
			account_index_put(&ts->index, a);
			other = true;
		}
		now[n++] = a;
	}
	for (int i = 0; i < n_old + t->n_gone; i++) {
		bool kept = false;

		for (int k = 0; k < fresh->n_accounts && i < n_old; k++)
			kept |= now[k] == t->accounts[i];
		if (kept)
			continue;
		other |= i < n_old;
		is_gone(ts, t->accounts[i]);
		now[n++] = t->accounts[i];
	}
	free(t->accounts);
	t->accounts = now;
	t->n_accounts = fresh->n_accounts;
	t->n_gone = n - fresh->n_accounts;
	for (int i = 0; i < fresh->n_accounts; i++)
		if (fresh->accounts[i])
			account_free(fresh->accounts[i]);
	fresh->n_accounts = fresh->n_gone = 0;
	return other;
}

static void each_account(struct tenant_set *ts, void (*f)(struct account *a))
{
	for (int i = 0; i < tenant_set_size(ts); i++)
		for (int k = 0; k < tenant_set_at(ts, i)->n_accounts; k++)
			f(tenant_set_at(ts, i)->accounts[k]);
}

static void drop_token(struct account *a)
{
	mem_wipe(a->proof, sizeof(a->proof));
	mem_free_secret(a->token);
	mem_free_secret(a->replaced);
	free(a->token_file);
	a->token = a->replaced = a->token_file = NULL;
}

static void drop_app_secret(struct account *a)
{
	account_prove(a);
	mem_free_secret(a->app_secret);
	a->app_secret = NULL;
}

void tenant_set_drop_tokens(struct tenant_set *ts)
{
	each_account(ts, drop_token);
}

void tenant_set_drop_app_secrets(struct tenant_set *ts)
{
	each_account(ts, drop_app_secret);
}

void tenant_set_each_gone(const struct tenant_set *ts, void (*f)(void *arg, struct account *a), void *arg)
{
	for (int i = 0; i < ts->n_gone; i++)
		for (int k = 0; k < ts->gone[i]->n_accounts + ts->gone[i]->n_gone; k++)
			f(arg, ts->gone[i]->accounts[k]);
	for (int i = 0; i < tenant_set_size(ts); i++) {
		const struct tenant *t = tenant_set_at(ts, i);

		for (int k = 0; k < t->n_gone; k++)
			f(arg, t->accounts[t->n_accounts + k]);
	}
}

struct tenant *tenant_set_put(struct tenant_set *ts, struct tenant *fresh, bool *changed)
{
	struct tenant *t = tenant_set_find(ts, fresh->id);

	*changed = true;
	if (t && strcmp(t->domain, fresh->domain) != 0) {
		tenant_set_forget(ts, fresh->id);
		t = NULL;
	}
	if (!t)
		return add(ts, fresh);
	*changed = t->suspended != fresh->suspended || t->rate != fresh->rate || t->features_off != fresh->features_off;
	t->suspended = fresh->suspended;
	t->rate = fresh->rate;
	t->features_off = fresh->features_off;
	*changed |= tenant_take_keys(t, fresh);
	*changed |= update_accounts(ts, t, fresh);
	tenant_free(&fresh);
	return t;
}

const struct account *tenant_set_number_is_taken(const struct tenant_set *ts, const struct tenant *fresh, const struct account **by)
{
	for (int i = 0; i < fresh->n_accounts; i++) {
		*by = account_by_number(&ts->index, fresh->accounts[i]->phone_number_id);
		if (*by && strcmp((*by)->tenant->id, fresh->id) != 0)
			return fresh->accounts[i];
	}
	return NULL;
}
