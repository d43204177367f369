/*
 * catalogue - the templates of every business account, as a test has ordered them or a client has created them.
 *
 * Empty: every well-formed template is accepted.  Else waba, name and language must be in it and APPROVED, and the send must be what
 * the definition wants: all of it where there are components, else the number of body parameters where that was posted.
 * Ownership: templates live until catalogue_clear(), also after catalogue_remove().
 * Invariant: an id and (waba, name, language) are found by hash; blueprint belongs to object.
 */
#ifndef SANDBOX_CATALOGUE_H
#define SANDBOX_CATALOGUE_H

#include <jansson.h>
#include "sandbox/graph.h"

enum { CATALOGUE_EDITS = 10, CATALOGUE_KEY_MAX = 1024 };

struct catalogue;

enum template_status { TEMPLATE_APPROVED, TEMPLATE_PAUSED, TEMPLATE_DISABLED, TEMPLATE_OTHER };

struct template {
	char *key, *id;
	const char *waba, *name, *language;	/* waba "": of every business account */
	json_t *object;				/* as Graph lists it */
	struct blueprint *blueprint;		/* NULL: there are no components to compare with */
	int64_t body_parameters;		/* -1: not said */
	enum template_status status;
	bool gone;
	uint64_t accepted, refused;		/* sends */
	int64_t edits_s[CATALOGUE_EDITS];	/* Unix time of the last edits by a client, a ring */
	size_t n_edits;
};

/* What a test may turn. */
struct catalogue_knobs {
	int64_t page_max;			/* a list with a higher limit is too heavy: code 1 */
	int64_t templates_max, creations_per_hour;	/* each business account's */
	int64_t stale_after, stale_cursors;	/* after so many lists with a cursor so many get 131059 */
	char review[16];			/* the status of what was created or edited */
};

/* The templates of one business account, those of every account behind them. */
struct catalogue_list {
	struct template **all;
	size_t n;
	uint64_t version;			/* another number: some came or went */
};

struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue **cp);
void catalogue_clear(struct catalogue *c);
void catalogue_reset_counts(struct catalogue *c);
struct catalogue_knobs *catalogue_knobs(struct catalogue *c);

/* from has {waba_id?, name, language} and whatever else Graph lists; one with the same three is replaced.  NULL with the reason. */
struct template *catalogue_put(struct catalogue *c, const json_t *from, struct strbuf *why);
int catalogue_change(struct template *t, const json_t *members, struct strbuf *why) MUST_CHECK;
void catalogue_remove(struct catalogue *c, struct template *t);
struct template *catalogue_by_id(const struct catalogue *c, const char *id, size_t len);		/* NULL: unknown or gone */
struct template *catalogue_find(const struct catalogue *c, const char *waba, const char *name, const char *language);	/* NULL */
/* Was there an approved one of this name that is gone? */
bool catalogue_had(const struct catalogue *c, const char *waba, const char *name);
void catalogue_list(const struct catalogue *c, const char *waba, struct catalogue_list *l);	/* waba NULL: all; the caller frees l->all */
/* One more creation by a client; false: that would be too many this hour. */
bool catalogue_may_create(struct catalogue *c, const char *waba, int64_t now_us);

/* May this be sent?  *t is the template that was meant, NULL when there is none. */
int catalogue_check(const struct catalogue *c, const char *waba, const json_t *payload, struct template **t, struct graph_error *e)
	MUST_CHECK;

#endif
