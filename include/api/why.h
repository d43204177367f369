/* why - what a record says about its message, in words.  Pure. */
#ifndef API_WHY_H
#define API_WHY_H

#include "io/store.h"
#include "msg/json.h"

/* reply: HGETALL of the record.  Returns an object with the fields and a sentence in "why"; the caller's. */
json_t *why_of_record(const struct store_reply *reply, int64_t now_ms);

#endif
