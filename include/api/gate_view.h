/*
 * gate_view - what Redis says of breakers, limits, lanes and holds, as JSON with a sentence for people in "why".  Pure.
 *
 * The formats are those of src/lua/lib/gate.lua, limit.lua and src/lua/lane.lua.  Times are Redis's.  Objects returned are the caller's; what
 * a field does not say, or says in a way that cannot be read, counts as absent.
 */
#ifndef API_GATE_VIEW_H
#define API_GATE_VIEW_H

#include "flow/hold.h"
#include "io/store.h"
#include "msg/json.h"

/* The fields of an account's hash in the order in which they are asked; behind them its answers by five seconds, g0 … g11, b0 … b11. */
enum gate_field {
	GATE_BS, GATE_BU, GATE_BK, GATE_BO, GATE_RA, GATE_F, GATE_FT, GATE_US, GATE_UC, GATE_UL, GATE_UA, GATE_LS, GATE_LU, GATE_LH,
	GATE_LL, GATE_LW, GATE_FIELDS, GATE_CELLS = 24
};
void gate_field_name(int i, char out[16]);		/* i < GATE_FIELDS + GATE_CELLS */

struct gate_view {
	const struct conf *conf;
	const struct account *account;
	const struct store_value *v;			/* HMGET's answer, with the cells or without */
	int n;
	const char *limit;				/* an operator's rate for the number, as operate.lua has it; NULL: none */
	int64_t now_ms;
};

bool gate_breaker_is_calm(const struct gate_view *g);	/* closed, and the rate is what it was before */
bool gate_has_lane(const struct gate_view *g);

struct gate_figures { double rate_now, use; bool breaker_is_open; };	/* use: of the last whole window, 1 is all */
void gate_figures(const struct gate_view *g, struct gate_figures *out);

/* Each begins with tenant_id, account_id and phone_number_id. */
json_t *gate_breaker(const struct gate_view *g);
json_t *gate_limit(const struct gate_view *g);
json_t *gate_lane(const struct gate_view *g);		/* without what waits in it */
json_t *gate_account(const struct gate_view *g, json_t *hold);	/* all in short; hold: that matters, or NULL; taken over */

struct gate_hold {
	enum hold_scope scope;
	char first[80], second[HOLD_FIELD_MAX];		/* hold_field_read() */
	bool is_operators;
	int64_t until_ms, since_ms, times, lease_ms, code;	/* until 0: for ever; lease: end of the probe's */
	char prober[128], words[1200];
};
int gate_hold_read(const char *field, const char *text, struct gate_hold *out) MUST_CHECK;	/* -1: unreadable */
bool gate_hold_is_over(const struct gate_hold *h, int64_t now_ms);		/* an operator's whose time has passed */
int64_t gate_hold_wait_ms(const struct gate_hold *h, int64_t now_ms);		/* 0: the next message may try; INT64_MAX: for ever */
/* whose: an account with this number or waba, NULL: the configuration knows none. */
json_t *gate_hold(const struct gate_hold *h, const struct account *whose, int64_t now_ms);

#endif
