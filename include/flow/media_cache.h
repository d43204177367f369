/*
 * media_cache - ids of media that this process knows, by number and ref, for an hour at most.
 *
 * In two generations: when the younger is full the older goes, but for what was asked for since.
 */
#ifndef FLOW_MEDIA_CACHE_H
#define FLOW_MEDIA_CACHE_H

#include "base/clock.h"
#include "base/names.h"

enum { MEDIA_CACHE_GENERATION = 5000 };

struct media_cache { struct names young, old; };

/* key: "PHONE_NUMBER_ID REF".  NULL: not known; *sha: what the ref stands for, where it is not NULL. */
const char *media_cache_find(struct media_cache *c, const char *key, mono_t now, const char **sha);
void media_cache_add(struct media_cache *c, const char *key, const char *sha, const char *id, mono_t until);
void media_cache_forget(struct media_cache *c, const char *phone_number_id, const char *id);	/* under whatever ref */
void media_cache_release(struct media_cache *c);

#endif
