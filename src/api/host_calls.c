/* The breaker of Graph's host, in the scoreboard: this machine's alone. */
#include "api/handlers.h"
#include "api/host_view.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/host_rules.h"

enum { TRIP_MIN_MS = 1000, TRIP_MAX_MS = 86400000 };

static void answer(struct admin *a, struct http_call *c)
{
	struct host_rules rules;
	struct host_view view;

	host_rules_of(a->conf, &rules);
	host_look(&a->board->host, &rules, mono_now(), &view);
	reply_json(c, 200, host_json(&view, &rules));
}

static void tell(struct http_call *c, const char *command, int64_t for_ms)
{
	char who[OPERATOR_MAX], span[32] = "-";

	call_operator(c, who);
	if (for_ms)
		format_msec(for_ms, span);
	log_notice("operator", "%s command=%s what=host for=%s", who, command, span);
}

void on_host_show(struct admin *a, struct http_call *c)
{
	answer(a, c);
}

void on_host_trip(struct admin *a, struct http_call *c)
{
	struct strbuf why = STRBUF_INIT;
	int64_t ms;

	if (call_duration(c, "for", a->conf->host_open, TRIP_MIN_MS, TRIP_MAX_MS, &ms, &why) < 0) {
		reply_problem(c, 400, "bad_request", why.buf);
	} else {
		host_trip(&a->board->host, mono_now(), ms);
		tell(c, "trip", ms);
		answer(a, c);
	}
	strbuf_release(&why);
}

void on_host_reset(struct admin *a, struct http_call *c)
{
	if (host_reset(&a->board->host, mono_now()) == HOST_CLOSED)
		alert_resolve(a->alerts, ALERT_HOST_BREAKER_OPEN, &(struct alert_subject){ NULL, NULL, "host" }, "an operator closed it");
	tell(c, "reset", 0);
	answer(a, c);
}
