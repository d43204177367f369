/*
 * ticket - the message in amqp.lanes that stands for one lane: who holds it unacked takes from the lane, {"v":1,"tenant_id",
 * "account_id","phone_number_id","at"}.  Pure.
 */
#ifndef MSG_TICKET_H
#define MSG_TICKET_H

#include "base/strbuf.h"

enum { TICKET_ID_MAX = 64 };

struct ticket { const char *tenant_id, *account_id, *phone_number_id; int64_t at_ms; };

void ticket_format(const struct ticket *t, struct strbuf *out);

struct ticket_read { char tenant_id[TICKET_ID_MAX + 1], account_id[TICKET_ID_MAX + 1], phone_number_id[TICKET_ID_MAX + 1]; };
enum ticket_verdict { TICKET_READ, TICKET_NEWER, TICKET_GARBAGE };	/* NEWER: written by a later version */
enum ticket_verdict ticket_parse(struct ticket_read *t, const void *body, size_t len);

#endif
