/* registry_inside - what the files of the registry share: entries by tenant, and the ports towards other processes. */
#ifndef FLOW_REGISTRY_INSIDE_H
#define FLOW_REGISTRY_INSIDE_H

#include "base/names.h"
#include "flow/registry.h"
#include "flow/tenant_service.h"
#include "io/packets.h"

struct entry {				/* of one tenant, known or not */
	struct name name;
	struct registry *r;
	char id[TENANT_NAME_MAX + 1];
	struct tenant *tenant;		/* in conf->tenants; NULL: not known */
	char *etag;
	mono_t asked, fresh_until, stale_until, unknown_until, away_until;
	int failures;
	bool is_asking, was_asked;
	bool is_unreadable;		/* and people were told */
	struct list waiters;
};

struct port {				/* towards one sender or api */
	struct registry *r;
	bool has_tokens;		/* it may be told tokens: not who parses what comes from outside */
	struct packets *link;
	struct tenant_parts parts;	/* of the keeper before */
};

struct registry {
	struct registry_options o;
	struct tenant_service *service;	/* NULL: files */
	struct names entries;
	int n_unknown;
	struct port *ports;
	struct port heir, legacy;	/* the keepers after and before this one */
	int failures_in_row;
	int64_t failing_since_ms;
	mono_t away_until;
	bool is_trying;			/* the one call of an away service */
	bool is_ending;
	struct { registry_other_f *hear; void *arg; } others[REGISTRY_OTHERS_MAX];
	int n_others;
	uint64_t calls, failures;
	char why[256];
};

struct entry *registry_entry(struct registry *r, const char *tenant_id);	/* made where there is none */
struct entry *registry_entry_at(const struct registry *r, int i);
int64_t registry_left_ms(mono_t until);						/* 0: over, or not set */

void registry_open_ports(struct registry *r);
void registry_close_ports(struct registry *r);

#endif
