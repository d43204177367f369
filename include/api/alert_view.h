/* alert_view - one alert's record as JSON for people.  Pure. */
#ifndef API_ALERT_VIEW_H
#define API_ALERT_VIEW_H

#include "io/store.h"
#include "msg/json.h"

enum { ALERT_FIELDS = 6 };
const char *alert_field(int i);

/* member: as the index has it; r: its fields in their order.  The caller's; NULL: it is over, or never was. */
json_t *alert_view(const char *member, const struct store_reply *r);

#endif
