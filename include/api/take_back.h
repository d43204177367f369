/*
 * take_back - a message that has not been sent is cancelled (lua/cancel.lua): it ends as a dead letter when its turn comes.
 *
 * done() is called once, from the loop; why is borrowed until it returns.
 */
#ifndef API_TAKE_BACK_H
#define API_TAKE_BACK_H

#include "conf/conf.h"
#include "io/store.h"

enum take_back_word {
	TAKE_BACK_DONE,		/* also when it was before */
	TAKE_BACK_LATE,		/* it is being sent, or may have been, or is final; why says which */
	TAKE_BACK_NONE,		/* no message with this key is known */
	TAKE_BACK_AWAY		/* Redis does not answer */
};

typedef void take_back_done_f(void *arg, enum take_back_word word, const char *why);
void take_back(struct store *s, const struct conf *c, const struct tenant *t, const char *message_key, take_back_done_f *done, void *arg);

#endif
