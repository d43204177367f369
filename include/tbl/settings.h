/*
 * SETTING(member, type, path, default, min, max, reload, help) - one line a setting; the struct member, parser, bounds,
 * default, dump and manual come from it.
 *
 * Types: flag, count, msec ("30s"), bytes ("1MB"), text, url (text whose password is masked in dumps), texts and urls
 * (lists), msecs (list of durations), classes (list of Graph error codes with a class, "131026=server"), choice (one of the words in `min`).  Defaults are written as in the file; list items are
 * divided by blanks.  Reload: LIVE (SIGHUP) or RESTART (a changed value is warned about at reload).
 */
SETTING(senders,        count, "senders",              "2",  1, 64, LIVE, "Sender processes to keep alive.")
SETTING(user,           text,  "user",                 "wamd", 0, 32, RESTART, "User the children run as when the supervisor is root; empty: stay.")
SETTING(admin_group,    text,  "admin_group",          "wamd-admin", 0, 32, RESTART, "Group that may use the admin socket; ignored when it does not exist.")
SETTING(run_dir,        text,  "run_dir",              WAMD_RUNDIR, 1, 90, RESTART, "Directory of the pid file and the admin socket.")
SETTING(state_dir,      text,  "state_dir",            WAMD_STATEDIR, 1, 1024, RESTART, "Directory of the installation key.")
SETTING(tenants_dir,    text,  "tenants_dir",          "tenants.d", 1, 1024, LIVE, "Directory of the tenants' files (*.conf), relative to this file.")
SETTING(drain_timeout,  msec,  "drain_timeout",        "28s", 100, 600000, LIVE, "Longest time a stopping child may take to finish what it has in flight.")

SETTING(log_target,     text,  "log.target",           "stderr", 1, 1024, LIVE, "stderr, syslog or the absolute path of a file.")
SETTING(log_level,      choice, "log.level",           "info", "debug info notice warn error", 0, LIVE, "Least severe level that is written.")

SETTING(amqp_urls,      urls,  "amqp.urls",            "amqp://guest:guest@127.0.0.1:5672/%2f", 1, 16, LIVE, "Brokers, amqp:// or amqps://, tried in random order.")
SETTING(amqp_ca_file,   text,  "amqp.ca_file",         "", 0, 1024, LIVE, "CA certificates for amqps; empty: the system's.")
SETTING(amqp_exchange,  text,  "amqp.exchange",        "whatsapp", 1, 127, LIVE, "Exchange the input queues are bound to.")
SETTING(amqp_key,       text,  "amqp.routing_key",     "outbound", 1, 127, LIVE, "Routing key of messages to send; retries come back by it.")
SETTING(amqp_inputs,    texts, "amqp.inputs",          "whatsapp.outbound", 1, 16, LIVE, "Input queues; the first is bound to the exchange.")
SETTING(amqp_declare,   flag,  "amqp.declare",         "true", 0, 0, LIVE, "Declare exchanges and queues at every connect; false: they must exist.")
SETTING(amqp_priority,  count, "amqp.max_priority",    "10", 0, 10, LIVE, "x-max-priority of the input queues; 0: none.")
SETTING(amqp_queue_type, choice, "amqp.queue_type",    "classic", "classic quorum", 0, LIVE, "Type of the input and delay queues; quorum knows no priority.")
SETTING(amqp_dlq,       text,  "amqp.dlq",             "whatsapp.outbound.dlq", 1, 127, LIVE, "Queue of dead letters.")
SETTING(amqp_retry,     text,  "amqp.retry_prefix",    "whatsapp.retry.", 1, 100, LIVE, "Prefix of the delay queues; the step in seconds follows.")
SETTING(amqp_status,    text,  "amqp.status_exchange", "whatsapp.status", 1, 127, LIVE, "Topic exchange of status events.")
SETTING(amqp_lanes,     text,  "amqp.lanes",           "whatsapp.lanes", 1, 127, LIVE, "Queue of tickets: one for each account whose messages wait in a lane.")
SETTING(amqp_lane,      text,  "amqp.lane_prefix",     "whatsapp.lane.", 1, 100, LIVE, "Prefix of the lanes; the phone number id follows, and .high for priorities from 7.")
SETTING(amqp_share,     count, "amqp.account_share",   "25", 1, 100, LIVE, "Percent of a sender's window that one account may fill while others send, too; the rest takes its lane.")
SETTING(alert_exchange, text,  "amqp.alerts_exchange", "whatsapp.alerts", 0, 127, LIVE, "Topic exchange of alerts; empty: they only go to the log.")
SETTING(amqp_prefetch,  count, "amqp.prefetch",        "256", 1, 10000, LIVE, "Window of unacknowledged messages of each sender.")
SETTING(amqp_body_max,  bytes, "amqp.message_max",     "1MB", 1024, 16777216, LIVE, "Largest message that is read; a larger one is dead-lettered as too_large.")
SETTING(amqp_heartbeat, msec,  "amqp.heartbeat",       "10s", 1000, 60000, LIVE, "Heartbeat; a broker silent for twice that long is given up.")
SETTING(amqp_connect,   msec,  "amqp.connect_timeout", "3s", 100, 60000, LIVE, "Longest time to connect, log in and declare.")
SETTING(amqp_confirm,   msec,  "amqp.confirm_timeout", "30s", 100, 300000, LIVE, "Longest wait for a publisher confirm before the connection is given up.")
SETTING(amqp_backoff_min, msec, "amqp.reconnect_min",  "100ms", 10, 60000, LIVE, "First reconnect delay (full jitter).")
SETTING(amqp_backoff_max, msec, "amqp.reconnect_max",  "10s", 10, 600000, LIVE, "Longest reconnect delay.")

