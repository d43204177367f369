/*
 * accounts - the numbers and business accounts this Graph knows, their tokens, and what each has done.
 *
 * The file is a JSON array of {tenant_id, account_id, phone_number_id, waba_id, access_token, token_expires_at, app_id, app_secret,
 * require_appsecret_proof, api_key}; members with other names are ignored here (the tenant service reads more of them).  Reading it
 * again keeps each number's counters, what was ordered for its fields, and the tokens' states; a number that is gone answers as
 * unknown.
 * Ownership: numbers and business accounts live until accounts_clear(); their pointers stay valid over a reload.
 */
#ifndef SANDBOX_ACCOUNTS_H
#define SANDBOX_ACCOUNTS_H

#include <jansson.h>

#include "base/strbuf.h"
#include "sandbox/strmap.h"
#include "sandbox/tokens.h"
#include "sandbox/window.h"

/* What a test has ordered for a node of Graph; NULL: nothing. */
struct node {
	json_t *fields;			/* by name, instead of the table's values */
	json_t *health;			/* by entity_type, instead of AVAILABLE */
	json_t *kept;			/* a number's business profile; a business account's subscribed apps */
};

struct number {
	char *pnid;
	char *tenant, *account, *app_id, *app_secret;
	char *token;			/* NULL: no longer in the file */
	bool proof_required;		/* calls with its token must carry appsecret_proof */
	struct grant *grant;
	struct waba *waba;
	struct node node;
	int64_t rate;			/* per second; -1: the default, 0: unlimited */
	uint64_t posts, accepted;
	struct window seen, passed;	/* POSTs seen, POSTs accepted */
};

struct waba {
	char *id;
	struct number **numbers;	/* in the file's order */
	size_t n;
	struct node node;
	int64_t calls_per_hour;		/* management calls; -1: the default, 0: unlimited */
	int64_t hour_began_us, calls;	/* monotonic; calls since then */
};

struct accounts {
	struct number **all;
	struct waba **wabas;
	size_t n, size, n_wabas;
	struct strmap by_pnid, by_waba;
	struct strmap by_app;		/* app_id to the first number that has it */
	struct tokens tokens;
};

/* 0, or -1 with the reason in why and nothing changed. */
int accounts_read(struct accounts *a, const char *path, struct strbuf *why) MUST_CHECK;
void accounts_clear(struct accounts *a);
struct number *accounts_find(const struct accounts *a, const char *pnid, size_t len);	/* NULL: unknown */
struct waba *accounts_find_waba(const struct accounts *a, const char *id, size_t len);	/* NULL: unknown, or no number is left */
/* By phone number id, account id or TENANT/ACCOUNT; looks at all of them. */
struct number *accounts_find_by_name(const struct accounts *a, const char *name);
bool grant_has(const struct grant *g, const struct waba *w);
void accounts_reset_counters(struct accounts *a);

#endif
