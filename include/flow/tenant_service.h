/*
 * tenant_service - the HTTP service that knows the tenants: one call, one answer.  The keeper alone calls it.
 *
 * Its two shapes are described in msg/tenant_json.h and wamd-tenants(5).  404 is "unknown tenant"; whatever else is no such document is
 * "not now".  Ownership: the answer is borrowed until done returns, but for its tenant, which is the receiver's.
 */
#ifndef FLOW_TENANT_SERVICE_H
#define FLOW_TENANT_SERVICE_H

#include "base/loop.h"
#include "conf/conf.h"

struct tenant_service;

enum service_word { SERVICE_FOUND, SERVICE_SAME, SERVICE_UNKNOWN, SERVICE_AWAY };

struct service_answer {
	enum service_word word;
	struct tenant *tenant;		/* FOUND: the receiver's */
	const char *etag;		/* "" : none */
	const char *why;		/* AWAY: what was wrong; FOUND: accounts that were left out, or "" */
	bool is_about_one;		/* AWAY: it answered, but what it said of this tenant is no use */
};

typedef void service_done_f(void *arg, const struct service_answer *a);
typedef void service_stored_f(void *arg, bool ok, const char *why);

struct tenant_service *tenant_service_new(struct loop *l, const struct conf *c);
void tenant_service_free(struct tenant_service **sp);			/* open calls are answered first */
void tenant_service_ask(struct tenant_service *s, const char *tenant_id, const char *etag, service_done_f *done, void *arg);

/* A refreshed token goes back to where tokens come from.  false: it takes none (shape credentials, or no token_path). */
bool tenant_service_stores(const struct tenant_service *s);
void tenant_service_store(struct tenant_service *s, const struct account *a, service_stored_f *done, void *arg);

#endif
