/*
 * account_index - accounts by their phone number id and by their business account; found by hash, however many there are.
 *
 * Ownership: embedded in its tenant_set, which puts accounts in and takes them out when they are gone; chained through the accounts
 * themselves.  A number is one account's (conf_load and the registry see to that), a business account mostly has several.
 */
#ifndef CONF_ACCOUNT_INDEX_H
#define CONF_ACCOUNT_INDEX_H

#include "base/base.h"

struct account;

struct account_index {
	struct account **by_number, **by_waba;	/* heads of chains */
	size_t n_slots, n;			/* slots: a power of two, or none yet */
};

void account_index_put(struct account_index *x, struct account *a);
void account_index_drop(struct account_index *x, struct account *a);		/* nothing if it is not in */
void account_index_release(struct account_index *x);				/* the slots only */

struct account *account_by_number(const struct account_index *x, const char *phone_number_id);	/* NULL: nobody's */
/* The first of a business account, then the one after it; NULL: no more. */
struct account *account_by_waba(const struct account_index *x, const char *waba_id);
struct account *account_next_of_waba(const struct account *a);

#endif
