#include "conf/tenant_keys.h"

#include "base/mem.h"

static const char *const names[] = {
#define API_SCOPE(ident, name, help) [API_SCOPE_##ident] = name,
#include "tbl/api_scopes.h"
#undef API_SCOPE
};

const char *api_scope_name(enum api_scope s)
{
	return names[s];
}

int api_scope_parse(const char *name, enum api_scope *out)
{
	for (int s = 0; s < API_SCOPES; s++)
		if (!strcmp(names[s], name)) {
			*out = (enum api_scope)s;
			return 0;
		}
	return -1;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_hex(const char *hex, uint8_t out[SHA256_LEN])
{
	if (strlen(hex) != 2 * SHA256_LEN)
		return -1;
	for (int i = 0; i < SHA256_LEN; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

struct api_key *tenant_add_key(struct tenant *t, const char *id, const char *hex)
{
	struct api_key *k;
	uint8_t sha[SHA256_LEN];

	if (t->n_keys == TENANT_KEYS_MAX || read_hex(hex, sha) < 0)
		return NULL;
	t->keys = mem_grow(t->keys, (size_t)t->n_keys + 1, sizeof(*t->keys));
	k = &t->keys[t->n_keys++];
	*k = (struct api_key){ .id = mem_strdup(id), .scopes = API_SCOPES_ALL };
	memcpy(k->sha, sha, sizeof(sha));
	return k;
}

void tenant_free_keys(struct tenant *t)
{
	for (int i = 0; i < t->n_keys; i++)
		free(t->keys[i].id);
	free(t->keys);
	t->keys = NULL;
	t->n_keys = 0;
}

static bool is_same(const struct api_key *a, const struct api_key *b)
{
	return !strcmp(a->id, b->id) && !memcmp(a->sha, b->sha, SHA256_LEN) && a->scopes == b->scopes && a->expires_ms == b->expires_ms;
}

bool tenant_take_keys(struct tenant *t, struct tenant *fresh)
{
	bool other = t->n_keys != fresh->n_keys;

	for (int i = 0; i < t->n_keys && !other; i++)
		other = !is_same(&t->keys[i], &fresh->keys[i]);
	tenant_free_keys(t);
	t->keys = fresh->keys;
	t->n_keys = fresh->n_keys;
	fresh->keys = NULL;
	fresh->n_keys = 0;
	return other;
}

const struct api_key *tenant_find_key(const struct tenant *t, const uint8_t sha[SHA256_LEN], int64_t now_ms)
{
	const struct api_key *found = NULL;

	for (int i = 0; i < t->n_keys; i++)	/* all of them: how long it takes says nothing */
		if (crypto_equal(t->keys[i].sha, sha, SHA256_LEN) && (!t->keys[i].expires_ms || now_ms < t->keys[i].expires_ms))
			found = &t->keys[i];
	return found;
}
