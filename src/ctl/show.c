#include "ctl/show.h"

#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

enum { STOP_WAIT_S = 60 };

int show_status(const json_t *a)
{
	const json_t *p, *totals = json_object_get(a, "totals");
	bool ready = json_is_true(json_object_get(a, "ready"));
	char age[32];
	size_t i;

	answer_age(answer_number(a, "up_s"), age);
	printf("wamd %s: %s, %lld of %lld senders ready, generation %lld, up %s\n\n", answer_text(a, "version"), ready ? "ready" : "NOT READY",
	       answer_number(a, "senders_ready"), answer_number(a, "senders_wanted"), answer_number(a, "generation"), age);
	printf("%-12s %8s %4s %6s %-9s %7s %9s %8s %7s\n", "PROCESS", "PID", "GEN", "UP", "STATE", "WINDOW", "IN-FLIGHT", "LAG-MS",
	       "CRASHES");
	json_array_foreach(json_object_get(a, "processes"), i, p) {
		const json_t *g = json_object_get(p, "gauges");
		char name[32];

		snprintf(name, sizeof(name), "%s[%lld]", answer_text(p, "role"), answer_number(p, "number"));
		answer_age(answer_number(p, "up_s"), age);
		printf("%-12s %8lld %4lld %6s %-9s %7lld %9lld %8.1f %7lld\n", name, answer_number(p, "pid"),
		       answer_number(p, "generation"), age,
		       json_is_true(json_object_get(p, "draining")) ? "draining" : answer_number(g, "ready") ? "ready" :
		       answer_number(g, "blocked") ? "blocked" : "starting",
		       answer_number(g, "window"), answer_number(g, "in_flight"), (double)answer_number(g, "loop_lag_max_us") / 1000,
		       answer_number(p, "crashes"));
	}
	printf("\nreceived %lld  posted %lld  sent %lld  retried %lld  unknown %lld  dead %lld\n", answer_number(totals, "received"),
	       answer_number(totals, "posted"), answer_number(totals, "sent"), answer_number(totals, "retried"),
	       answer_number(totals, "unknown"), answer_number(totals, "dead"));
	return ready ? 0 : EX_TEMPFAIL;
}

int show_reload(const json_t *a)
{
	if (json_object_get(a, "generation"))
		printf("reloaded: generation %lld takes over\n", answer_number(a, "generation"));
	else
		printf("%s\n", answer_text(a, "detail"));
	return 0;
}

/* Waits until the process has gone, as an init script expects. */
int show_stop(const json_t *a)
{
	pid_t pid = (pid_t)answer_number(a, "pid");

	for (int i = 0; i < STOP_WAIT_S * 20; i++) {
		if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH) {
			puts("stopped");
			return 0;
		}
		usleep(50000);
	}
	fputs("wamctl: still draining\n", stderr);
	return EX_TEMPFAIL;
}

int show_message_why(const json_t *a)
{
	const json_t *h;
	size_t i;

	printf("message   %s of tenant %s, account %s\nstate     %s after %lld attempt%s\n", answer_text(a, "id"), answer_text(a, "tenant_id"),
	       answer_text(a, "account_id"), answer_text(a, "state"), answer_number(a, "attempts"), answer_number(a, "attempts") == 1 ? "" : "s");
	if (json_object_get(a, "wamid"))
		printf("wamid     %s\n", answer_text(a, "wamid"));
	printf("seen      %s\nchanged   %s\nexpires   %s\nwhy       %s\n", answer_text(a, "first_seen"), answer_text(a, "changed_at"),
	       answer_text(a, "expires_at"), answer_text(a, "why"));
	json_array_foreach(json_object_get(a, "history"), i, h)
		printf("attempt %lld %s %s http=%lld code=%lld ms=%lld %s\n", answer_number(h, "n"), answer_text(h, "at"), answer_text(h, "outcome"),
		       answer_number(h, "http"), answer_number(h, "code"), answer_number(h, "ms"),
		       json_object_get(h, "error") ? answer_text(h, "error") : "");
	return 0;
}
