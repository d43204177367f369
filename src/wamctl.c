/* wamctl - the thin client of the admin socket; its commands are include/tbl/ctl_commands.h and ctl_local.h. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/api_key.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "ctl/call.h"
#include "ctl/command.h"
#include "ctl/csv.h"
#include "ctl/paint.h"
#include "ctl/show.h"
#include "io/admin_client.h"

enum { TIMEOUT_S = 10, LONG_TIMEOUT_S = 150 };	/* the daemon gives a look through the dead letters up after 2 min */

static void usage(FILE *out)
{
	fprintf(out, "usage: wamctl [-jq] [--format text|json|csv] [-s socket] command [argument …]\n"
		"       wamctl command --help\n"
		"       wamctl -K tenant\n"
		"  -s, --socket path   admin socket (%s/admin.sock; for who may only look, admin-ro.sock there)\n"
		"  -j, --json          print the answer as JSON\n"
		"      --format name   text for people, json, or csv\n"
		"  -q, --quiet         no progress of long work on a terminal\n"
		"  -K, --new-key tenant   print a new API key of a tenant, and what its file says of it\n"
		"  -V, --version       print the version\n"
		"  -h, --help          this help\n\ncommands:\n", WAMD_RUNDIR);
	ctl_list(out, NULL);
}

/* What people see of it while it lasts. */
static void set_watch(const struct ctl_command *c, struct ctl_call *call)
{
	static const struct { const char *words; enum ctl_watch watch; const char *verb; } watches[] = {
		{ "dlq list", CTL_WATCH_LETTERS, "" }, { "dlq replay", CTL_WATCH_LETTERS, "replaying" }, { "dlq drop", CTL_WATCH_LETTERS, "" },
		{ "media upload", CTL_WATCH_BYTES, "uploading" }, { "template refresh", CTL_WATCH_TEMPLATES, "fetching templates" },
	};

	for (size_t i = 0; i < ARRAY_LEN(watches); i++) {
		if (strcmp(c->words, watches[i].words) != 0)
			continue;
		call->watch = watches[i].watch;
		call->verb = watches[i].verb;
	}
}

static int print(const struct ctl_options *o, const struct ctl_command *c, const json_t *a, const char *text)
{
	if (o->format == CTL_TEXT && a)
		return c->show(a);
	if (o->format == CTL_CSV && a)
		csv_print(a, stdout);
	else
		fputs(text, stdout);		/* what is no JSON was asked for so */
	return c->show == show_status && !json_is_true(json_object_get(a, "ready")) ? EX_TEMPFAIL : 0;
}

static int run(const struct ctl_options *o, const struct ctl_command *c, struct ctl_call *call)
{
	struct strbuf answer = STRBUF_INIT;
	bool is_long = str_starts(c->path, "/v1/dlq") || str_starts(c->path, "/v1/lanes") || str_starts(c->path, "/v1/accounts/") ||
		       str_starts(c->path, "/v1/media") || str_starts(c->path, "/v1/templates");
	int status, code;
	json_t *a = NULL;

	call->timeout_s = is_long ? LONG_TIMEOUT_S : TIMEOUT_S;
	set_watch(c, call);
	status = ctl_call(o, call, &answer);
	if (status >= 0)
		a = json_loadb(answer.buf, answer.len, 0, NULL);
	if (status >= 400 && o->format == CTL_JSON && a)	/* with all that it says */
		fputs(answer.buf, stdout);
	code = status < 0 ? ctl_no_answer(o) : status >= 400 ? ctl_problem(status, a) : print(o, c, a, answer.buf);
	json_decref(a);
	strbuf_release(&answer);
	return code;
}

