/*
 * webhook_owners - whose numbers and business accounts are those that this process has not met?  With a tenant service: what the keepers
 * of all machines have written down (flow/owner.h) names the tenant, and the directory gets to know it.
 */
#ifndef API_WEBHOOK_OWNERS_H
#define API_WEBHOOK_OWNERS_H

#include "api/v1.h"
#include "flow/owner.h"

struct webhook_owners;

struct webhook_owners *webhook_owners_new(struct v1 *v);
void webhook_owners_free(struct webhook_owners **op);
bool webhook_owners_want(struct webhook_owners *o, enum owner_kind kind, const char *id);	/* false: too many at once, or no id */
bool webhook_owners_wanted(const struct webhook_owners *o, enum owner_kind kind, const char *id);

/* done: each of them is in conf->tenants by now, or nobody can tell.  Once; may be called at once. */
void webhook_owners_find(struct webhook_owners *o, void (*done)(void *arg), void *arg);

#endif
