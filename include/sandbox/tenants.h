/*
 * tenants - what the tenant service knows: one JSON document for each tenant, as GET /v1/tenants/{id} answers it.
 *
 * The documents are made of the accounts file; a reload makes them anew.  What is ordered or stored here does not change the tokens
 * that Graph knows, and the other way round: they are two systems.
 * Ownership: tenants and their texts live until tenants_free(); a text is good until the tenant changes.
 * Invariant: body and etag belong to doc; doc NULL: there is no such tenant, only a count of calls.
 */
#ifndef SANDBOX_TENANTS_H
#define SANDBOX_TENANTS_H

#include <jansson.h>

#include "base/strbuf.h"

enum { TENANT_ETAG_SIZE = 40 };

struct tenants;

struct tenant {
	char *id;
	json_t *doc;
	char *body;
	char etag[TENANT_ETAG_SIZE];	/* with its quotes; of the body, so equal documents have equal ones */
	uint64_t calls;			/* reads, also those that found nothing new */
};

struct tenants *tenants_new(void);
void tenants_free(struct tenants **tp);
int tenants_read(struct tenants *ts, const char *path, struct strbuf *why) MUST_CHECK;
void tenants_reset_calls(struct tenants *ts);
void tenants_print_calls(const struct tenants *ts, struct strbuf *out);

/* To count a call: an unknown tenant has no doc, but a place.  NULL: more unknown ones than we want to remember. */
struct tenant *tenants_know(struct tenants *ts, const char *id, size_t len);
struct tenant *tenants_find(const struct tenants *ts, const char *id, size_t len);	/* NULL: unknown */
struct tenant *tenants_by_phone(const struct tenants *ts, const char *pnid, size_t len);	/* NULL: unknown */
json_t *tenant_find_account(const struct tenant *t, const char *id, size_t len);		/* NULL: none; t keeps it */

/* Changes.  patch: members replace the old ones, null deletes one; accounts are patched by account_id, new ones added. */
int tenants_put(struct tenants *ts, const char *id, size_t len, json_t *doc, struct strbuf *why) MUST_CHECK;	/* takes doc */
int tenants_patch(struct tenants *ts, struct tenant *t, const json_t *patch, struct strbuf *why) MUST_CHECK;
void tenants_remove(struct tenants *ts, struct tenant *t);
int tenants_remove_account(struct tenants *ts, struct tenant *t, const char *id, size_t len, struct strbuf *why) MUST_CHECK;

#endif
