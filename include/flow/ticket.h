/* ticket - publishes the ticket of an account's lane to amqp.lanes, mandatory; its text is msg/ticket.h. */
#ifndef FLOW_TICKET_H
#define FLOW_TICKET_H

#include "conf/conf.h"
#include "io/broker.h"

int ticket_publish(struct broker *b, const struct conf *c, const struct account *a, broker_fate_f *done, void *arg) MUST_CHECK;

#endif
