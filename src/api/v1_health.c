#include "api/v1_call.h"

#include <string.h>

pid_t v1_keeper_pid(const struct board *b, int generation)
{
	for (int i = 0; i < BOARD_SLOTS; i++)
		if (b->slots[i].pid && !strcmp(b->slots[i].role, "keeper") && b->slots[i].generation == generation)
			return b->slots[i].pid;
	return 0;
}

const char *v1_not_ready(const struct v1 *v)
{
	if (!broker_is_up(v->publisher))
		return "broker";
	if (broker_is_blocked(v->publisher))
		return "broker_blocked";
	if (!store_is_up(v->store))
		return "redis";
	return v1_keeper_pid(v->board, v->board->generation) ? NULL : "keeper";
}

void on_v1_healthz(struct v1_call *q)
{
	json_t *o = json_object();

	json_put_text(o, "status", "alive");
	v1_answer(q, 200, o);
}

void on_v1_readyz(struct v1_call *q)
{
	const struct v1 *v = q->v;
	const char *missing = v1_not_ready(v);
	json_t *o = json_object();

	json_put_text(o, "status", missing ? "not_ready" : "ready");
	json_put_text(o, "missing", missing);
	json_put_text(o, "broker", !broker_is_up(v->publisher) ? "down" : broker_is_blocked(v->publisher) ? "blocked" : "up");
	json_put_text(o, "redis", store_is_up(v->store) ? "up" : "down");
	json_put_text(o, "keeper", v1_keeper_pid(v->board, v->board->generation) ? "up" : "down");
	v1_answer(q, missing ? 503 : 200, o);
}
