/*
 * tenants - which tenants and accounts a process knows, from files or from the tenant service.
 *
 * A set belongs to one process and only grows: what was found once stays where it is until tenant_set_free(), so that deliveries, lanes
 * and paces may point to it.  What the source says anew is taken over in place by tenant_set_put(); what is gone is marked, found no
 * longer, and account_wipe() takes its secrets when nothing uses them any more.
 */
#ifndef CONF_TENANTS_H
#define CONF_TENANTS_H

#include "base/crypto.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/strbuf.h"
#include "conf/account_index.h"

enum feature {
#define FEATURE(ident, ...) FEATURE_##ident,
#include "tbl/features.h"
#undef FEATURE
	FEATURES
};
const char *feature_name(enum feature f);
int feature_parse(const char *name, enum feature *out) MUST_CHECK;
int feature_of_type(const char *type, enum feature *out) MUST_CHECK;	/* of a message type; -1: none switches it */

enum { TENANT_NAME_MAX = 64, GRAPH_ID_MAX = 32, ACCESS_TOKEN_MAX = 1024, RATE_LIMIT_MAX = 100000 };

struct tenant;
struct api_key;			/* conf/tenant_keys.h */

struct account {			/* one business phone number */
	struct tenant *tenant;
	char *id, *phone_number_id, *waba_id;
	char *app_id;			/* or NULL */
	char *token;			/* secret; matches [A-Za-z0-9._|~-]{1,1024}; NULL: this process may have none */
	char *app_secret;		/* secret, or NULL; senders have only the proof made with it */
	char proof[2 * SHA256_LEN + 1];	/* appsecret_proof of this token (Meta: "Secure Graph API Calls"), "": none */
	char *token_file;		/* where the token was read, or NULL */
	int64_t token_since_ms;		/* Unix time from which on it is the one to use; 0: not known */
	int64_t token_expires_ms;	/* Unix time; 0: never, or not known */
	unsigned token_serial;		/* another one whenever token or app secret has changed */
	char *region;			/* ISO code: where its numbers without '+' are dialled; NULL: message.default_region */
	char *tier;			/* where the rate comes from; NULL: it is named itself */
	int64_t rate;			/* messages per second that wamd sends */
	int64_t granted;		/* more than its tier has, because Graph grants its number that; 0: nothing */
	int index;			/* 0 … tenants.n_accounts - 1 */
	char *replaced;			/* secret: the token that its source still has, because ours could not be stored yet; or NULL */
	bool enabled, is_default, is_gone;
	struct account *next_by_number, *next_by_waba;	/* in its set's index */
};

struct tenant {
	struct name name;		/* in its set: the id */
	char *id;
	char *domain;			/* limit domain: the portfolio where one is named, else the tenant id */
	bool suspended, is_gone;
	unsigned features_off;		/* BIT(enum feature) */
	int64_t rate;			/* messages per second over all its accounts; 0: no such limit */
	struct account **accounts;	/* sorted by id, then those that are gone */
	int n_accounts;			/* without those */
	int n_gone;
	struct api_key *keys;		/* for the HTTP API */
	int n_keys;
};

struct tenant_set {
	struct names names;
	struct account_index index;	/* what is not gone */
	int n_accounts;			/* indexes given so far, those of what is gone, too */
	struct tenant **gone;
	int n_gone;
};

struct tenant_set *tenant_set_new(void);
void tenant_set_free(struct tenant_set **tp);

int tenant_set_size(const struct tenant_set *ts);
struct tenant *tenant_set_at(const struct tenant_set *ts, int i);				/* by id; 0 … size - 1 */
struct tenant *tenant_set_find(const struct tenant_set *ts, const char *id);			/* NULL: unknown */
struct account *tenant_account(const struct tenant *t, const char *id);			/* by account id or phone number id */
struct account *tenant_default_account(const struct tenant *t);		/* NULL: none is marked and there are several */

/* For those who read a source: a tenant outside of any set, filled field by field. */
struct tenant *tenant_new(const char *id, const char *domain);
struct account *tenant_add_account(struct tenant *t);		/* enabled, all else empty */
void tenant_drop_last_account(struct tenant *t);		/* what could not be read after all */
void tenant_drop_account(struct tenant *t, const struct account *a);
void tenant_free(struct tenant **tp);				/* wipes its secrets */
/* Sorts; refuses what stands twice and two defaults: "FIELD: reason". */
int tenant_finish(struct tenant *t, struct strbuf *why) MUST_CHECK;

/*
 * Takes fresh over, which is freed or becomes part of the set: new ones are added, known ones changed in place, and what fresh does
 * not name is gone.  Another limit domain, phone number or business account makes a new object: records, lanes and limits hang on those.
 * An older token (token_since_ms, replaced) never replaces a newer one.  Returns the tenant; *changed: something is different now.
 */
struct tenant *tenant_set_put(struct tenant_set *ts, struct tenant *fresh, bool *changed);
void tenant_set_forget(struct tenant_set *ts, const char *id);	/* it is gone; nothing if unknown */

void account_prove(struct account *a);		/* makes the proof, where there is a secret */
void account_wipe(struct account *a);		/* its secrets; of one that is gone */
void tenant_set_drop_tokens(struct tenant_set *ts);		/* wiped, with their proofs: for a process that calls nobody with them */
void tenant_set_drop_app_secrets(struct tenant_set *ts);	/* wiped; the proofs made with them stay */
void tenant_set_each_gone(const struct tenant_set *ts, void (*f)(void *arg, struct account *a), void *arg);

const char *account_is_off(const struct account *a);	/* why nothing of it is sent: tenant_suspended, account_disabled; NULL: it is */

/* Another token for an account; false: it has this one. */
bool account_set_token(struct account *a, const char *token, int64_t since_ms, int64_t expires_ms);

/* A phone number belongs to one account of one tenant: that of fresh which another one has, NULL: none. */
const struct account *tenant_set_number_is_taken(const struct tenant_set *ts, const struct tenant *fresh, const struct account **by);

/* Its rate by what Graph grants; more than its tier's (own) outlives what a source says.  false: it has this one. */
bool account_set_granted(struct account *a, int64_t rate, int64_t own);

/* What a source may say. */
bool tenant_name_is_good(const char *s);	/* tenant and account ids, portfolios: 1 to 64 of A-Z a-z 0-9 . _ - */
bool graph_id_is_good(const char *s);		/* 1 to 32 digits */
bool region_is_good(const char *s);		/* two capital letters */
bool access_token_is_good(const char *s);	/* nothing that could end a header line */

#endif
