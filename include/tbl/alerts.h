/* ALERT(ident, name, severity, help) - what a person should know of.  The names are for programs and never change. */
ALERT(BREAKER_OPEN,      "breaker_open",      WARNING,  "The circuit breaker of an account opened.")
ALERT(HOST_BREAKER_OPEN, "host_breaker_open", CRITICAL, "Graph's host does not answer this machine.")
ALERT(HELD,              "held",              WARNING,  "An account, number, business account, template, recipient or tenant was put on hold after Graph's answer.")
ALERT(LIMIT_APPROACHING, "limit_approaching", WARNING,  "An account comes near one of its limits.")
ALERT(LIMIT_QUEUEING,    "limit_queueing",    WARNING,  "Messages of an account queue behind a limit.")
ALERT(MESSAGE_REFUSED,   "message_refused",   WARNING,  "A message was refused with a code that asks for a person, as 131047 or 132001.")
