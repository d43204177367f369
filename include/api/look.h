/*
 * look - what Redis knows of one message of a tenant: its index, then its record.
 *
 * done() is called once, from the loop; what it gets is borrowed until it returns.
 */
#ifndef API_LOOK_H
#define API_LOOK_H

#include "conf/conf.h"
#include "io/store.h"

enum look_word {
	LOOK_RECORD,
	LOOK_QUEUED,		/* no record yet; the HTTP API put it on the queue, or a sender put it aside (flow/mark.h) */
	LOOK_CANCELLED,		/* and then it was taken back */
	LOOK_NONE,		/* never heard of, or its record has ended */
	LOOK_AWAY		/* Redis does not answer */
};

struct look {
	enum look_word word;
	const char *index;			/* "K digest", "+ TIME", "~ TIME …", "- TIME"; or "" */
	int64_t since_ms;			/* where it has no record: when it was queued or first seen, Unix time */
	const struct store_reply *record;	/* field, value, …; NULL but with LOOK_RECORD */
};

typedef void look_done_f(void *arg, const struct look *l);

void look_message(struct store *s, const struct conf *c, const struct tenant *t, const char *message_key, look_done_f *done, void *arg);
bool look_has_record(const char *index);	/* this value leads to one, "K digest" */
void look_record_key(const struct conf *c, const struct tenant *t, const char *index, char out[512]);	/* of "K digest" */

#endif
