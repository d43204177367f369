/*
 * conf - one checked configuration: settings, immutable, and the tenants (conf/tenants.h), which may change.
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
#include "conf/tenants.h"
#include "conf/webhook_apps.h"

enum { WAMD_STRINGS_MAX = 16 };

typedef bool conf_flag;
typedef int64_t conf_count;
typedef int64_t conf_msec;
typedef int64_t conf_bytes;
typedef char *conf_text;
typedef char *conf_url;
typedef char *conf_path;
typedef char *conf_secret;
typedef char *conf_choice;
struct conf_strings { char *v[WAMD_STRINGS_MAX]; int n; };
typedef struct conf_strings conf_texts;
typedef struct conf_strings conf_urls;
struct conf_steps { int64_t v[WAMD_STRINGS_MAX]; int n; };
typedef struct conf_steps conf_msecs;
typedef struct error_classes conf_classes;

struct conf {
#define SETTING(member, type, ...) conf_##type member;
#include "tbl/settings.h"
#undef SETTING
	char *file;			/* as given to conf_load */
	char *service_secret;		/* of tenant_service.bearer_file: read with the configuration, as children may not; NULL: none */
	char *state_secret;		/* of state_manager.token_file, likewise */
	char *console_secret;		/* likewise, of console.token_file: the keeper's alone */
	struct webhook_app apps[WAMD_STRINGS_MAX];	/* of webhook.apps; their secrets are the api's alone */
	struct tenant_set *tenants;	/* the one part that changes: what is learnt of a tenant service, other tokens */
};

enum { CONSOLE_TOKEN_MIN = 16 };	/* characters: what is shorter may be guessed */

/* Between two messages at a rate of so many a second. */
static inline int64_t conf_interval_us(int64_t rate)
{
	return (1000000 + rate - 1) / rate;
}

/* What it allows at once. */
static inline int64_t conf_burst(int64_t rate)
{
	return rate / 10 < 1 ? 1 : rate / 10;
}

struct conf *conf_load(const char *file, struct strbuf *why) MUST_CHECK;
struct conf *conf_defaults(void);	/* no tenants; for tests and wamctl */
void conf_free(struct conf **cp);
/* The bearers of tenant service and state manager, the console's token, and what proves webhooks: for children that need none of them. */
void conf_wipe_secrets(const struct conf *c, bool also_webhooks);

void conf_dump(const struct conf *c, FILE *out);	/* loads again and dumps the same; passwords masked */

/* Calls changed() for each setting with another value; live: taken over by a reload. */
void conf_diff(const struct conf *a, const struct conf *b, void (*changed)(void *arg, const char *path, bool live), void *arg);

/* Takes over the settings that need a restart from the configuration in force. */
void conf_keep_fixed(struct conf *c, const struct conf *in_force);

static inline struct tenant *conf_tenant(const struct conf *c, const char *id)		/* NULL: unknown */
{
	return tenant_set_find(c->tenants, id);
}

int64_t conf_grant_of_tier(const struct conf *c, const char *tier);	/* messages a second that Meta grants, -1: no such tier */
int64_t conf_rate_of_tier(const struct conf *c, const char *tier);	/* messages a second that wamd sends, -1: no such tier */
/* From its token_file, or the refreshed one in state_dir; false: there is none, it cannot be read, or is the same. */
bool conf_read_token_again(const struct conf *c, struct account *a);
/* Refreshed tokens lie in state_dir/tokens/<tenant>/<account>; the newer one counts, theirs or the configured one. */
bool conf_read_stored_token(const struct conf *c, struct account *a);
int conf_store_token(const struct conf *c, const struct account *a, struct strbuf *why) MUST_CHECK;	/* whole or not at all */
bool conf_feature_is_on(const struct conf *c, const struct tenant *t, enum feature f);	/* for all and for this tenant */

#endif
