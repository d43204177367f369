/* HISTOGRAM(ident, name, buckets, help) - how long things took, for each process in the scoreboard; buckets: include/tbl/buckets.h. */
HISTOGRAM(QUEUE_WAIT,  "queue_wait",    LONG,  "From the publisher's timestamp, which has whole seconds, to the first POST of a message; without one, from when it was first taken.")
HISTOGRAM(ADDED,       "added_latency", SHORT, "From a delivery's arrival at a sender to its first byte to Graph: what wamd adds, waits in memory for limits included.")
HISTOGRAM(GRAPH,       "graph",         SHORT, "From a POST to Graph's whole answer.")
HISTOGRAM(REDIS,       "redis",         SHORT, "Redis's answers to admit and settle.")
HISTOGRAM(WEBHOOK_LAG, "webhook_lag",   LONG,  "From Meta's time in a status, which has whole seconds, to its being stored and told on.")
HISTOGRAM(REQUEST,     "request",       SHORT, "From a request to the HTTP API to its answer.")
