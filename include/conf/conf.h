/*
 * conf - one checked, immutable configuration: settings, tenants, accounts.
 *
 * conf_load() reads the file, overlays conf.d/ *.conf beside it in sorted order, then the tenants' files, and checks the whole; a
 * bad file yields NULL and a reason `file:line: setting: found …, allowed …`, and changes nothing.
 * Ownership: the struct and all it points to live until conf_free(); secrets are wiped then.
 * libconfig's only door is src/conf.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdio.h>

#include "base/outcome.h"
#include "base/strbuf.h"

enum { WAMD_STRINGS_MAX = 16 };

typedef bool conf_flag;
typedef int64_t conf_count;
typedef int64_t conf_msec;
typedef int64_t conf_bytes;
typedef char *conf_text;
typedef char *conf_url;
typedef char *conf_choice;
struct conf_strings { char *v[WAMD_STRINGS_MAX]; int n; };
typedef struct conf_strings conf_texts;
typedef struct conf_strings conf_urls;
struct conf_steps { int64_t v[WAMD_STRINGS_MAX]; int n; };
typedef struct conf_steps conf_msecs;
typedef struct error_classes conf_classes;

struct tenant;

struct account {			/* one business phone number */
	const struct tenant *tenant;
	char *id, *phone_number_id, *waba_id;
	char *token;			/* secret; matches [A-Za-z0-9._|~-]{1,1024} */
	char *app_secret;		/* secret, or NULL */
	char *tier;			/* where the rate comes from; NULL: it is named itself */
	int64_t rate;			/* messages per second that wamd sends */
	int index;			/* 0 … conf.n_accounts - 1 */
	bool enabled, is_default;
};

struct tenant {
	char *id;
	char *domain;			/* limit domain: the portfolio where one is named, else the tenant id */
	bool suspended;
	int64_t rate;			/* messages per second over all its accounts; 0: no such limit */
	struct account *accounts;	/* sorted by id */
	int n_accounts;
};

struct conf {
#define SETTING(member, type, ...) conf_##type member;
#include "tbl/settings.h"
#undef SETTING
	char *file;			/* as given to conf_load */
	struct tenant *tenants;		/* sorted by id */
	int n_tenants, n_accounts;
};

/* Between two messages at a rate of so many a second. */
static inline int64_t conf_interval_us(int64_t rate)
{
	return (1000000 + rate - 1) / rate;
}

struct conf *conf_load(const char *file, struct strbuf *why) MUST_CHECK;
struct conf *conf_defaults(void);	/* no tenants; for tests and wamctl */
void conf_free(struct conf **cp);

void conf_dump(const struct conf *c, FILE *out);	/* loads again and dumps the same; passwords masked */

/* Calls changed() for each setting with another value; live: taken over by a reload. */
void conf_diff(const struct conf *a, const struct conf *b, void (*changed)(void *arg, const char *path, bool live), void *arg);

/* Takes over the settings that need a restart from the configuration in force. */
void conf_keep_fixed(struct conf *c, const struct conf *in_force);

const struct tenant *conf_tenant(const struct conf *c, const char *id);			/* NULL: unknown */
const struct account *tenant_account(const struct tenant *t, const char *id);		/* by account id or phone number id */
const struct account *tenant_default_account(const struct tenant *t);			/* NULL: none is marked and there are several */

#endif
