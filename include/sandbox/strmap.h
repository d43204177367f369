/*
 * strmap - text to pointer, for the few thousand names a sandbox knows.
 *
 * Ownership: keys and values are the caller's and must outlive the map.  Nothing is ever removed; a value may become NULL.
 */
#ifndef SANDBOX_STRMAP_H
#define SANDBOX_STRMAP_H

#include "base/base.h"

struct strmap_slot { const char *key; size_t len; void *value; };
struct strmap { struct strmap_slot *slots; size_t size, used; };

void strmap_release(struct strmap *m);				/* empty and usable again */
void *strmap_get(const struct strmap *m, const char *key, size_t len);
void strmap_put(struct strmap *m, const char *key, void *value);	/* replaces */
uint64_t strmap_hash(const char *key, size_t len);

#endif
