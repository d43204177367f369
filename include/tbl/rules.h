/*
 * Settings that scripts decide by.  They stand as constants in front of every script's text (flow/rules.h): an argument costs Redis a
 * microsecond with each message, a constant nothing.
 *
 * RULE_NUMBER(name in Lua, its value from c, the settings, and tail_ms: how long after its expiry a copy can still be on its way)
 * RULE_ARGUMENT(…)  a number that is only ever an argument of a command: as text, so that it is not printed each time
 * RULE_TEXT(…)      one of a setting's words
 */
RULE_NUMBER(LEASE_MS,            c->graph_timeout + c->lease_margin)
RULE_NUMBER(ATTEMPTS,            c->retry_max + 1)
RULE_NUMBER(RECORD_TTL_MS,       c->record_ttl)
RULE_NUMBER(TAIL_MS,             tail_ms)
RULE_NUMBER(PROBE_MS,            c->breaker_probe)
RULE_NUMBER(RAMP_MS,             c->breaker_ramp)		/* a rate's doubling after the breaker closed */
RULE_NUMBER(USE_WINDOW_MS,       c->limit_window)		/* in which a number's use is looked at */
RULE_NUMBER(USE_WARN,            c->limit_warn)			/* percent of its rate that count as approaching its limit */
RULE_NUMBER(UNKNOWN_MAX_MS,      c->unknown_max)
RULE_NUMBER(UNKNOWN_TIMER_MS,    c->unknown_timer)
RULE_NUMBER(LEARN_MS,            c->guard_learn)
RULE_NUMBER(PAIR_INTERVAL,       c->limit_pair_every * 1000)	/* µs */
RULE_NUMBER(PAIR_TOLERANCE,      (c->limit_pair_burst - 1) * c->limit_pair_every * 1000)
RULE_NUMBER(BREAKER_CALLS,       c->breaker_calls)
RULE_NUMBER(BREAKER_PERCENT,     c->breaker_percent)
RULE_NUMBER(BREAKER_OPEN_MS,     c->breaker_open)
RULE_NUMBER(BREAKER_OPEN_MAX_MS, c->breaker_open_max)
RULE_ARGUMENT(WAMID_TTL_MS,      KEY_WAMID_TTL_MS)
RULE_ARGUMENT(USAGE_TTL_MS,      KEY_USAGE_TTL_MS)
RULE_ARGUMENT(BODY_TTL_MS,       c->body_ttl)
RULE_TEXT(POLICY,                rules_policy(c, c->on_unknown))
RULE_TEXT(BLIND,                 c->on_unknown_blind)		/* the policy where the number has never given evidence */
