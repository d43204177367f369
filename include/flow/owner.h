/*
 * owner - whose phone numbers and business accounts are: "tenant account" in Redis, written by the keepers as the tenant service tells
 * them, for processes that hear of a number before they hear of its tenant.
 *
 * It says where to ask, not what is true: that is the tenant service's.  The last one who has a business account is told.
 */
#ifndef FLOW_OWNER_H
#define FLOW_OWNER_H

#include "conf/conf.h"
#include "io/store.h"

enum owner_kind { OWNER_OF_NUMBER, OWNER_OF_WABA };

void owner_write(const struct conf *c, struct store *s, const struct tenant *t);	/* of all its accounts; nothing is waited for */
/* done gets "tenant account", or nil.  -1: Redis is away. */
int owner_read(const struct conf *c, struct store *s, enum owner_kind kind, const char *id, store_reply_f *done, void *arg) MUST_CHECK;

#endif
