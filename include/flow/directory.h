/*
 * directory - tenants and accounts as a sender finds them: in conf->tenants, which it fills with what the keeper tells.
 *
 * With tenants from files all is there from the start; the keeper is asked only about tokens that Graph refuses.  With a tenant service
 * a tenant is asked for when its first message comes, again in the background when the answer is no longer fresh or
 * board->tenants_changed has grown, and used for tenant_service.stale after that while no answer comes.
 * No call blocks; callbacks come from the loop, never from inside a call.  The link's descriptor becomes the directory's.
 */
#ifndef FLOW_DIRECTORY_H
#define FLOW_DIRECTORY_H

#include "base/board.h"
#include "base/loop.h"
#include "conf/conf.h"

enum directory_word {
	DIRECTORY_FOUND,
	DIRECTORY_UNKNOWN,
	DIRECTORY_AWAY,		/* nobody can tell now */
	DIRECTORY_ASKED		/* directory_wait() tells when there is an answer */
};

struct directory_waiter {	/* embedded; list_del(&w->list) to wait no longer */
	struct list list;
	void (*ready)(void *arg);
	void *arg;
};

struct directory;

struct directory *directory_new(struct loop *l, const struct conf *c, struct board *board, int link_fd);	/* -1: no keeper */
void directory_free(struct directory **dp);

/* t: set where it is found. */
enum directory_word directory_find(struct directory *d, const char *tenant_id, struct tenant **t);
void directory_wait(struct directory *d, const char *tenant_id, struct directory_waiter *w);	/* once, after DIRECTORY_ASKED */

/* Graph refuses the token with this token_serial: the source is asked, once for all who wait.  Another serial then: try that. */
void directory_recheck(struct directory *d, const struct account *a, unsigned serial, struct directory_waiter *w);

/* About once a second: asks for what has changed.  The board's tenants_changed up to which this sender knows it all. */
uint64_t directory_follow(struct directory *d);

/* The same link carries other questions: what is no word of tenants goes to on_other.  -1: the keeper cannot be asked. */
int directory_say(struct directory *d, const char *data, size_t len) MUST_CHECK;
void directory_on_other(struct directory *d, void (*on_other)(void *arg, const char *data, size_t len), void *arg);

/* A tenant was changed or is gone: what depends on it should look. */
void directory_on_change(struct directory *d, void (*changed)(void *arg), void *arg);

#endif