SETTING(redis_url,      url,   "redis.url",            "redis://127.0.0.1:6379/0", 1, 1024, LIVE, "redis://[user][:password@]host[:port][/db] or unix:///path?db=N&password=P.")
SETTING(redis_prefix,   text,  "redis.prefix",         "wamd:", 0, 64, LIVE, "Start of every key.")
SETTING(redis_timeout,  msec,  "redis.timeout",        "600ms", 50, 60000, LIVE, "Longest wait for an answer before the connection is given up.")
SETTING(redis_durable,  flag,  "redis.require_durable", "false", 0, 0, LIVE, "Refuse to send on a Redis without append-only file (otherwise a warning).")

SETTING(graph_url,      text,  "graph.url",            "https://graph.facebook.com", 8, 256, LIVE, "Base of the Graph API; http:// only to loopback.")
SETTING(graph_version,  text,  "graph.version",        "v25.0", 4, 8, LIVE, "Graph version in the request path.")
SETTING(graph_ca_file,  text,  "graph.ca_file",        "", 0, 1024, LIVE, "CA certificates; empty: the system's.")
SETTING(graph_http,     choice, "graph.http_version",  "2", "1.1 2", 0, LIVE, "HTTP version towards Graph.")
SETTING(graph_streams,  count, "graph.streams",        "100", 1, 1000, LIVE, "HTTP/2 streams a connection may carry.")
SETTING(graph_connect,  msec,  "graph.connect_timeout", "3s", 100, 60000, LIVE, "Longest time to resolve, connect and finish TLS.")
SETTING(graph_timeout,  msec,  "graph.send_timeout",   "20s", 100, 120000, LIVE, "Longest wait for one answer; then the outcome is unknown.")
SETTING(error_classes,  classes, "graph.error_classes", "", 0, 16, LIVE, "Graph error codes that count as another class than wamd's own, as in 131026=server; classes are server, throttled, held and refused.")

SETTING(max_age,        msec,  "message.max_age",      "7d", 1000, 2592000000, LIVE, "Life of a message that names no expiry, and longest life of any.")
SETTING(record_ttl,     msec,  "message.record_ttl",   "3d", 60000, 2592000000, LIVE, "How long a record stays after its final state, at least.")
SETTING(lease_margin,   msec,  "message.lease_margin", "10s", 100, 60000, LIVE, "A sender's lease on an attempt is graph.send_timeout plus this.")
SETTING(hold_in_memory, msec,  "message.hold_in_memory", "2s", 0, 20000, LIVE, "How much of a rate-limited account a sender keeps waiting: what goes out in this time, at most its share of the window; the rest takes its lane.")
SETTING(on_unknown,     choice, "message.on_unknown",  "at_least_once", "at_least_once at_most_once", 0, LIVE, "What becomes of an unknown outcome after its timer: sent again, or dead-lettered as unknown_outcome.")
SETTING(unknown_timer,  msec,  "message.unknown_timer", "60s", 100, 900000, LIVE, "How long an unknown outcome waits before it is decided.")

SETTING(retry_connect,  msecs, "retry.connect",        "2s 8s 30s 120s 300s", 1, 5, LIVE, "Steps after connection, name and TLS failures.")
SETTING(retry_server,   msecs, "retry.server",         "10s 30s 60s 120s 300s", 1, 5, LIVE, "Steps after 5xx answers with a Graph error.")
SETTING(retry_throttle, msecs, "retry.throttle",       "1s 4s 16s 64s 256s", 1, 5, LIVE, "Steps after throttling answers, which use no attempt.")
SETTING(retry_wait,     msecs, "retry.wait",           "1s 5s 20s 60s", 1, 8, LIVE, "Steps for waiting: busy records, rate limits, held accounts.")
SETTING(retry_max,      count, "retry.max",            "5", 0, 5, LIVE, "Retries after the first attempt.")
SETTING(retry_budget,   count, "retry.budget",         "20", 0, 100, LIVE, "While Graph is in trouble, retries that may go for 100 first sends of this machine; 100: no limit.")
SETTING(retry_floor,    count, "retry.budget_floor",   "1", 1, 1000, LIVE, "Retries in a second that may always go.")

