#include "ctl/show.h"

#include <errno.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl/paint.h"

enum { STOP_WAIT_S = 60 };

static void show_state_manager(const json_t *s)
{
	if (!s)
		return;
	printf("state manager %s", answer_text(s, "state"));
	if (json_object_get(s, "away_since"))
		printf(" since %s: %s", answer_text(s, "away_since"), answer_text(s, "last_failure"));
	printf("; %lld events in hand", answer_number(s, "in_hand"));
	if (json_object_get(s, "waiting"))
		printf(", %lld wait", answer_number(s, "waiting"));
	puts("");
}

int show_status(const json_t *a)
{
	const json_t *p, *totals = json_object_get(a, "totals");
	bool ready = json_is_true(json_object_get(a, "ready"));
	char age[32];
	size_t i;

	answer_age(answer_number(a, "up_s"), age);
	printf("wamd %s: ", answer_text(a, "version"));
	paint(stdout, ready ? PAINT_GOOD : PAINT_BAD);
	fputs(ready ? "ready" : "NOT READY", stdout);
	paint(stdout, PAINT_NONE);
	printf(", %lld of %lld senders ready, generation %lld, up %s\n\n", answer_number(a, "senders_ready"), answer_number(a, "senders_wanted"), answer_number(a, "generation"), age);
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
	if (answer_number(a, "reloads_refused") + answer_number(a, "upgrades_refused") > 0)
		printf("last refused reload or upgrade: %s\n", answer_text(a, "refusal"));
	show_state_manager(json_object_get(a, "state_manager"));
	return ready ? 0 : EX_TEMPFAIL;
}

int show_reload(const json_t *a)
{
	const json_t *path;
	size_t i;

	if (json_object_get(a, "generation"))
		printf("reloaded: generation %lld takes over\n", answer_number(a, "generation"));
	else
		printf("%s\n", answer_text(a, "detail"));
	json_array_foreach(json_object_get(a, "needs_restart"), i, path)
		printf("%s waits for a restart\n", json_string_value(path));
	return 0;
}

int show_reopen(const json_t *a)
{
	(void)a;
	return 0;
}

int show_drain(const json_t *a)
{
	(void)a;
	puts("the senders finish what they have in hand; \"wamctl reload\" starts others");
	return 0;
}

int show_log_level(const json_t *a)
{
	printf("log level: %s\n", answer_text(a, "level"));
	return 0;
}

int show_config_show(const json_t *a)
{
	fputs(answer_text(a, "text"), stdout);
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

static void print_message(const json_t *a)
{
	printf("message   %s of tenant %s, account %s\nstate     %s after %lld attempt%s\n", answer_text(a, "id"), answer_text(a, "tenant_id"),
	       answer_text(a, "account_id"), answer_text(a, "state"), answer_number(a, "attempts"), answer_number(a, "attempts") == 1 ? "" : "s");
	if (json_object_get(a, "wamid"))
		printf("wamid     %s\n", answer_text(a, "wamid"));
	if (json_object_get(a, "reason"))
		printf("reason    %s\n", answer_text(a, "reason"));
}

static void print_attempts(const json_t *a)
{
	const json_t *h;
	size_t i;

	json_array_foreach(json_object_get(a, "history"), i, h)
		printf("attempt %lld %s %s http=%lld code=%lld ms=%lld %s\n", answer_number(h, "n"), answer_text(h, "at"), answer_text(h, "outcome"),
		       answer_number(h, "http"), answer_number(h, "code"), answer_number(h, "ms"),
		       json_object_get(h, "error") ? answer_text(h, "error") : "");
}

/* What it waits for, in words that programs know: the first that keeps it, and what else does. */
static void print_causes(const json_t *a)
{
	const char *lead = "cause     ";
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(a, "causes"), i, c) {
		printf("%s%s", lead, answer_text(c, "cause"));
		lead = ", ";
	}
	if (i)
		puts("");
}

int show_message_why(const json_t *a)
{
	print_message(a);
	printf("seen      %s\nchanged   %s\nexpires   %s\n", answer_text(a, "first_seen"), answer_text(a, "changed_at"), answer_text(a, "expires_at"));
	print_causes(a);
	printf("why       %s\n", answer_text(a, "why"));
	print_attempts(a);
	return 0;
}

/* Its way, in the order of time. */
int show_message_show(const json_t *a)
{
	static const char *const words[] = { "sent", "delivered", "read", "played", "failed" };
	const json_t *statuses = json_object_get(a, "statuses");

	print_message(a);
	printf("seen      %s\n", answer_text(a, "first_seen"));
	print_attempts(a);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (json_object_get(statuses, words[i]))
			printf("%-9s %s\n", words[i], answer_text(statuses, words[i]));
	return 0;
}

int show_message_cancel(const json_t *a)
{
	printf("%s: taken back; it ends as a dead letter when its turn comes\n", answer_text(a, "id"));
	return 0;
}
