/* What operators look at: accounts, breakers, lanes and limits. */
#include "api/handlers.h"
#include "api/survey.h"

/* ---- accounts ---- */

/* Of the holds that concern all its messages, the one that lasts longest. */
static json_t *hold_that_matters(struct survey *s, const struct gate_view *g)
{
	struct hold_fields fields = { .of = { "" } };
	struct gate_hold h, longest;
	int64_t most = -1;

	hold_fields_of(g->account, &fields);
	for (int i = 0; i < HOLD_TEMPLATE; i++) {
		const char *text = survey_hold(s, g->account->tenant, fields.of[i]);

		if (!text || gate_hold_read(fields.of[i], text, &h) < 0 || gate_hold_is_over(&h, g->now_ms) ||
		    gate_hold_wait_ms(&h, g->now_ms) <= most)
			continue;
		longest = h;
		most = gate_hold_wait_ms(&h, g->now_ms);
	}
	return most < 0 ? NULL : gate_hold(&longest, g->account, g->now_ms);
}

static json_t *take_account(struct survey *s, const struct gate_view *g)
{
	return gate_account(g, hold_that_matters(s, g));
}

void on_account_list(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .list = "accounts", .holds = true, .accounts = true, .take = take_account };

	survey_start(a, c, &kind);
}

void lists_account(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .holds = true, .accounts = true, .take = take_account };

	survey_start_one(a, c, &kind);
}

/* ---- breakers ---- */

static json_t *take_breaker(struct survey *s, const struct gate_view *g)
{
	(void)s;
	return gate_breaker(g);
}

static json_t *take_troubled(struct survey *s, const struct gate_view *g)
{
	(void)s;
	return gate_breaker_is_calm(g) ? NULL : gate_breaker(g);
}

void on_breaker_list(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .list = "breakers", .holds = true, .accounts = true, .take = take_troubled };

	survey_start(a, c, &kind);
}

void on_breaker_show(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .holds = true, .accounts = true, .cells = true, .take = take_breaker };

	survey_start_one(a, c, &kind);
}

/* ---- lanes ---- */

static json_t *take_lane(struct survey *s, const struct gate_view *g)
{
	(void)s;
	return gate_lane(g);
}

static json_t *take_open_lane(struct survey *s, const struct gate_view *g)
{
	(void)s;
	return gate_has_lane(g) ? gate_lane(g) : NULL;
}

void on_lane_list(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .list = "lanes", .accounts = true, .counts_lanes = true, .take = take_open_lane };

	survey_start(a, c, &kind);
}

void on_lane_show(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .accounts = true, .counts_lanes = true, .take = take_lane };

	survey_start_one(a, c, &kind);
}

/* ---- limits ---- */

static json_t *take_limit(struct survey *s, const struct gate_view *g)
{
	(void)s;
	return gate_limit(g);
}

void on_limit_show(struct admin *a, struct http_call *c)
{
	static const struct survey_kind kind = { .holds = true, .accounts = true, .take = take_limit };

	survey_start_one(a, c, &kind);
}
