/*
 * registry - what the keeper knows of tenants and where it comes from: files, or the tenant service, which nobody else on this machine
 * calls.  One question at a time about a tenant, whoever asks; answers stay fresh for tenant_service.ttl, are asked for again with
 * their ETag, and used tenant_service.stale longer while the service is away.  Unknown is not away.
 *
 * What changes goes into conf->tenants, and board->tenants_changed grows, so that senders ask again for what they use.
 * Ownership: links' descriptors become the registry's; the rest is borrowed.
 */
#ifndef FLOW_REGISTRY_H
#define FLOW_REGISTRY_H

#include "flow/alert.h"
#include "msg/tenant_wire.h"

struct registry;

enum { REGISTRY_OTHERS_MAX = 4 };

struct registry_options {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct alerts *alerts;
	struct store *store;		/* where it is written down whose numbers are (flow/owner.h); NULL: nowhere */
	const int *links;		/* our ends towards the senders, and behind them those towards the apis, who are told no tokens */
	int n_links, n_sender_links;
	int heir_fd, legacy_fd;		/* to the keeper that follows, from the one before; -1: none */
};

struct registry *registry_new(const struct registry_options *o);
void registry_free(struct registry **rp);

struct registry_answer {
	enum tenant_word word;
	struct tenant *tenant;		/* as conf->tenants has it, NULL where word is not TENANT_FOUND */
	int64_t ms;			/* fresh so long, or until it is worth asking again */
	int64_t keep_ms;		/* to be used no longer than that */
	bool is_fresh;
};
typedef void registry_done_f(void *arg, const struct registry_answer *a);
/* forced: fresh or not, the source is asked, but not twice within 200 ms.  done may be called at once. */
void registry_get(struct registry *r, const char *tenant_id, bool forced, registry_done_f *done, void *arg);

/*
 * The keeper that takes over learns what this one knows, so that a reload while the service is away stops nobody.  It asks for all of
 * it anew at the next use.  registry_is_given: the other end has read it all.
 */
void registry_give(struct registry *r);
bool registry_is_given(const struct registry *r);

/* Nothing counts as fresh any more: of one tenant, or (NULL) of all.  How many that were. */
int registry_expire(struct registry *r, const char *tenant_id);

/* An account of it was changed by hand (account_set_token): senders hear of it. */
void registry_changed(struct registry *r);

/* What others ask of other things than tenants; port says which of the links it came through.  false: it is no question for this one. */
typedef bool registry_other_f(void *arg, int port, const char *data, size_t len);
void registry_on_other(struct registry *r, registry_other_f *on_other, void *arg);
void registry_say(struct registry *r, int port, const char *data, size_t len);	/* lost when the asker is: it asks again */

/* A refreshed token goes back to the service.  false: it takes none. */
bool registry_stores_tokens(const struct registry *r);
bool registry_store_token(struct registry *r, const struct account *a, void (*done)(void *arg, bool ok, const char *why), void *arg);

/* What is known of a tenant without asking: TENANT_AWAY, when its service could not tell. */
enum tenant_word registry_word(const struct registry *r, const char *tenant_id);

/* For operators. */
struct registry_view {
	bool is_service, is_away;
	int known, waiting;		/* tenants | questions without an answer */
	uint64_t calls, failures;
	int64_t failing_since_ms;	/* Unix time; 0: its last answer was one */
	const char *why;		/* the last failure, or "" */
};
void registry_look(const struct registry *r, struct registry_view *out);

#endif
