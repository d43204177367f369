/*
 * why_ask - asks for all that why.h makes an answer of: the message's record or mark, then what holds its account, then what waits before it.
 *
 * Three or four commands to Redis and, where a fleet is given, two questions to the broker on a connection that is there; none waits for
 * more than 2 s.  done() is called once, from the loop.
 */
#ifndef API_WHY_ASK_H
#define API_WHY_ASK_H

#include "api/look.h"
#include "base/board.h"
#include "msg/json.h"

struct fleet;

struct why_ask {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	const struct board *board;
	const struct fleet *fleet;	/* NULL: nothing is counted */
	const char *digest;		/* no other message that had its id is meant; NULL: the newest */
};

/* LOOK_NONE, LOOK_AWAY: the answer has "detail", and what would hold the message.  The answer is done's. */
typedef void why_done_f(void *arg, enum look_word word, json_t *answer);

/* account: which one is meant where nobody knows the message's; NULL: any of the tenant's. */
void why_ask(const struct why_ask *k, const struct tenant *t, const struct account *account, const char *id, why_done_f *done, void *arg);

#endif
