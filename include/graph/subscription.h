/*
 * subscription - which apps get the webhooks of an account's business account (Meta: "subscribed_apps").
 *
 * {"is_subscribed":true,"apps":[{"app_id":"…","name":"…","callback":"https://…"},…]}: is_subscribed is said of the account's app, where
 * that is known.
 */
#ifndef GRAPH_SUBSCRIPTION_H
#define GRAPH_SUBSCRIPTION_H

#include "graph/calls.h"

void subscription_fetch(struct graph *g, const struct graph_for *who);
void subscription_make(struct graph *g, const struct graph_for *who);	/* this app gets them from now on; answers as above */

#endif
