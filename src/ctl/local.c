/* Commands that need no resource of their own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "ctl/call.h"
#include "ctl/command.h"

enum { LOOK_MS = 100, READY_MS = 30000 };

/* ---- wait-ready ---- */

/* Quietly: until it runs, nobody listens. */
static bool is_ready(const struct ctl_options *o)
{
	json_t *a = NULL;
	bool ready = ctl_get_quietly(o, "/v1/status", &a) == 200 && answer_flag(a, "ready");

	json_decref(a);
	return ready;
}

int run_wait_ready(const struct ctl_options *o, const struct ctl_params *p)
{
	const char *text = ctl_param(p, "timeout");
	int64_t ms = READY_MS;
	mono_t until;

	if (text && (parse_msec(text, &ms) < 0 || ms < 0)) {
		fprintf(stderr, "wamctl: timeout: found %s, allowed a duration, as in 30s or 2m\n", text);
		return EX_USAGE;
	}
	until = mono_add_ms(mono_now(), ms);
	while (!is_ready(o)) {
		if (!mono_before(mono_now(), until)) {
			fputs("wamctl: not ready in time\n", stderr);
			return EX_TEMPFAIL;
		}
		usleep(LOOK_MS * 1000);
	}
	return 0;
}

/* ---- the files on disk, as wamd reads them ---- */

/* wamd lies beside this program, or in the sbin beside its bin. */
static void find_wamd(char *out, size_t size)
{
	static const char *const places[] = { "/wamd", "/../sbin/wamd" };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(places); i++) {
		snprintf(out, size, "%.*s%s", (int)(slash - self), self, places[i]);
		if (access(out, X_OK) == 0)
			return;
	}
	snprintf(out, size, "wamd");
}

/* What wamd prints with -t or -T; its complaints go to stderr.  Its exit status, -1: it could not be run. */
static int ask_wamd(const char *option, const char *conf, struct strbuf *out)
{
	char program[4200], buf[4096];
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	find_wamd(program, sizeof(program));
	if (pipe(fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execlp(program, program, option, "-f", conf, (char *)NULL);
		fprintf(stderr, "wamctl: %s: %s\n", program, strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	while (pid > 0 && (n = read(fds[0], buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

static const char *conf_of(const struct ctl_params *p)
{
	const char *conf = ctl_param(p, "conf");

	return conf ? conf : WAMD_SYSCONFDIR "/wamd.conf";
}

int run_config_check(const struct ctl_options *o, const struct ctl_params *p)
{
	struct strbuf out = STRBUF_INIT;
	int status = ask_wamd("-t", conf_of(p), &out);

	(void)o;
	fputs(out.buf, stdout);
	strbuf_release(&out);
	return status < 0 ? EX_UNAVAILABLE : status;
}

/* What conf_dump() prints, as {"group.name": "value"}; tenants are "tenant ID". */
static json_t *read_dump(const char *p)
{
	json_t *o = json_object();
	char group[64] = "", path[160];

	while (*p) {
		size_t len = strcspn(p, "\n"), name = strcspn(p, "=:\n");
		const char *word = p + strspn(p, "\t# ");
		int word_len = (int)(p + name - word);

		if (p[name] == '=' && len >= name + 3) {
			snprintf(path, sizeof(path), "%s%s%.*s", *p == '\t' ? group : "", *p == '\t' ? "." : "", word_len - 1, word);
			json_object_set_new(o, path, json_stringn(p + name + 2, len - name - 3));
		} else if (*p == '#' && p[name] == ':') {
			snprintf(path, sizeof(path), "%.*s", word_len, word);
			json_object_set_new(o, path, json_stringn(p + name + 2, len - name - 2));
		} else if (p[name] == ':') {
			snprintf(group, sizeof(group), "%.*s", (int)name, p);
		}
		p += len + (p[len] == '\n');
	}
	return o;
}

static int print_side(const json_t *from, const json_t *other, char mark, bool only_missing)
{
	const char *path;
	json_t *v;
	int n = 0;

	json_object_foreach((json_t *)(uintptr_t)from, path, v) {
		const json_t *w = json_object_get(other, path);

		if (w && (only_missing || json_equal(v, w)))
			continue;
		n++;
		printf("%c %s = %s\n", mark, path, json_string_value(v));
		if (w)
			printf("%c %s = %s\n", mark == '-' ? '+' : '-', path, json_string_value(w));
	}
	return n;
}

int run_config_diff(const struct ctl_options *o, const struct ctl_params *p)
{
	struct strbuf disk = STRBUF_INIT;
	int status = ask_wamd("-T", conf_of(p), &disk), n;
	json_t *a = NULL, *runs, *would;

	if (status == 0 && ctl_get(o, "/v1/config", &a) != 200)
		status = EX_TEMPFAIL;
	if (status == 0) {
		runs = read_dump(answer_text(a, "text"));
		would = read_dump(disk.buf);
		n = print_side(runs, would, '-', false) + print_side(would, runs, '+', true);
		if (!n)
			puts("no difference: a reload would change no setting");
		status = n > 0;
		json_decref(runs);
		json_decref(would);
	}
	json_decref(a);
	strbuf_release(&disk);
	return status < 0 ? EX_UNAVAILABLE : status;
}

/* ---- completion ---- */

/* A line a command in a table, and what bash does with it: next words of those that begin with what was typed, else their options. */
int run_completion(const struct ctl_options *o, const struct ctl_params *p)
{
	(void)o;
	(void)p;
	puts("# bash completion for wamctl, printed by \"wamctl completion\"\n_wamctl_commands='");
	for (int i = 0; i < n_ctl_commands; i++) {
		const char *options = ctl_commands[i].options;

		printf("%s|--help", ctl_commands[i].words);
		for (; *options; options += *options == ' ') {
			printf(" --%.*s", (int)strcspn(options, " =["), options);
			options += strcspn(options, " ");
		}
		putchar('\n');
	}
	puts("'\n"
	     "_wamctl()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} line words rest typed='' found='' i\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t-s | --socket | -K | --new-key | --format) ((i++)) ;;\n"
	     "\t\t-*) ;;\n"
	     "\t\t*) typed+=\"${COMP_WORDS[i]} \" ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\twhile IFS= read -r line; do\n"
	     "\t\twords=${line%|*} rest=${line#*|}\n"
	     "\t\tif [[ $words == \"$typed\"* && -n $words ]]; then\n"
	     "\t\t\tline=${words#\"$typed\"} found+=\" ${line%% *}\"\n"
	     "\t\telif [[ -n $words && $typed == \"$words \"* ]]; then\n"
	     "\t\t\tfound+=\" $rest\"\n"
	     "\t\tfi\n"
	     "\tdone <<<\"$_wamctl_commands\"\n"
	     "\t[[ -n $typed ]] || found+=' --socket --json --format --quiet --new-key --version --help'\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$found\" -- \"$cur\")\n"
	     "}\n"
	     "complete -o default -F _wamctl wamctl");
	return 0;
}
