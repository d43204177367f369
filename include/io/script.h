/* script - the Lua scripts that are compiled in, as one connection uses them, and the digests Redis knows them by. */
#ifndef IO_SCRIPT_H
#define IO_SCRIPT_H

#include "io/store.h"

enum { SCRIPT_SHA_LEN = 40 };

struct script_set {
	struct { const char *text; size_t len; char *own; char sha[SCRIPT_SHA_LEN + 1]; } of[SCRIPTS];	/* text NULL: wants rules, there are none */
};

void script_set_init(struct script_set *s, const char *rules);	/* rules: see store_options; may be NULL */
void script_set_release(struct script_set *s);

#endif
