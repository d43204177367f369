/* health - Graph's health_status of a number or business account, in plain words (Meta: "Messaging health status").  Pure. */
#ifndef GRAPH_HEALTH_H
#define GRAPH_HEALTH_H

#include "msg/json.h"

/*
 * {"can_send":"BLOCKED","entities":[{"entity":"waba","id":"…","state":"BLOCKED","code":141006,"description":"…","what_to_do":"…"},…]}:
 * one entity a line of errors, at least one each; entity is number, waba, business, app or template.  NULL: it is no health_status.
 * The result is the caller's.
 */
json_t *health_words(const json_t *health_status);

#endif
