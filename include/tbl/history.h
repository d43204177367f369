/*
 * SERIES(ident, name, kind, of, help) - what the ring of the last 15 minutes keeps of each step.  COUNTED: by how much a counter of all
 * processes grew; SUMMED: a gauge of all processes; P50, P95, P99: estimated from what a histogram got in the step, milliseconds.
 */
SERIES(RECEIVED,    "received",       COUNTED, RECEIVED,  "Deliveries taken.")
SERIES(POSTED,      "posted",         COUNTED, POSTED,    "POSTs.")
SERIES(SENT,        "sent",           COUNTED, SENT,      "Messages that Graph took.")
SERIES(DEAD,        "dead",           COUNTED, DEAD,      "Messages that ended as dead letters.")
SERIES(RETRIED,     "retried",        COUNTED, RETRIED,   "Attempts to be made again.")
SERIES(UNKNOWN,     "unknown",        COUNTED, UNKNOWN,   "Unknown outcomes.")
SERIES(REQUESTS,    "api_requests",   COUNTED, REQUESTS,  "Requests to the HTTP API.")
SERIES(WEBHOOKS,    "webhooks",       COUNTED, WEBHOOKS,  "Webhooks.")
SERIES(IN_FLIGHT,   "in_flight",      SUMMED,  IN_FLIGHT, "POSTs without an answer.")
SERIES(LANES,       "lanes",          SUMMED,  LANES,     "Lanes that are held.")
SERIES(LATENCY_P50, "latency_p50_ms", P50,     ADDED,     "Half of the messages left within this time after they had come.")
SERIES(LATENCY_P95, "latency_p95_ms", P95,     ADDED,     "19 of 20.")
SERIES(LATENCY_P99, "latency_p99_ms", P99,     ADDED,     "99 of 100.")
SERIES(GRAPH_P50,   "graph_p50_ms",   P50,     GRAPH,     "Half of Graph's answers came within this time.")
SERIES(GRAPH_P95,   "graph_p95_ms",   P95,     GRAPH,     "19 of 20.")
SERIES(GRAPH_P99,   "graph_p99_ms",   P99,     GRAPH,     "99 of 100.")
