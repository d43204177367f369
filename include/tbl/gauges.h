/* GAUGE(ident, name, help) - the process's own last word in the scoreboard. */
GAUGE(READY,        "ready",        "1: connected to broker and Redis and consuming.")
GAUGE(WINDOW,       "window",       "Deliveries in hand.")
GAUGE(IN_FLIGHT,    "in_flight",    "POSTs without an answer yet.")
GAUGE(LANES,        "lanes",        "Lanes whose tickets it holds.")
GAUGE(BLOCKED,      "blocked",      "1: the broker takes no publishes (alarm).")
GAUGE(LOOP_LAG_US,  "loop_lag_us",  "Longest turn of the event loop within the last second, microseconds.")
GAUGE(LOOP_LAG_MAX_US, "loop_lag_max_us", "Longest turn since the start, microseconds.")
