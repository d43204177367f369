/*
 * waba - a WhatsApp business account: its review, its health, and all its numbers (graph/number.h).
 *
 * {"waba_id":"…","name":"…","review":"APPROVED","business_verification":"verified",…,"health":{…},"numbers":[…],"is_cut":false}
 */
#ifndef GRAPH_WABA_H
#define GRAPH_WABA_H

#include "graph/calls.h"

void waba_fetch(struct graph *g, const struct graph_for *who);

#endif
