/* OUTCOME(ident, name, what an answer of this class means) */
OUTCOME(SENT,      "sent",      "Graph accepted it and named its WAMID")
OUTCOME(NOT_SENT,  "not_sent",  "no byte of the body left: retry, uses an attempt")
OUTCOME(SERVER,    "server",    "5xx with a Graph error, or a 4xx without one: retry, uses an attempt")
OUTCOME(THROTTLED, "throttled", "a limit of Meta's: wait, no attempt used")
OUTCOME(HELD,      "held",      "the account or its token is in trouble: wait, no attempt used")
OUTCOME(REFUSED,   "refused",   "Graph refused this message for good")
OUTCOME(UNKNOWN,   "unknown",   "the body was read and no whole answer came: may or may not have been accepted")
