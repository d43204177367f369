/*
 * user - what webhooks teach of a number's users, kept in Redis for the guards (flow/guard.h): when one wrote last, and whether he wants
 * marketing messages.  Users are keyed hashes there, the ones that also name a recipient's limit and hold.
 *
 * Everything is copied.  Stored when done(true) comes; asking twice is harmless.
 */
#ifndef FLOW_USER_H
#define FLOW_USER_H

#include "conf/conf.h"
#include "io/store.h"
#include "msg/identity.h"

struct user_news {
	const struct account *account;		/* whose user */
	const char *wa_id, *user_id;		/* either may be NULL: names of the same user */
	int64_t at_ms;				/* by Meta's clock; 0: it did not say */
	bool wrote;				/* a message: his window is open */
	enum user_wish { USER_SAYS_NOTHING, USER_WANTS_NO_MARKETING, USER_WANTS_MARKETING } wish;
};

struct user_place { const struct conf *conf; struct store *store; struct identity *identity; };

typedef void user_done_f(void *arg, bool is_stored);
/* done comes once, never from inside.  false: Redis is away, and done will not come. */
bool user_tell(const struct user_place *p, const struct user_news *n, user_done_f *done, void *arg) MUST_CHECK;

/* Of a text a user wrote, by guard.stop_words and guard.start_words; blanks around it and the case of A to Z do not matter. */
enum user_wish user_wish_of(const struct conf *c, const char *text);

#endif
