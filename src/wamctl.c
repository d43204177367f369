/* wamctl - the thin client of the admin socket; its commands are include/tbl/ctl_commands.h. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "io/admin_client.h"

enum { TIMEOUT_S = 10, DLQ_TIMEOUT_S = 150, STOP_WAIT_S = 60 };	/* the daemon gives a look through the dead letters up after 2 min */
enum { BODY_MAX = 32 << 20 };	/* more than any amqp.message_max */

struct options { const char *socket; bool json; };

struct request {
	struct strbuf target, body;
	const char *file;		/* of the body, NULL: none; "-": standard input */
};

struct command {
	const char *words, *arguments, *options, *method, *path, *help;
	int (*show)(const struct options *o, const json_t *answer);
};

static int show_status(const struct options *o, const json_t *a);
static int show_reload(const struct options *o, const json_t *a);
static int show_stop(const struct options *o, const json_t *a);
static int show_message_why(const struct options *o, const json_t *a);
static int show_dlq_list(const struct options *o, const json_t *a);
static int show_dlq_show(const struct options *o, const json_t *a);
static int show_dlq_replay(const struct options *o, const json_t *a);
static int show_dlq_drop(const struct options *o, const json_t *a);
static int show_dlq_edit(const struct options *o, const json_t *a);

static const struct command commands[] = {
#define CTL(ident, words, arguments, options, method, path, help) { words, arguments, options, method, path, help, show_##ident },
#include "tbl/ctl_commands.h"
#undef CTL
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void format_age(json_int_t s, char out[32])
{
	if (s < 120)
		snprintf(out, 32, "%llds", (long long)s);
	else if (s < 7200)
		snprintf(out, 32, "%lldm", (long long)s / 60);
	else if (s < 172800)
		snprintf(out, 32, "%lldh", (long long)s / 3600);
	else
		snprintf(out, 32, "%lldd", (long long)s / 86400);
}

static int show_status(const struct options *o, const json_t *a)
{
	const json_t *p, *totals = json_object_get(a, "totals");
	bool ready = json_is_true(json_object_get(a, "ready"));
	char age[32];
	size_t i;

	(void)o;
	format_age(number(a, "up_s"), age);
	printf("wamd %s: %s, %lld of %lld senders ready, generation %lld, up %s\n\n", text(a, "version"), ready ? "ready" : "NOT READY",
	       (long long)number(a, "senders_ready"), (long long)number(a, "senders_wanted"), (long long)number(a, "generation"), age);
	printf("%-12s %8s %4s %6s %-9s %7s %9s %8s %7s\n", "PROCESS", "PID", "GEN", "UP", "STATE", "WINDOW", "IN-FLIGHT", "LAG-MS",
	       "CRASHES");
	json_array_foreach(json_object_get(a, "processes"), i, p) {
		const json_t *g = json_object_get(p, "gauges");
		char name[32];

		snprintf(name, sizeof(name), "%s[%lld]", text(p, "role"), (long long)number(p, "number"));
		format_age(number(p, "up_s"), age);
		printf("%-12s %8lld %4lld %6s %-9s %7lld %9lld %8.1f %7lld\n", name, (long long)number(p, "pid"),
		       (long long)number(p, "generation"), age,
		       json_is_true(json_object_get(p, "draining")) ? "draining" : number(g, "ready") ? "ready" :
		       number(g, "blocked") ? "blocked" : "starting",
		       (long long)number(g, "window"), (long long)number(g, "in_flight"), (double)number(g, "loop_lag_max_us") / 1000,
		       (long long)number(p, "crashes"));
	}
	printf("\nreceived %lld  posted %lld  sent %lld  retried %lld  unknown %lld  dead %lld\n", (long long)number(totals, "received"),
	       (long long)number(totals, "posted"), (long long)number(totals, "sent"), (long long)number(totals, "retried"),
	       (long long)number(totals, "unknown"), (long long)number(totals, "dead"));
	return ready ? 0 : EX_TEMPFAIL;
}

static int show_reload(const struct options *o, const json_t *a)
{
	(void)o;
	if (json_object_get(a, "generation"))
		printf("reloaded: generation %lld takes over\n", (long long)number(a, "generation"));
	else
		printf("%s\n", text(a, "detail"));
	return 0;
}

/* Waits until the process has gone, as an init script expects. */
static int show_stop(const struct options *o, const json_t *a)
{
	pid_t pid = (pid_t)number(a, "pid");

	(void)o;
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

static int show_message_why(const struct options *o, const json_t *a)
{
	const json_t *h;
	size_t i;

	(void)o;
	printf("message   %s of tenant %s, account %s\nstate     %s after %lld attempt%s\n", text(a, "id"), text(a, "tenant_id"),
	       text(a, "account_id"), text(a, "state"), (long long)number(a, "attempts"), number(a, "attempts") == 1 ? "" : "s");
	if (json_object_get(a, "wamid"))
		printf("wamid     %s\n", text(a, "wamid"));
	printf("seen      %s\nchanged   %s\nexpires   %s\nwhy       %s\n", text(a, "first_seen"), text(a, "changed_at"),
	       text(a, "expires_at"), text(a, "why"));
	json_array_foreach(json_object_get(a, "history"), i, h)
		printf("attempt %lld %s %s http=%lld code=%lld ms=%lld %s\n", (long long)number(h, "n"), text(h, "at"), text(h, "outcome"),
		       (long long)number(h, "http"), (long long)number(h, "code"), (long long)number(h, "ms"),
		       json_object_get(h, "error") ? text(h, "error") : "");
	return 0;
}

/* ---- dead letters ---- */

static int show_dlq_list(const struct options *o, const json_t *a)
{
	const json_t *letters = json_object_get(a, "letters"), *l;
	json_int_t more = number(a, "matched") - (json_int_t)json_array_size(letters);
	size_t i;

	(void)o;
	printf("%-24s %-12s %-12s %-24s %-16s %7s %8s\n", "DIED-AT", "TENANT", "ACCOUNT", "ID", "REASON", "CODE", "ATTEMPTS");
	json_array_foreach(letters, i, l)
		printf("%-24s %-12s %-12s %-24s %-16s %7lld %8lld\n", text(l, "died_at"), text(l, "tenant_id"), text(l, "account_id"),
		       text(l, "id"), text(l, "reason"), (long long)number(l, "code"), (long long)number(l, "attempts"));
	if (more > 0)
		printf("and %lld more (--limit)\n", (long long)more);
	return 0;
}

static int show_dlq_show(const struct options *o, const json_t *a)
{
	(void)o;
	json_dumpf(a, stdout, JSON_INDENT(2));
	putchar('\n');
	return 0;
}

/* Why some were left, and whether it was all; exit status 75 when it was not. */
static int show_rest(const json_t *a)
{
	const json_t *because = json_object_get(a, "skipped_because"), *v;
	const char *reason, *comma = "";

	if (number(a, "skipped") > 0) {
		printf("skipped: ");
		json_object_foreach((json_t *)(uintptr_t)because, reason, v) {
			printf("%s%lld %s", comma, (long long)json_integer_value(v), reason);
			comma = ", ";
		}
		putchar('\n');
	}
	if (!json_object_get(a, "stopped"))
		return 0;
	fprintf(stderr, "wamctl: ended early: %s\n", text(a, "stopped"));
	return EX_TEMPFAIL;
}

static int show_dlq_replay(const struct options *o, const json_t *a)
{
	(void)o;
	if (json_is_true(json_object_get(a, "dry_run")))
		printf("%lld dead letters match, %lld of them would be replayed\n", (long long)number(a, "matched"),
		       (long long)(number(a, "matched") - number(a, "skipped")));
	else
		printf("%lld of %lld matching dead letters replayed, %lld skipped; %lld are left\n", (long long)number(a, "replayed"),
		       (long long)number(a, "matched"), (long long)number(a, "skipped"), (long long)number(a, "left"));
	return show_rest(a);
}

static int show_dlq_drop(const struct options *o, const json_t *a)
{
	(void)o;
	if (json_is_true(json_object_get(a, "dry_run")))
		printf("%lld dead letters would be dropped\n", (long long)number(a, "matched"));
	else
		printf("%lld dead letters dropped; %lld are left\n", (long long)number(a, "dropped"), (long long)number(a, "left"));
	return show_rest(a);
}

static int show_dlq_edit(const struct options *o, const json_t *a)
{
	(void)o;
	printf("edited; send it with: wamctl dlq replay --tenant %s --id %s\n", text(a, "tenant_id"), text(a, "id"));
	return 0;
}

/* ---- the command line ---- */

/* Behind its command, on a line of their own. */
static void print_options(FILE *out, const char *options)
{
	const char *lead = "      ";

	while (*options) {
		size_t len = strcspn(options, " "), name = strcspn(options, " =");

		fprintf(out, "%s--%.*s%s", lead, (int)name, options, name < len ? " …" : "");
		lead = " ";
		options += len + (options[len] == ' ');
	}
	if (*lead && !lead[1])
		fputc('\n', out);
}

static void usage(FILE *out)
{
	fprintf(out, "usage: wamctl [-j] [-s socket] command [argument …]\n"
		"  -s, --socket path   admin socket (%s/admin.sock)\n"
		"  -j, --json          print the answer as JSON\n"
		"  -V, --version       print the version\n"
		"  -h, --help          this help\n\ncommands:\n", WAMD_RUNDIR);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		char line[80];

		snprintf(line, sizeof(line), "%s%s%s", commands[i].words, *commands[i].arguments ? " " : "", commands[i].arguments);
		fprintf(out, "  %-24s %s\n", line, commands[i].help);
		print_options(out, commands[i].options);
	}
}

/* Number of the caller's words the command's own words take, 0: another command. */
static int matches(const struct command *c, int n, char **words)
{
	const char *p = c->words;
	int i = 0;

	for (; *p && i < n; i++) {
		size_t len = strcspn(p, " ");

		if (strlen(words[i]) != len || memcmp(words[i], p, len))
			return 0;
		p += len + (p[len] == ' ');
	}
	return *p ? 0 : i;
}

static bool names_file(const char *option)
{
	size_t len = strlen(option);

	return len > 5 && !strcmp(option + len - 5, "-file");
}

/* words[0] is --name or --name=value.  How many words it took; 0: no such option, or its value is missing. */
static int add_option(const struct command *c, int n, char **words, struct request *r)
{
	const char *given = words[0] + 2, *p = c->options;
	size_t len = strcspn(given, "=");

	while (*p) {
		size_t known = strcspn(p, "= ");
		bool wants = p[known] == '=';
		const char *value = !wants ? "1" : given[len] ? given + len + 1 : n > 1 ? words[1] : NULL;
		char name[32];

		if (known == len && !memcmp(p, given, len)) {
			if (!value || (!wants && given[len]))
				return 0;
			snprintf(name, sizeof(name), "%.*s", (int)len, p);
			if (names_file(name))
				r->file = value;
			else
				admin_client_add_query(&r->target, name, value);
			return wants && !given[len] ? 2 : 1;
		}
		p += known + wants;
		p += *p == ' ';
	}
	return 0;
}

static int add_arguments(const struct command *c, int n, char **words, struct request *r)
{
	const char *p = c->arguments;
	int i = 0;

	while (i < n) {
		char name[32];
		size_t len = strcspn(p, " ");
		int took = 1;

		if (*c->options && !strncmp(words[i], "--", 2)) {
			took = add_option(c, n - i, words + i, r);
		} else if (*p) {
			snprintf(name, sizeof(name), "%.*s", (int)len, p);
			admin_client_add_query(&r->target, name, words[i]);
			p += len + (p[len] == ' ');
		} else {
			took = 0;
		}
		if (!took)
			return -1;
		i += took;
	}
	return *p ? -1 : 0;
}

static int read_body(struct request *r)
{
	int fd = strcmp(r->file, "-") ? open(r->file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	char buf[16384];
	ssize_t n = -1;

	while (fd >= 0 && r->body.len <= BODY_MAX && (n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(&r->body, buf, (size_t)n);
	if (n)
		fprintf(stderr, "wamctl: %s: %s\n", r->file, n < 0 ? strerror(errno) : "larger than any message");
	if (fd > STDIN_FILENO)
		close(fd);
	return n ? -1 : 0;
}

static int report_problem(int status, const json_t *a)
{
	if (a)
		fprintf(stderr, "wamctl: %s: %s\n", text(a, "code"), text(a, "detail"));
	else
		fprintf(stderr, "wamctl: HTTP status %d\n", status);
	switch (status) {
	case 400:
		return EX_USAGE;
	case 404:
		return EX_NOINPUT;
	case 409:
		return EX_TEMPFAIL;
	case 422:
		return EX_CONFIG;
	case 503:
		return EX_TEMPFAIL;
	default:
		return EX_SOFTWARE;
	}
}

static int run(const struct options *o, const struct command *c, struct request *r)
{
	struct strbuf answer = STRBUF_INIT;
	int timeout_s = strncmp(c->path, "/v1/dlq", 7) ? TIMEOUT_S : DLQ_TIMEOUT_S;
	int status, code;
	json_t *a;

	if (r->file && read_body(r) < 0)
		return EX_NOINPUT;
	status = admin_client_call(o->socket, c->method, r->target.buf, &r->body, timeout_s, &answer);
	if (status < 0) {
		fprintf(stderr, "wamctl: %s: %s (does wamd run? may you use the socket?)\n", o->socket, strerror(errno));
		strbuf_release(&answer);
		return errno == EACCES ? EX_NOPERM : EX_TEMPFAIL;
	}
	a = json_loadb(answer.buf, answer.len, 0, NULL);
	if (status >= 400) {
		code = report_problem(status, a);
	} else if (o->json) {
		fputs(answer.buf, stdout);
		code = c->show == show_status && !json_is_true(json_object_get(a, "ready")) ? EX_TEMPFAIL : 0;
	} else {
		code = c->show(o, a);
	}
	json_decref(a);
	strbuf_release(&answer);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
	};
	struct options o = { .socket = WAMD_RUNDIR "/admin.sock" };
	struct request r = { STRBUF_INIT, STRBUF_INIT, NULL };
	int opt, code;

	while ((opt = getopt_long(argc, argv, "+s:jhV", longs, NULL)) != -1) {
		switch (opt) {
		case 's': o.socket = optarg; break;
		case 'j': o.json = true; break;
		case 'V': puts("wamctl " WAMD_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return EX_USAGE;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int n = matches(&commands[i], argc - optind, argv + optind);

		if (!n)
			continue;
		strbuf_adds(&r.target, commands[i].path);
		if (add_arguments(&commands[i], argc - optind - n, argv + optind + n, &r) < 0) {
			fprintf(stderr, "usage: wamctl %s %s\n", commands[i].words, commands[i].arguments);
			print_options(stderr, commands[i].options);
			code = EX_USAGE;
		} else {
			code = run(&o, &commands[i], &r);
		}
		strbuf_release(&r.target);
		strbuf_release(&r.body);
		return code;
	}
	usage(stderr);
	return EX_USAGE;
}
