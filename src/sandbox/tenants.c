#include "sandbox/tenants.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/json_out.h"
#include "sandbox/strmap.h"

enum { UNKNOWN_MAX = 100000, ETAG_HEX = 32 };

struct phone { char *pnid; struct tenant *tenant; };	/* tenant NULL: nobody's any more */

struct tenants {
	struct tenant **all;
	struct phone **phones;
	size_t n, n_phones;
	struct strmap by_id, by_phone;
};

/* Members of the accounts file and what they are called in the document; sent as they are, left out when they are not there. */
static const struct { const char *from, *to; } tenant_members[] = {
	{ "tenant_status", "status" }, { "tenant_tier", "tier" }, { "features", "features" },
};
static const char *const account_members[] = {
	"account_id", "phone_number_id", "waba_id", "app_id", "access_token", "token_expires_at", "app_secret", "tier", "rate",
};

struct tenants *tenants_new(void)
{
	return mem_alloc(sizeof(struct tenants));
}

/* ---- one tenant ---- */

static void forget(struct tenant *t)
{
	json_decref(t->doc);
	mem_free_secret(t->body);
	t->doc = NULL;
	t->body = NULL;
	t->etag[0] = 0;
}

static void render(struct tenant *t)
{
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	mem_free_secret(t->body);
	t->body = json_dumps(t->doc, JSON_COMPACT);
	sha256(t->body, strlen(t->body), hash);
	hex_encode(hash, sizeof(hash), hex);
	snprintf(t->etag, sizeof(t->etag), "\"%.*s\"", ETAG_HEX, hex);
}

static struct tenant *find_or_add(struct tenants *ts, const char *id, size_t len)
{
	struct tenant *t = strmap_get(&ts->by_id, id, len);

	if (t)
		return t;
	t = mem_alloc(sizeof(*t));
	t->id = mem_strndup(id, len);
	strmap_put(&ts->by_id, t->id, t);
	if ((ts->n & (ts->n - 1)) == 0)
		ts->all = mem_grow(ts->all, ts->n ? ts->n * 2 : 1, sizeof(struct tenant *));
	ts->all[ts->n++] = t;
	return t;
}

void tenants_free(struct tenants **tp)
{
	struct tenants *ts = *tp;

	if (!ts)
		return;
	for (size_t i = 0; i < ts->n; i++) {
		forget(ts->all[i]);
		free(ts->all[i]->id);
		free(ts->all[i]);
	}
	for (size_t i = 0; i < ts->n_phones; i++) {
		free(ts->phones[i]->pnid);
		free(ts->phones[i]);
	}
	free(ts->all);
	free(ts->phones);
	strmap_release(&ts->by_id);
	strmap_release(&ts->by_phone);
	free(ts);
	*tp = NULL;
}

/* ---- who has which number ---- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static struct phone *phone_of(struct tenants *ts, const char *pnid)
{
	struct phone *p = strmap_get(&ts->by_phone, pnid, strlen(pnid));

	if (p)
		return p;
	p = mem_alloc(sizeof(*p));
	p->pnid = mem_strdup(pnid);
	strmap_put(&ts->by_phone, p->pnid, p);
	if ((ts->n_phones & (ts->n_phones - 1)) == 0)
		ts->phones = mem_grow(ts->phones, ts->n_phones ? ts->n_phones * 2 : 1, sizeof(struct phone *));
	ts->phones[ts->n_phones++] = p;
	return p;
}

static void give_up_phones(struct tenants *ts, const struct tenant *t)
{
	size_t i;
	json_t *a;

	json_array_foreach(json_object_get(t->doc, "accounts"), i, a) {
		struct phone *p = strmap_get(&ts->by_phone, text_of(a, "phone_number_id"), strlen(text_of(a, "phone_number_id")));
		if (p && p->tenant == t)
			p->tenant = NULL;
	}
}

static void take_phones(struct tenants *ts, struct tenant *t)
{
	size_t i;
	json_t *a;

	json_array_foreach(json_object_get(t->doc, "accounts"), i, a)
		if (*text_of(a, "phone_number_id"))
			phone_of(ts, text_of(a, "phone_number_id"))->tenant = t;
}

/* Takes doc. */
static void set_doc(struct tenants *ts, struct tenant *t, json_t *doc)
{
	give_up_phones(ts, t);
	json_decref(t->doc);
	t->doc = doc;
	json_object_set_new(doc, "tenant_id", json_string(t->id));
	render(t);
	take_phones(ts, t);
}

/* ---- reading the file ---- */

static json_t *key_hash(const char *key)
{
	uint8_t hash[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	sha256(key, strlen(key), hash);
	hex_encode(hash, sizeof(hash), hex);
	return json_string(hex);
}

static json_t *doc_of_entry(const json_t *o)
{
	json_t *doc = json_object(), *keys = json_array();

	json_object_set_new(doc, "tenant_id", json_string(text_of(o, "tenant_id")));
	json_object_set_new(doc, "status", json_string("active"));
	json_object_set_new(doc, "tier", json_string("standard"));
	json_object_set_new(doc, "features", json_object());
	for (size_t i = 0; i < ARRAY_LEN(tenant_members); i++)
		if (json_object_get(o, tenant_members[i].from))
			json_object_set(doc, tenant_members[i].to, json_object_get(o, tenant_members[i].from));
	if (*text_of(o, "api_key"))
		json_array_append_new(keys, key_hash(text_of(o, "api_key")));
	json_object_set_new(doc, "api_keys_sha256", keys);
	json_object_set_new(doc, "accounts", json_array());
	return doc;
}

static json_t *account_of_entry(const json_t *o)
{
	json_t *account = json_object();

	for (size_t i = 0; i < ARRAY_LEN(account_members); i++)
		if (json_object_get(o, account_members[i]))
			json_object_set(account, account_members[i], json_object_get(o, account_members[i]));
	return account;
}

int tenants_read(struct tenants *ts, const char *path, struct strbuf *why)
{
	json_error_t err;
	json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, &err), *o;
	size_t i;

	if (!json_is_array(list)) {
		json_decref(list);
		return why_set(why, "%s: not a JSON array", path);
	}
	for (i = 0; i < ts->n; i++)
		tenants_remove(ts, ts->all[i]);
	json_array_foreach(list, i, o) {
		struct tenant *t;
		if (!*text_of(o, "tenant_id"))
			continue;
		t = find_or_add(ts, text_of(o, "tenant_id"), strlen(text_of(o, "tenant_id")));
		if (!t->doc)
			t->doc = doc_of_entry(o);
		json_array_append_new(json_object_get(t->doc, "accounts"), account_of_entry(o));
	}
	for (i = 0; i < ts->n; i++)
		if (ts->all[i]->doc) {
			render(ts->all[i]);
			take_phones(ts, ts->all[i]);
		}
	json_decref(list);
	return 0;
}

