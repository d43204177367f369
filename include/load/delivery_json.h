/* delivery_json - a delivery as one JSON object, for people and tests; nothing of it is lost but what librabbitmq hides. */
#ifndef LOAD_DELIVERY_JSON_H
#define LOAD_DELIVERY_JSON_H

#include <jansson.h>

#include "io/broker.h"

/* {"exchange", "routing_key", "redelivered", "headers", "properties", "raw_size", "body" (JSON, or text) | "body_hex"}.
   A new reference. */
json_t *delivery_json(const struct broker_delivery *d);

#endif
