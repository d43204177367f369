#include "sandbox/strmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_SIZE = 64 };

uint64_t strmap_hash(const char *key, size_t len)	/* FNV-1a, then mixed: the low bits choose the slot */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

void strmap_release(struct strmap *m)
{
	free(m->slots);
	*m = (struct strmap){ 0 };
}

static struct strmap_slot *find(const struct strmap *m, const char *key, size_t len)
{
	size_t i = strmap_hash(key, len) & (m->size - 1);

	while (m->slots[i].key && (m->slots[i].len != len || memcmp(m->slots[i].key, key, len)))
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

void *strmap_get(const struct strmap *m, const char *key, size_t len)
{
	return m->size ? find(m, key, len)->value : NULL;
}

static void enlarge(struct strmap *m)
{
	struct strmap old = *m;

	m->size = old.size ? old.size * 2 : FIRST_SIZE;
	m->slots = mem_array(m->size, sizeof(*m->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].key)
			*find(m, old.slots[i].key, old.slots[i].len) = old.slots[i];
	free(old.slots);
}

void strmap_put(struct strmap *m, const char *key, void *value)
{
	if (m->used >= m->size / 2)
		enlarge(m);
	struct strmap_slot *s = find(m, key, strlen(key));
	m->used += s->key == NULL;
	*s = (struct strmap_slot){ key, strlen(key), value };
}
