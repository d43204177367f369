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

static void forget_facts(struct number *n)
{
	mem_free_secret(n->token);
	mem_free_secret(n->app_secret);
	free(n->waba);
	free(n->tenant);
	free(n->account);
	n->token = n->app_secret = n->waba = n->tenant = n->account = NULL;
}

static void learn(struct number *n, const json_t *o)
{
	forget_facts(n);
	n->token = mem_strdup(member(o, "access_token"));
	n->app_secret = mem_strdup(member(o, "app_secret"));
	n->waba = mem_strdup(member(o, "waba_id"));
	n->tenant = mem_strdup(member(o, "tenant_id"));
	n->account = mem_strdup(member(o, "account_id"));
}

int accounts_load(struct accounts *a, const char *path, struct strbuf *why)
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
	strmap_release(&a->tokens);
	for (i = 0; i < a->n; i++)
		forget_facts(a->all[i]);
	json_array_foreach(list, i, o)
		learn(find_or_add(a, member(o, "phone_number_id")), o);
	for (i = 0; i < a->n; i++)
		if (a->all[i]->token)
			strmap_put(&a->tokens, a->all[i]->token, a->all[i]);
	result = 0;
out:
	json_decref(list);
	return result;
}

void accounts_release(struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct number *n = a->all[i];
		forget_facts(n);
		window_release(&n->seen);
		window_release(&n->passed);
		free(n->pnid);
		free(n);
	}
	free(a->all);
	strmap_release(&a->by_pnid);
	strmap_release(&a->tokens);
	*a = (struct accounts){ 0 };
}

struct number *accounts_find(const struct accounts *a, const char *pnid, size_t len)
{
	struct number *n = strmap_get(&a->by_pnid, pnid, len);

	return n && n->token ? n : NULL;
}

bool accounts_know_token(const struct accounts *a, const char *token, size_t len)
{
	return strmap_get(&a->tokens, token, len) != NULL;
}

void accounts_reset_counters(struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct number *n = a->all[i];
		n->posts = n->accepted = 0;
		window_release(&n->seen);
		window_release(&n->passed);
	}
}
