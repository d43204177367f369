/*
 * trouble - automatic holds that no message's answer set: by the keeper, which looks after tokens and accounts, and by webhooks.
 *
 * They end like all automatic holds (src/lua/lib/gate.lua), or when the trouble is found to be over.  Who looks again need not wait:
 * what Redis did not take is found out at the next look.  Everything is copied.
 */
#ifndef FLOW_TROUBLE_H
#define FLOW_TROUBLE_H

#include "conf/conf.h"
#include "flow/alert.h"
#include "io/store.h"

struct trouble {
	struct store *store;
	const struct conf *conf;
	struct alerts *alerts;		/* ALERT_HELD is raised and resolved */
	const struct account *account;	/* whose tenant's holds */
	const char *field;		/* flow/hold.h */
	int code;			/* Graph's, or the one that says the same; 0 when it is over: whatever it was */
	int64_t ms;			/* how long it is held at first; 0: hold.first */
	void (*done)(void *arg, bool is_stored);	/* once, never from inside; NULL: nobody waits */
	void *arg;
};

/* -1: Redis is away, and done will not come. */
int trouble_set(const struct trouble *t, const char *words);
int trouble_over(const struct trouble *t, const char *words);	/* only a hold with this code ends */

#endif
