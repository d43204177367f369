/* webhook_inside - between webhook.c, which walks, and webhook_change.c, which decodes what accounts, numbers and templates say. */
#ifndef MSG_WEBHOOK_INSIDE_H
#define MSG_WEBHOOK_INSIDE_H

#include "msg/webhook.h"

/* Visits c, whose kind is not known yet and whose value is an object; PREFERENCE: once for each entry.  Returns what was left out. */
int webhook_change_visit(struct webhook_change *c, const struct webhook_visitor *v, void *arg);

#endif
