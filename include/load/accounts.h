/* accounts - the accounts file: a JSON array of {"tenant_id", "account_id", "phone_number_id", "access_token", "api_key", ...}. */
#ifndef LOAD_ACCOUNTS_H
#define LOAD_ACCOUNTS_H

#include "load/options.h"

struct account { char *tenant, *id, *phone_number_id, *token, *api_key; };	/* the last three: "" when the file has none */

struct accounts { struct account *at; int n; };

/* Exits (EX_NOINPUT, EX_DATAERR) when the file is not there, no such array, or nothing is left of it.  ids and tenant
   choose; both may be empty (all). */
void accounts_load(struct accounts *a, const char *file, const struct texts *ids, const char *tenant);
void accounts_release(struct accounts *a);

#endif
