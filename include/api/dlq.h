/*
 * dlq - the dead letters, for the admin socket: list, show, replay, drop, edit.
 *
 * One call at a time (else 409 dlq_busy), on broker connections made for it and closed behind it; given up after two minutes.  It
 * reads the whole queue as it is when it begins, keeps what its answer needs, and gives back what it did not take, in order, before
 * it answers; meanwhile nobody else sees the letters.
 * Replay and edit: publish, wait for the confirm, then ack the letter.  Dying in between makes a second replay of the same letter, which the
 * record knows (admit.lua), or leaves the old letter beside the edited one.
 */
#ifndef API_DLQ_H
#define API_DLQ_H

#include "conf/conf.h"
#include "io/http_server.h"

struct dlq;

enum dlq_what { DLQ_LIST, DLQ_SHOW, DLQ_REPLAY, DLQ_DROP, DLQ_EDIT };

struct dlq *dlq_new(struct loop *l, const struct conf *c);
void dlq_free(struct dlq **dp);		/* a call in hand gets no answer; the broker takes back what was not acked */
void dlq_call(struct dlq *d, enum dlq_what what, struct http_call *c);
void dlq_progress(const struct dlq *d, struct http_call *c);	/* how far the call in hand is, which it does not disturb */

#endif
