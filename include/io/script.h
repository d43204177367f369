/* script - the Lua scripts that are compiled in, and the digests Redis knows them by. */
#ifndef IO_SCRIPT_H
#define IO_SCRIPT_H

#include "io/store.h"

enum { SCRIPT_SHA_LEN = 40 };

const char *script_sha(enum script which);	/* SHA-1 in hex; script_text() and script_name() are in io/store.h */
size_t script_len(enum script which);

#endif
