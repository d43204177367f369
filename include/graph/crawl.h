/*
 * crawl - fetches templates from Graph into the catalogue that all hosts share (Redis, src/lua/catalogue.lua).
 *
 * One catalogue for each tenant and business account, so that none sees another's; all of it is fetched by a job before its life is
 * over, one name when a message needs what is not in it or Graph's answer speaks against it.  The same is fetched once at a time.
 * A template that is paused or disabled is held until it may be sent again; that, another category (which decides what it costs), and
 * a status that stops it are told as alerts.
 * Meta: "Template management", "Templates overview", "Error codes" (131059: the cursor is no longer good; 1: a page is too heavy).
 */
#ifndef GRAPH_CRAWL_H
#define GRAPH_CRAWL_H

#include "base/board.h"
#include "flow/registry.h"
#include "graph/calls.h"
#include "graph/jobs.h"

struct crawl;

struct crawl_options {
	const struct conf *conf;
	struct board *board;		/* templates_changed grows with each fetch: senders look again */
	struct store *store;
	struct graph *graph;
	struct jobs *jobs;		/* NULL: no job */
	struct alerts *alerts;
	struct registry *registry;	/* senders ask through its links; NULL: none do */
};

struct crawl *crawl_new(const struct crawl_options *o);
void crawl_free(struct crawl **cp);		/* after store, graph and jobs: they tell all who wait */

/* name NULL: all of the account's business account.  The answer: {"templates":N}. */
void crawl_fetch(struct crawl *c, const struct graph_for *who, const char *name);

/* How far such a fetch is, whoever asked for it; Graph does not say how many there are.  false: none is under way. */
struct crawl_view { int64_t templates, pages, ms; };
bool crawl_look(const struct crawl *c, const struct account *a, const char *name, struct crawl_view *out);

#endif
