#include "sandbox/accounts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* Unix seconds; -1: not said, -2: not understood. */
static int64_t expires_at(const json_t *o)
{
	const json_t *v = json_object_get(o, "token_expires_at");
	int64_t s;

	if (!v || json_is_null(v))
		return -1;
	return token_time_parse(v, &s) < 0 ? -2 : s;
}

static int check(const json_t *list, const char *path, struct strbuf *why)
{
	size_t i;
	json_t *o;

	if (!json_is_array(list))
		return why_set(why, "%s: not a JSON array", path);
	json_array_foreach(list, i, o) {
		if (!*member(o, "phone_number_id"))
			return why_set(why, "%s: entry %zu has no phone_number_id", path, i);
		if (!*member(o, "access_token"))
			return why_set(why, "%s: entry %zu has no access_token", path, i);
		if (expires_at(o) < -1)
			return why_set(why, "%s: entry %zu: token_expires_at is neither Unix seconds nor a time in UTC", path, i);
	}
	return 0;
}

static struct number *find_or_add(struct accounts *a, const char *pnid)
{
	struct number *n = strmap_get(&a->by_pnid, pnid, strlen(pnid));

	if (n)
		return n;
	n = mem_alloc(sizeof(*n));
	n->pnid = mem_strdup(pnid);
	n->rate = -1;
	strmap_put(&a->by_pnid, n->pnid, n);
	if (a->n == a->size) {
		a->size = a->size ? a->size * 2 : 16;
		a->all = mem_grow(a->all, a->size, sizeof(struct number *));
	}
	a->all[a->n++] = n;
	return n;
}

static struct waba *find_or_add_waba(struct accounts *a, const char *id)
{
	struct waba *w = strmap_get(&a->by_waba, id, strlen(id));

	if (w)
		return w;
	w = mem_alloc(sizeof(*w));
	w->id = mem_strdup(id);
	w->calls_per_hour = -1;
	strmap_put(&a->by_waba, w->id, w);
	if ((a->n_wabas & (a->n_wabas - 1)) == 0)
		a->wabas = mem_grow(a->wabas, a->n_wabas ? a->n_wabas * 2 : 1, sizeof(struct waba *));
	a->wabas[a->n_wabas++] = w;
	return w;
}

static void forget_facts(struct number *n)
{
	mem_free_secret(n->token);
	mem_free_secret(n->app_secret);
	free(n->app_id);
	free(n->tenant);
	free(n->account);
	n->token = n->app_secret = n->app_id = n->tenant = n->account = NULL;
	n->waba = NULL;
	n->grant = NULL;
}

static void waba_add(struct waba *w, struct number *n)
{
	if ((w->n & (w->n - 1)) == 0)
		w->numbers = mem_grow(w->numbers, w->n ? w->n * 2 : 1, sizeof(struct number *));
	w->numbers[w->n++] = n;
}

/* The last line of a number counts. */
static void learn(struct number *n, const json_t *o)
{
	forget_facts(n);
	n->token = mem_strdup(member(o, "access_token"));
	n->app_id = mem_strdup(member(o, "app_id"));
	n->app_secret = mem_strdup(member(o, "app_secret"));
	n->tenant = mem_strdup(member(o, "tenant_id"));
	n->account = mem_strdup(member(o, "account_id"));
	n->proof_required = json_is_true(json_object_get(o, "require_appsecret_proof"));
}

static void forget_all(struct accounts *a)
{
	strmap_release(&a->by_app);
	tokens_read_begin(&a->tokens);
	for (size_t i = 0; i < a->n; i++)
		forget_facts(a->all[i]);
	for (size_t i = 0; i < a->n_wabas; i++)
		a->wabas[i]->n = 0;
}

static void connect(struct accounts *a, const json_t *o)
{
	struct number *n = accounts_find(a, member(o, "phone_number_id"), strlen(member(o, "phone_number_id")));

	if (!n || n->grant || strcmp(n->token, member(o, "access_token")))
		return;
	n->grant = tokens_read(&a->tokens, n->token, n, expires_at(o));
	n->waba = find_or_add_waba(a, member(o, "waba_id"));
	waba_add(n->waba, n);
	if (*n->app_id && !strmap_get(&a->by_app, n->app_id, strlen(n->app_id)))
		strmap_put(&a->by_app, n->app_id, n);
}

int accounts_read(struct accounts *a, const char *path, struct strbuf *why)
{
	json_error_t err;
	json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, &err), *o;
	size_t i;
	int result = -1;

	if (!list && err.line <= 0)
		return why_set(why, "%s", err.text);	/* it names the file */
	if (!list)
		return why_set(why, "%s:%d: %s", path, err.line, err.text);
	if (check(list, path, why) < 0)
		goto out;
	forget_all(a);
	json_array_foreach(list, i, o)
		learn(find_or_add(a, member(o, "phone_number_id")), o);
	json_array_foreach(list, i, o)
		connect(a, o);
	tokens_read_end(&a->tokens);
	result = 0;
out:
	json_decref(list);
	return result;
}

static void node_release(struct node *n)
{
	json_decref(n->fields);
	json_decref(n->health);
	json_decref(n->kept);
	*n = (struct node){ 0 };
}

static void release_wabas(struct accounts *a)
{
	for (size_t i = 0; i < a->n_wabas; i++) {
		node_release(&a->wabas[i]->node);
		free(a->wabas[i]->numbers);
		free(a->wabas[i]->id);
		free(a->wabas[i]);
	}
	free(a->wabas);
}

void accounts_clear(struct accounts *a)
{
	release_wabas(a);
	for (size_t i = 0; i < a->n; i++) {
		struct number *n = a->all[i];
		forget_facts(n);
		window_release(&n->seen);
		window_release(&n->passed);
		node_release(&n->node);
		free(n->pnid);
		free(n);
	}
	free(a->all);
	strmap_release(&a->by_pnid);
	strmap_release(&a->by_waba);
	strmap_release(&a->by_app);
	tokens_release(&a->tokens);
	*a = (struct accounts){ 0 };
}

struct number *accounts_find(const struct accounts *a, const char *pnid, size_t len)
{
	struct number *n = strmap_get(&a->by_pnid, pnid, len);

	return n && n->token ? n : NULL;
}

struct waba *accounts_find_waba(const struct accounts *a, const char *id, size_t len)
{
	struct waba *w = strmap_get(&a->by_waba, id, len);

	return w && w->n ? w : NULL;
}

static bool is_called(const struct number *n, const char *name)
{
	size_t tenant = n->token ? strlen(n->tenant) : 0;

	if (!n->token)
		return false;
	return strcmp(n->pnid, name) == 0 || strcmp(n->account, name) == 0 ||
	       (strncmp(n->tenant, name, tenant) == 0 && name[tenant] == '/' && strcmp(n->account, name + tenant + 1) == 0);
}

struct number *accounts_find_by_name(const struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_called(a->all[i], name))
			return a->all[i];
	return NULL;
}

bool grant_has(const struct grant *g, const struct waba *w)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->numbers[i]->waba == w)
			return true;
	return false;
}

void accounts_reset_counters(struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct number *n = a->all[i];
		n->posts = n->accepted = 0;
		window_release(&n->seen);
		window_release(&n->passed);
	}
	for (size_t i = 0; i < a->n_wabas; i++)
		a->wabas[i]->calls = 0;
}
