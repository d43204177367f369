#include "load/accounts.h"

#include <errno.h>
#include <jansson.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"

static char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return mem_strdup(s ? s : "");
}

static bool is_chosen(const json_t *o, const struct texts *ids, const char *tenant)
{
	const char *id = json_string_value(json_object_get(o, "account_id"));
	const char *its_tenant = json_string_value(json_object_get(o, "tenant_id"));

	if (!id || !its_tenant || (tenant && strcmp(tenant, its_tenant)))
		return false;
	for (int i = 0; i < ids->n; i++)
		if (!strcmp(ids->at[i], id))
			return true;
	return ids->n == 0;
}

static void add(struct accounts *a, const json_t *o)
{
	a->at = mem_grow(a->at, (size_t)a->n + 1, sizeof(*a->at));
	a->at[a->n++] = (struct account){ text_of(o, "tenant_id"), text_of(o, "account_id"),
		text_of(o, "phone_number_id"), text_of(o, "access_token"), text_of(o, "api_key") };
}

void accounts_load(struct accounts *a, const char *file, const struct texts *ids, const char *tenant)
{
	json_error_t error;
	json_t *list;

	*a = (struct accounts){ 0 };
	if (access(file, R_OK) < 0)
		fatal(EX_NOINPUT, "%s: %s", file, strerror(errno));
	list = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_array(list))
		fatal(EX_DATAERR, "%s:%d: %s", file, error.line, list ? "not an array of accounts" : error.text);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_chosen(json_array_get(list, i), ids, tenant))
			add(a, json_array_get(list, i));
	json_decref(list);
	if (!a->n)
		fatal(EX_DATAERR, "%s: no such account in it", file);
}

void accounts_release(struct accounts *a)
{
	for (int i = 0; i < a->n; i++) {
		free(a->at[i].tenant);
		free(a->at[i].id);
		free(a->at[i].phone_number_id);
		mem_free_secret(a->at[i].token);
		mem_free_secret(a->at[i].api_key);
	}
	free(a->at);
	*a = (struct accounts){ 0 };
}