/* ---- asking ---- */

struct tenant *tenants_know(struct tenants *ts, const char *id, size_t len)
{
	struct tenant *t = strmap_get(&ts->by_id, id, len);

	if (!t && ts->n < UNKNOWN_MAX)
		t = find_or_add(ts, id, len);
	return t;
}

struct tenant *tenants_find(const struct tenants *ts, const char *id, size_t len)
{
	struct tenant *t = strmap_get(&ts->by_id, id, len);

	return t && t->doc ? t : NULL;
}

struct tenant *tenants_by_phone(const struct tenants *ts, const char *pnid, size_t len)
{
	struct phone *p = strmap_get(&ts->by_phone, pnid, len);

	return p ? p->tenant : NULL;
}

json_t *tenant_find_account(const struct tenant *t, const char *id, size_t len)
{
	size_t i;
	json_t *a;

	json_array_foreach(json_object_get(t->doc, "accounts"), i, a)
		if (strlen(text_of(a, "account_id")) == len && memcmp(text_of(a, "account_id"), id, len) == 0)
			return a;
	return NULL;
}

void tenants_reset_calls(struct tenants *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		ts->all[i]->calls = 0;
}

void tenants_print_calls(const struct tenants *ts, struct strbuf *out)
{
	const char *comma = "{";

	for (size_t i = 0; i < ts->n; i++) {
		if (!ts->all[i]->calls)
			continue;
		strbuf_adds(out, comma);
		json_out_cstring(out, ts->all[i]->id);
		strbuf_addc(out, ':');
		json_out_u64(out, ts->all[i]->calls);
		comma = ",";
	}
	strbuf_adds(out, *comma == '{' ? "{}\n" : "}\n");
}

/* ---- changing ---- */

static int check_doc(const json_t *doc, struct strbuf *why)
{
	const json_t *accounts = json_object_get(doc, "accounts");
	size_t i;
	json_t *a;

	if (!json_is_object(doc))
		return why_set(why, "not a JSON object");
	if (accounts && !json_is_array(accounts))
		return why_set(why, "accounts is not an array");
	json_array_foreach(accounts, i, a)
		if (!*text_of(a, "account_id"))
			return why_set(why, "account %zu has no account_id", i);
	return 0;
}

int tenants_put(struct tenants *ts, const char *id, size_t len, json_t *doc, struct strbuf *why)
{
	if (check_doc(doc, why) < 0) {
		json_decref(doc);
		return -1;
	}
	set_doc(ts, find_or_add(ts, id, len), doc);
	return 0;
}

static void merge(json_t *to, const json_t *patch, const char *but)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)patch, name, v) {
		if (but && strcmp(name, but) == 0)
			continue;
		if (json_is_null(v))
			json_object_del(to, name);
		else
			json_object_set(to, name, v);
	}
}

static void merge_accounts(struct tenant *t, json_t *doc, const json_t *patches)
{
	size_t i;
	json_t *patch, *accounts = json_object_get(doc, "accounts");

	if (!accounts) {
		accounts = json_array();
		json_object_set_new(doc, "accounts", accounts);
	}
	json_array_foreach(patches, i, patch) {
		struct tenant changed = { .id = t->id, .doc = doc };
		json_t *a = tenant_find_account(&changed, text_of(patch, "account_id"), strlen(text_of(patch, "account_id")));
		if (!a) {
			a = json_object();
			json_array_append_new(accounts, a);
		}
		merge(a, patch, NULL);
	}
}

int tenants_patch(struct tenants *ts, struct tenant *t, const json_t *patch, struct strbuf *why)
{
	json_t *doc;

	if (check_doc(patch, why) < 0)
		return -1;
	doc = json_deep_copy(t->doc);
	merge(doc, patch, "accounts");
	merge_accounts(t, doc, json_object_get(patch, "accounts"));
	set_doc(ts, t, doc);
	return 0;
}

void tenants_remove(struct tenants *ts, struct tenant *t)
{
	give_up_phones(ts, t);
	forget(t);
}

int tenants_remove_account(struct tenants *ts, struct tenant *t, const char *id, size_t len, struct strbuf *why)
{
	json_t *doc = json_deep_copy(t->doc), *accounts = json_object_get(doc, "accounts"), *a;
	size_t i;

	json_array_foreach(accounts, i, a) {
		if (strlen(text_of(a, "account_id")) != len || memcmp(text_of(a, "account_id"), id, len))
			continue;
		json_array_remove(accounts, i);
		set_doc(ts, t, doc);
		return 0;
	}
	json_decref(doc);
	return why_set(why, "no such account");
}
