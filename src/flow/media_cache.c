#include "flow/media_cache.h"

#include "base/mem.h"
#include "base/str.h"

struct known { struct name name; char *key, *sha, *id; mono_t until; };

static void known_free(struct known *k)
{
	free(k->key);
	free(k->sha);
	free(k->id);
	free(k);
}

static struct known *find_in(const struct names *ns, const char *key)
{
	struct name *n = names_find(ns, key);

	return n ? CONTAINER_OF(n, struct known, name) : NULL;
}

static void release(struct names *ns)
{
	for (int i = 0; i < ns->n; i++)
		known_free(CONTAINER_OF(ns->v[i], struct known, name));
	names_release(ns);
	*ns = (struct names){ 0 };
}

static void add(struct media_cache *c, struct known *k)
{
	if (c->young.n >= MEDIA_CACHE_GENERATION) {
		release(&c->old);
		c->old = c->young;
		c->young = (struct names){ 0 };
	}
	names_add(&c->young, &k->name);
}

static void drop(struct names *ns, struct known *k)
{
	names_remove(ns, k->key);
	known_free(k);
}

const char *media_cache_find(struct media_cache *c, const char *key, mono_t now, const char **sha)
{
	struct known *k = find_in(&c->young, key);
	struct names *in = k ? &c->young : &c->old;

	if (!k)
		k = find_in(&c->old, key);
	if (!k)
		return NULL;
	if (!mono_before(now, k->until)) {
		drop(in, k);
		return NULL;
	}
	if (in == &c->old) {
		names_remove(&c->old, key);
		add(c, k);
	}
	if (sha)
		*sha = k->sha;
	return k->id;
}

void media_cache_add(struct media_cache *c, const char *key, const char *sha, const char *id, mono_t until)
{
	struct known *k = find_in(&c->young, key);

	if (k)
		drop(&c->young, k);
	k = find_in(&c->old, key);
	if (k)
		drop(&c->old, k);
	k = mem_alloc(sizeof(*k));
	*k = (struct known){ .key = mem_strdup(key), .sha = mem_strdup(sha), .id = mem_strdup(id), .until = until };
	k->name.text = k->key;
	add(c, k);
}

struct lost { const char *number, *id; };

static bool is_lost(void *arg, struct name *n)
{
	const struct lost *l = arg;
	struct known *k = CONTAINER_OF(n, struct known, name);
	size_t len = strlen(l->number);

	if (!str_starts(k->key, l->number) || k->key[len] != ' ' || strcmp(k->id, l->id))
		return false;
	known_free(k);
	return true;
}

void media_cache_forget(struct media_cache *c, const char *phone_number_id, const char *id)
{
	struct lost l = { phone_number_id, id };

	names_sweep(&c->young, is_lost, &l);
	names_sweep(&c->old, is_lost, &l);
}

void media_cache_release(struct media_cache *c)
{
	release(&c->young);
	release(&c->old);
}
