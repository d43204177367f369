/*
 * sweep - goes over all accounts now and then, for what no sender will see to: a lane whose ticket got lost, and an alert that is over
 * although nothing more comes.  The keeper of each host does it; what is to be done is told to one of them (src/lua/sweep.lua).
 *
 * Ownership: borrows all it is given; free it after store and publisher, which answer what is pending when they are freed.
 */
#ifndef FLOW_SWEEP_H
#define FLOW_SWEEP_H

#include "base/loop.h"
#include "conf/conf.h"
#include "flow/alert.h"
#include "io/broker.h"
#include "io/store.h"

struct sweep;

struct sweep *sweep_new(struct loop *l, const struct conf *c, struct store *store, struct broker *publisher, struct alerts *alerts);
void sweep_free(struct sweep **sp);

#endif
