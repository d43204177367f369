/*
 * why - what is known of one message, and what it waits for: in words, and as causes (include/tbl/wait_causes.h).  Pure.
 *
 * It begins with what Redis says of the message, is given what holds its account at this moment, and ends as an answer.
 * Ownership: why_end() empties it; facts stay the caller's (why_facts_release).
 */
#ifndef API_WHY_H
#define API_WHY_H

#include "api/gate_view.h"
#include "api/look.h"
#include "base/board.h"
#include "flow/mark.h"
#include "msg/identity.h"
#include "msg/json.h"

enum { WHY_ACCOUNTS_MAX = 32, WHY_FIELDS_MAX = 12 };

struct why {
	const struct tenant *tenant;
	enum look_word word;
	json_t *o;			/* what is told of the message itself */
	bool is_over;			/* it waits for nothing, or for nothing of its account's: facts say no more */
	enum wait_cause own;		/* what its record or mark says by itself; WAIT_CAUSES: nothing */
	int64_t until_ms;		/* that ends then, Unix time; 0: nobody knows */
	struct strbuf words;		/* of that */
	char account[TENANT_NAME_MAX + 1];	/* "": not known */
	char field[HOLD_FIELD_MAX];	/* of a hold that a sender met, or "" */
	char template[HOLD_FIELD_MAX], who[WHO_LEN + 1], class[16];	/* name/language, recipient and class of priorities, or "" */
};

/* What holds an account now, as Redis and the broker say. */
struct why_account {
	const struct account *account;
	json_t *breaker, *limit, *lane;	/* gate_breaker() and its sisters; NULL: not known */
	double rate_now;
	struct gate_hold *holds;
	int n_holds;
	int64_t waiting, waiting_high;	/* in its lane; -1: not counted */
};

/* How this machine's senders get on, by the scoreboard.  since: Unix time, 0 none. */
struct why_senders {
	int n, no_redis, no_broker, blocked;
	int64_t redis_since_ms, broker_since_ms, blocked_since_ms;
};
void why_look_at_senders(const struct board *b, struct why_senders *out);

struct why_facts {
	int64_t now_ms;			/* Redis's time, or ours */
	struct why_senders senders;
	struct host_view host;
	struct why_account *accounts;	/* the message's, or, where nobody knows that, those of its tenant */
	int n_accounts;
	int64_t queued;			/* in the input queues a short while ago; -1: not known */
};
void why_facts_release(struct why_facts *f);

void why_begin(struct why *w, const struct conf *c, const struct tenant *t, const char *id, const struct look *l, int64_t now_ms);
/* The fields of holds that concern it on this account; they point into out.  How many. */
struct why_fields { char of[WHY_FIELDS_MAX][HOLD_FIELD_MAX]; };
int why_fields(const struct why *w, const struct account *a, struct why_fields *out);
/* The answer, the caller's.  Where no record and no mark is known (word): what would hold it, with "detail" in place of "why". */
json_t *why_end(struct why *w, const struct why_facts *f);

#endif
