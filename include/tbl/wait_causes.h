/*
 * WAIT_CAUSE(ident, word, help) - what a message waits for.  The word is the answer's "cause" and one of its "causes" (wamctl message why,
 * GET /v1/messages/{id}) and stands in marks (flow/mark.h): it is for ever.
 */
WAIT_CAUSE(SENDING,         "sending",         "An attempt is being made.")
WAIT_CAUSE(UNKNOWN_OUTCOME, "unknown_outcome", "Nobody can tell yet whether Graph took the last attempt.")
WAIT_CAUSE(RETRY_TIMER,     "retry_timer",     "It waits in a delay queue for its next attempt.")
WAIT_CAUSE(PAIR_LIMIT,      "pair_limit",      "Its recipient has had enough of this number for now; other messages go.")
WAIT_CAUSE(TEMPLATE,        "template",        "Nobody can tell what its template is like.")
WAIT_CAUSE(FILE,            "file",            "There is no id of Graph's yet for one of its files.")
WAIT_CAUSE(REDIS_AWAY,      "redis_away",      "Redis does not answer; nothing new is begun, and records cannot be read.")
WAIT_CAUSE(TENANT_AWAY,     "tenant_service_away", "The tenant service does not answer, and the tenant is not known without it.")
WAIT_CAUSE(NO_SENDER,       "no_sender",       "No sender takes messages on this machine: it was drained, or they die.")
WAIT_CAUSE(BROKER_AWAY,     "broker_away",     "The senders of this machine have no connection to the broker.")
WAIT_CAUSE(BROKER_BLOCKED,  "broker_blocked",  "The broker takes no publishes (alarm); nothing new is begun.")
WAIT_CAUSE(SWITCHED_OFF,    "switched_off",    "Its tenant is suspended, or its account disabled.")
WAIT_CAUSE(PAUSE,           "pause",           "An operator has put it, or what it belongs to, on hold.")
WAIT_CAUSE(HOLD,            "hold",            "It, or what it belongs to, is on hold after an answer of Graph's.")
WAIT_CAUSE(BREAKER,         "breaker",         "The breaker of its account is open.")
WAIT_CAUSE(HOST_BREAKER,    "host_breaker",    "The breaker of Graph's host is open: this machine sends nothing.")
WAIT_CAUSE(LIMIT,           "limit",           "It is more than the rate of its account lets through, and waits in the account's lane.")
WAIT_CAUSE(LANE,            "lane",            "It has a place in its account's lane, and others are before it.")
WAIT_CAUSE(QUEUE,           "queue",           "It waits its turn in the input queue.")
