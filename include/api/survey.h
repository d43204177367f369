/*
 * survey - one call's, or the keeper's own, look over the gates of many accounts; private to src/api.
 *
 * Redis is asked for its time, then for the holds of each limit domain, then for each account's hash: at most a bite of commands at a
 * time, and what an answer says is written into the body at once, so that no turn of the loop is long however many accounts there are.
 * Ownership: a survey ends itself when it has answered; surveys_free() ends those that are left when the keeper goes.
 */
#ifndef API_SURVEY_H
#define API_SURVEY_H

#include "api/admin.h"
#include "api/gate_view.h"
#include "api/lane_count.h"
#include "base/strbuf.h"

struct survey;

struct survey_kind {
	const char *list;		/* name of the answer's array; NULL: its only object is the answer */
	bool holds, accounts;		/* what is asked of Redis */
	bool cells;			/* with the answers of the last minute */
	bool counts_lanes;		/* then only taken accounts are told, with what waits in their lanes */
	void (*take_holds)(struct survey *s, const struct tenant *of_domain, const struct store_reply *r);	/* NULL: kept for take() */
	json_t *(*take)(struct survey *s, const struct gate_view *g);	/* NULL: this account is left out */
};

typedef void survey_done_f(void *arg, bool ok);

struct survey {
	struct list list;		/* admin.surveys */
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone, or it is the keeper's own */
	const struct survey_kind *kind;
	survey_done_f *done;		/* the keeper's own: in place of an answer; NULL: a call's */
	void *arg;
	const struct tenant *tenant;	/* only this one's; NULL: all */
	enum survey_stage { SURVEY_CLOCK, SURVEY_HOLDS, SURVEY_ACCOUNTS, SURVEY_LANES } stage;
	int64_t clock_ms;		/* Redis's less ours */
	const struct tenant **domains;	/* the first tenant of each */
	const struct account **accounts;
	int n_domains, n_accounts;
	int asked, answered;		/* in this stage */
	const char *failed;		/* the code of a problem; answered when nothing is on its way any more */
	json_t *holds;			/* domain: field: text */
	struct strbuf body;
	int n_told;
	struct lane_count *count;
	struct lane_counted *lanes;	/* of the accounts in told, one each */
	json_t **told;
	int n_lanes;
};

void survey_start(struct admin *a, struct http_call *c, const struct survey_kind *kind);	/* all, or the tenant's of the query */
void survey_start_one(struct admin *a, struct http_call *c, const struct survey_kind *kind);	/* the account of the query */
void survey_start_own(struct admin *a, const struct survey_kind *kind, survey_done_f *done, void *arg);	/* all; done may come from inside */
void surveys_free(struct admin *a);	/* after the store */

int64_t survey_now_ms(const struct survey *s);			/* Redis's time */
void survey_keep_holds(struct survey *s, const struct tenant *of_domain, const struct store_reply *r);	/* for survey_hold() */
void survey_tell(struct survey *s, json_t *item);			/* takes it over */
const char *survey_hold(const struct survey *s, const struct tenant *of_domain, const char *field);	/* NULL: none */

#endif
