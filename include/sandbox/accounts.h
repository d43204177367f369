/*
 * accounts - the numbers this Graph knows, their tokens, and what each has done.
 *
 * The file is a JSON array of {tenant_id, account_id, phone_number_id, waba_id, access_token, app_secret, api_key}; members with
 * other names are ignored.  Reading it again keeps each number's counters; a number that is gone answers as unknown.
 * Ownership: numbers live until accounts_free(); their pointers stay valid over a reload.
 */
#ifndef SANDBOX_ACCOUNTS_H
#define SANDBOX_ACCOUNTS_H

#include "base/strbuf.h"
#include "sandbox/strmap.h"
#include "sandbox/window.h"

struct number {
	char *pnid;
	char *waba, *tenant, *account, *app_secret;
	char *token;			/* NULL: no longer in the file */
	int64_t rate;			/* per second; -1: the default, 0: unlimited */
	uint64_t posts, accepted;
	struct window seen, passed;	/* POSTs seen, POSTs accepted */
};

struct accounts {
	struct number **all;
	size_t n, size;
	struct strmap by_pnid;
	struct strmap tokens;		/* token to the first number that has it */
};

/* 0, or -1 with the reason in why and nothing changed. */
int accounts_load(struct accounts *a, const char *path, struct strbuf *why) MUST_CHECK;
void accounts_release(struct accounts *a);
struct number *accounts_find(const struct accounts *a, const char *pnid, size_t len);	/* NULL: unknown */
bool accounts_know_token(const struct accounts *a, const char *token, size_t len);
void accounts_reset_counters(struct accounts *a);

#endif
