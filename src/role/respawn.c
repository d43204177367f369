#include "role/respawn.h"

int64_t respawn_after(struct respawn *r, const struct conf *c, int64_t lived_ms, bool *alarm)
{
	int64_t delay = c->respawn_min;

	*alarm = false;
	if (lived_ms >= c->respawn_calm) {
		r->crashes_in_row = 0;
		return 0;
	}
	r->crashes_in_row++;
	*alarm = r->crashes_in_row == c->respawn_alarm;
	for (int i = 1; i < r->crashes_in_row && delay < c->respawn_max; i++)
		delay *= 2;
	return delay < c->respawn_max ? delay : c->respawn_max;
}
