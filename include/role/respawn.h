/* respawn - when a dead child is started again.  Pure. */
#ifndef ROLE_RESPAWN_H
#define ROLE_RESPAWN_H

#include "conf/conf.h"

struct respawn { int crashes_in_row; };

/* Notes one death after lived_ms and returns the delay before the next start: 0 after a calm life, else respawn.min doubling to
   respawn.max.  *alarm: this death makes it a crash loop (said once until it is calm again). */
int64_t respawn_after(struct respawn *r, const struct conf *c, int64_t lived_ms, bool *alarm);

#endif
