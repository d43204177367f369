/*
 * addressee - which account a message goes through, and may it?  Asked by senders, and by the HTTP API before it takes one.
 * With the account its region is known: a national number becomes E.164 in m.
 */
#ifndef FLOW_ADDRESSEE_H
#define FLOW_ADDRESSEE_H

#include "conf/conf.h"
#include "msg/message.h"

enum reason addressee_find(const struct conf *c, const struct tenant *t, struct message *m,
			   const struct account **account, struct strbuf *why);

#endif
