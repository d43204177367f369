/* topology - the exchanges and queues wamd declares, from the configuration; owns the texts it points to. */
#ifndef FLOW_TOPOLOGY_H
#define FLOW_TOPOLOGY_H

#include "conf/conf.h"
#include "io/broker.h"

struct topology;

struct topology *topology_new(const struct conf *c);
void topology_free(struct topology **tp);
const struct broker_declare *topology_declares(const struct topology *t, int *n);
/* What all connections to the broker have in common; borrows from both. */
struct broker_options topology_connection(const struct topology *t, const struct conf *c);
const char *topology_delay_queue(const struct topology *t, int64_t delay_ms);	/* NULL: no such step */
int topology_delays(const struct topology *t);		/* how many delay queues there are */
const char *topology_delay_name(const struct topology *t, int i);
int64_t topology_delay_ms(const struct topology *t, int i);
int64_t topology_tail(const struct topology *t);	/* how long after its expiry a copy can still be on its way: records outlive it */

#endif
