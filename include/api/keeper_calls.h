/*
 * keeper_calls - what apis ask the keeper for (tbl/keeper_calls.h), over the links of the registry: calls to Graph with an account's token,
 * within the limit of its management calls.  The same question of several, while one of it is under way, is one call.
 */
#ifndef API_KEEPER_CALLS_H
#define API_KEEPER_CALLS_H

#include "api/admin.h"

struct keeper_calls;

struct keeper_calls *keeper_calls_new(struct admin *a);		/* which outlives it */
void keeper_calls_free(struct keeper_calls **kp);		/* after graph and registry: they tell all who wait */
bool keeper_calls_are_over(const struct keeper_calls *k);	/* nobody waits for an answer */

#endif
