/*
 * media - Graph's id for bytes of ours on one number: from memory, from Redis, or by uploading them, once in the fleet.
 *
 * An id is good for all processes that share the Redis (key d:, for media.id_life).  Who finds none takes the lease dl: and uploads;
 * others look again until the id is there, or the lease has ended and they upload themselves.  Bytes that are on no machine which looks
 * for them, and that nobody is uploading, are MEDIA_NOT_HERE.  A number's ids are kept in memory, too, for an hour at most.
 * A failure is told to all who ask in the second after it, a refusal in the half minute: bytes are not sent to be refused again.
 * Accounts stay where they are (conf/tenants.h); refs are those of flow/media_ref.h.
 */
#ifndef FLOW_MEDIA_H
#define FLOW_MEDIA_H

#include "base/board.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "flow/spool.h"
#include "io/http_client.h"
#include "io/store.h"
#include "msg/answer.h"

enum { MEDIA_ID_MAX = 64 };

enum media_word {
	MEDIA_READY,
	MEDIA_NOT_HERE,			/* no such handle, or no such bytes: it will not get better by waiting */
	MEDIA_AWAY,			/* ask later: Redis or Graph is away, a limit, a token or an account in trouble */
	MEDIA_REFUSED,			/* Graph refuses these bytes */
};

struct media_result {
	enum media_word word;
	const char *id;			/* READY, else NULL */
	int http, code;			/* Graph's; 0: it was not asked */
	const char *text;		/* why, in plain words; READY: "" */
	int64_t retry_ms;		/* AWAY: worth asking again then; -1: not known */
	const struct answer *answer;	/* what Graph said of the upload (its scope, reaction …); NULL: it was not asked */
};

struct media_waiter {			/* embedded; list_del(&w->list) to wait no longer */
	struct list list;
	void (*ready)(void *arg, const struct media_result *r);	/* once, never from inside; r is borrowed */
	void *arg;
};

struct media;

struct media *media_new(struct loop *l, const struct conf *c, struct store *store, struct http_client *http, struct spool *spool,
			struct board_slot *slot);
void media_stop(struct media *m);	/* no upload begins any more: before the http client goes, when media goes on */
void media_free(struct media **mp);	/* free the http client, then the store, before; who still waits hears AWAY */

/* From memory only, good until the next call; NULL: media_want() finds out. */
const char *media_find(struct media *m, const struct account *a, const char *ref);
/* What is in memory for it may be wrong: Redis is asked next. */
void media_look_again(struct media *m, const struct account *a, const char *ref);
void media_want(struct media *m, const struct account *a, const char *ref, struct media_waiter *w);
/* Graph says that this id is gone (131052, 131053, 100): forgotten here, and in Redis if no other one is there by now. */
void media_forget(struct media *m, const struct account *a, const char *ref, const char *id);

#endif