/* Nobody is told: wamd knows only the digest, and that when it reads it in the tenant's file. */
static int new_key(const char *tenant)
{
	char key[API_KEY_MAX], hex[2 * SHA256_LEN + 1];
	uint8_t sha[SHA256_LEN];

	if (api_key_make(tenant, key) < 0) {
		fprintf(stderr, "wamctl: %s: no tenant can have this id: allowed 1 to 64 of A-Z a-z 0-9 . _ -\n", tenant);
		return EX_USAGE;
	}
	api_key_hash(key, sha);
	hex_encode(sha, SHA256_LEN, hex);
	printf("%s\napi_keys = ( { id = \"NAME\"; sha256 = \"%s\"; } );\n", key, hex);
	return 0;
}

static int call_daemon(const struct ctl_options *o, const struct ctl_command *c, const struct ctl_params *p)
{
	struct strbuf target = STRBUF_INIT;
	struct ctl_call call = { .method = c->method, .fd = -1 };
	int code = EX_NOINPUT;

	strbuf_adds(&target, c->path);
	for (int i = 0; i < p->n; i++)
		admin_client_add_query(&target, p->v[i].name, p->v[i].value);
	if (p->file && strcmp(p->file, "-") && !ctl_param(p, "name") && strstr(c->options, "name="))
		admin_client_add_query(&target, "name", ctl_base_name(p->file));
	call.target = target.buf;
	if (!p->file || ctl_open_body(p->file, &call.fd, &call.len) == 0)
		code = run(o, c, &call);
	strbuf_release(&target);
	return code;
}

static void no_command(int n, char **words)
{
	if (!n) {
		usage(stderr);
		return;
	}
	fprintf(stderr, "wamctl: no such command: %s%s%s; wamctl --help lists all\n", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
	ctl_list(stderr, words[0]);
}

static int execute(const struct ctl_options *o, int n, char **words)
{
	struct ctl_params p;
	int took;
	const struct ctl_command *c = ctl_command_find(n, words, &took);

	if (!c) {
		no_command(n, words);
		return EX_USAGE;
	}
	if (ctl_params_read(c, n - took, words + took, &p) < 0) {
		ctl_command_usage(c, stderr);
		return EX_USAGE;
	}
	if (p.wants_help) {
		ctl_command_usage(c, stdout);
		return 0;
	}
	if (c->show == show_send)
		return run_send(o, &p);
	return c->run ? c->run(o, &p) : call_daemon(o, c, &p);
}

static int read_format(const char *word, enum ctl_format *format)
{
	static const char *const words[] = { [CTL_TEXT] = "text", [CTL_JSON] = "json", [CTL_CSV] = "csv" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i]))
			continue;
		*format = (enum ctl_format)i;
		return 0;
	}
	fprintf(stderr, "wamctl: format: found %s, allowed text, json or csv\n", word);
	return -1;
}

/* Who may not use the one for all commands gets the other by itself. */
static const char *socket_of_user(void)
{
	static const char all[] = WAMD_RUNDIR "/admin.sock", look[] = WAMD_RUNDIR "/admin-ro.sock";

	return access(all, R_OK | W_OK) < 0 && errno == EACCES && access(look, R_OK | W_OK) == 0 ? look : all;
}

int main(int argc, char **argv)
{
	enum { OPT_FORMAT = 256 };
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "version", no_argument, NULL, 'V' }, { "new-key", required_argument, NULL, 'K' },
		{ "format", required_argument, NULL, OPT_FORMAT }, { NULL, 0, NULL, 0 },
	};
	struct ctl_options o = { .socket = socket_of_user() };
	int opt;

	while ((opt = getopt_long(argc, argv, "+s:jqhVK:", longs, NULL)) != -1) {
		switch (opt) {
		case 's': o.socket = optarg; break;
		case 'j': o.format = CTL_JSON; break;
		case 'q': o.is_quiet = true; break;
		case OPT_FORMAT:
			if (read_format(optarg, &o.format) < 0)
				return EX_USAGE;
			break;
		case 'K': return new_key(optarg);
		case 'V': puts("wamctl " WAMD_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return EX_USAGE;
		}
	}
	paint_setup();
	return execute(&o, argc - optind, argv + optind);
}
