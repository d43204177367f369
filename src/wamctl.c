/* wamctl - the thin client of the admin socket; its commands are include/tbl/ctl_commands.h. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "ctl/show.h"
#include "io/admin_client.h"

enum { TIMEOUT_S = 10, LONG_TIMEOUT_S = 150 };	/* the daemon gives a look through the dead letters up after 2 min */
enum { BODY_MAX = 32 << 20 };	/* more than any amqp.message_max */

struct options { const char *socket; bool json; };

struct request {
	struct strbuf target, body;
	const char *file;		/* of the body, NULL: none; "-": standard input */
};

struct command {
	const char *words, *arguments, *options, *method, *path, *help;
	int (*show)(const json_t *answer);
};

static const struct command commands[] = {
#define CTL(ident, words, arguments, options, method, path, help) { words, arguments, options, method, path, help, show_##ident },
#include "tbl/ctl_commands.h"
#undef CTL
};

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
		fprintf(out, "  %-32s %s\n", line, commands[i].help);
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
		fprintf(stderr, "wamctl: %s: %s\n", answer_text(a, "code"), answer_text(a, "detail"));
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
	bool asks_broker = str_starts(c->path, "/v1/dlq") || str_starts(c->path, "/v1/lanes");
	int timeout_s = asks_broker ? LONG_TIMEOUT_S : TIMEOUT_S;
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
		code = c->show(a);
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