SETTING(limit_tiers,    texts, "limit.tiers",          "standard=80 plus=250 premium=1000", 1, 16, LIVE, "Named throughputs as Meta grants them, NAME=MESSAGES_PER_SECOND.")
SETTING(limit_tier,     text,  "limit.tier",           "standard", 1, 64, LIVE, "Tier of a phone number where neither its account nor its tenant names a tier or a rate.")
SETTING(limit_headroom, count, "limit.headroom",       "90", 1, 100, LIVE, "Percent of a tier that is used for sending, because Meta counts inbound messages too; a rate is taken as it is.")
SETTING(limit_pair_every, msec, "limit.pair_interval", "6s", 0, 3600000, LIVE, "A recipient gets one message of a phone number in this time, once limit.pair_burst is used up; 0ms: no such limit.")
SETTING(limit_pair_burst, count, "limit.pair_burst",   "45", 1, 1000, LIVE, "Messages that a recipient may get from one phone number without a pause.")
SETTING(limit_window,   msec,  "limit.window",         "10s", 100, 600000, LIVE, "How long a number's use is added up before it is compared with its rate.")
SETTING(limit_warn,     count, "limit.approaching",    "80", 1, 1000, LIVE, "Percent of its rate from which a number's use raises the alert limit_approaching.")

SETTING(lane_idle,      msec,  "lane.idle",            "60s", 100, 86400000, LIVE, "A lane that is empty for so long is closed.")
SETTING(lane_grace,     msec,  "lane.grace",           "60s", 1000, 3600000, LIVE, "How long nobody must have joined a lane before its queue is deleted; at least 5 s more than amqp.confirm_timeout.")
SETTING(lane_max,       count, "lane.max",             "1000", 1, 30000, LIVE, "Lanes a sender takes from at a time.")
SETTING(lane_renew,     msec,  "lane.renew",           "10m", 1000, 1500000, LIVE, "How long a sender keeps a lane before it offers it to all again; the broker takes an unacked ticket back after 30 minutes.")

SETTING(breaker_calls,  count, "breaker.min_calls",    "20", 1, 1000000, LIVE, "Answers within a minute from which on an account's breaker may open.")
SETTING(breaker_percent, count, "breaker.failed_percent", "50", 1, 100, LIVE, "Percent of them that must have failed: time-outs, cut connections, errors of Graph's own.")
SETTING(breaker_open,   msec,  "breaker.open",         "30s", 10, 3600000, LIVE, "How long it stays open at first; doubles as long as the probe fails.")
SETTING(breaker_open_max, msec, "breaker.open_max",    "5m", 10, 86400000, LIVE, "Longest such time.")
SETTING(breaker_probe,  msec,  "breaker.probe_lease",  "10s", 200, 60000, LIVE, "How long the one message that tries an open breaker or a hold may take; its POST gets four fifths of it.")
SETTING(breaker_ramp,   msec,  "breaker.ramp",         "5s", 10, 600000, LIVE, "After it closes, an account starts with one message a second and doubles in this time.")

SETTING(hold_first,     msec,  "hold.first",           "60s", 10, 86400000, LIVE, "How long Graph's word that an account, number, business account or template is in trouble holds it before one message tries again; doubles.")
SETTING(hold_max,       msec,  "hold.max",             "1h", 10, 604800000, LIVE, "Longest such time.")

SETTING(alert_cooldown, msec,  "alert.cooldown",       "1h", 0, 604800000, LIVE, "An alert that goes on is said again at most once in this time.")

SETTING(host_window,    msec,  "host.window",          "10s", 1000, 15000, LIVE, "How far back answers of Graph count for the breaker and the retry budget.")
SETTING(host_calls,     count, "host.min_calls",       "20", 1, 100000, LIVE, "With fewer answers in host.window the breaker stays closed.")
SETTING(host_percent,   count, "host.failed_percent",  "50", 1, 100, LIVE, "Percent of the answers in host.window that must have failed, of more than one account, for the breaker to open.")
SETTING(host_open,      msec,  "host.open",            "2s", 100, 600000, LIVE, "How long an open breaker lets nothing go before it probes; doubles with each probe that fails.")
SETTING(host_open_max,  msec,  "host.open_max",        "15s", 100, 600000, LIVE, "Longest such time.")
SETTING(host_probe,     msec,  "host.probe_lease",     "10s", 100, 600000, LIVE, "How long one probe keeps others away, when its sender dies before the answer.")

SETTING(respawn_min,    msec,  "respawn.min",          "100ms", 1, 60000, LIVE, "First delay before a crashed child is started again; doubles while it goes on.")
SETTING(respawn_max,    msec,  "respawn.max",          "10s", 1, 600000, LIVE, "Longest such delay.")
SETTING(respawn_calm,   msec,  "respawn.calm",         "10s", 1, 600000, LIVE, "A child that lived this long is started again at once.")
SETTING(respawn_alarm,  count, "respawn.alarm",        "5", 1, 100000, LIVE, "Crashes of one slot in a row that count as a crash loop.")
