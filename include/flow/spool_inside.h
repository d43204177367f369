/* spool_inside - what the files src/flow/spool*.c share. */
#ifndef FLOW_SPOOL_INSIDE_H
#define FLOW_SPOOL_INSIDE_H

#include <dirent.h>
#include <sys/types.h>

#include "flow/spool.h"

#define SPOOL_NEW "+new"

struct spool_round;

struct spool {
	const struct conf *conf;
	struct strbuf dir;
	unsigned serial;		/* of files being written */
	int64_t used;			/* bytes: as the last round found it, and what has come since */
	struct spool_round *round;	/* NULL: none is on */
};

/* DIR/tenant[/sha][.json]; tenant must be a good one. */
DIR *spool_files(const struct spool *s, const char *tenant);	/* what lies there; the caller closes it.  NULL: nothing */
void spool_path(const struct spool *s, const char *tenant, const char *sha, const char *ending, struct strbuf *out);
bool spool_tenant_is_good(const char *tenant);			/* fit to be the name of a directory */
bool spool_sha_is_good(const char *sha);
void spool_round_free(struct spool_round **rp);

#endif
