/*
 * templates - definitions of templates as a sender finds them: in memory, in Redis, or through the keeper, who asks Graph.
 *
 * What was found stays in memory and costs no further trip; once in template.check, and whenever board->templates_changed has grown, the
 * catalogue's generation is asked for in the background, and what is older is read anew, also in the background.  A template that
 * nobody knows is asked of Graph once in template.unknown_ttl, whoever wants it.
 * One catalogue for each tenant and business account: what a tenant has no other one finds.
 * No call blocks; callbacks come from the loop, never from inside a call.  A definition that was found is good until the caller returns to
 * the loop.
 */
#ifndef FLOW_TEMPLATES_H
#define FLOW_TEMPLATES_H

#include "flow/directory.h"
#include "io/store.h"
#include "msg/template.h"

enum templates_word {
	TEMPLATES_FOUND,
	TEMPLATES_UNKNOWN,	/* Graph knows no such template in this language */
	TEMPLATES_AWAY,		/* nobody can tell now */
	TEMPLATES_ASKED		/* templates_wait() tells when there is an answer */
};

struct templates;

struct templates_options {
	struct loop *loop;
	const struct conf *conf;
	struct board *board;
	struct store *store;
	struct directory *directory;	/* whose link to the keeper is used */
};

struct templates *templates_new(const struct templates_options *o);
void templates_free(struct templates **tp);	/* after the store */

enum templates_word templates_find(struct templates *t, const struct account *a, const char *name, const char *language,
				   const struct template_def **out);
void templates_wait(struct templates *t, const struct account *a, const char *name, const char *language, struct directory_waiter *w);

/* Has the keeper fetch all languages of it, in the background; for those that have no templates of their own.  -1: it cannot be asked now. */
int templates_ask(struct directory *d, const struct account *a, const char *name);

/* Graph's answer to a message speaks against the definition: it is fetched anew, in the background. */
void templates_doubt(struct templates *t, const struct account *a, const char *name);

#endif
