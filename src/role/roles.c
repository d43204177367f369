#include "role/role.h"

static int senders(const struct conf *c) { return (int)c->senders; }
static int apis(const struct conf *c) { return c->api_listen.n ? (int)c->api_processes : 0; }
static int one(const struct conf *c) { (void)c; return 1; }

const struct role roles[] = {
	/* name      how many  runs */
	{ "keeper", one,     keeper_main },
	{ "sender", senders, sender_main },
	{ "api",    apis,    api_main },
};
const int n_roles = ARRAY_LEN(roles);
