#include "role/upgrade.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum { CHECK_MS = 30000, WORDS_MAX = 400 };

struct upgrade {
	struct upgrade_options o;
	char *program, *conf_file;
	pid_t pid;			/* of the check, 0: none */
	int words_fd;
	struct loop_timer overdue;
};

/* ---- the check ---- */

static void on_overdue(void *arg)
{
	const struct upgrade *u = arg;

	kill(u->pid, SIGKILL);
}

static NORETURN void become_check(const struct upgrade *u)
{
	const char *argv[] = { u->program, "-t", "-f", u->conf_file, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(u->words_fd, 1);
	dup2(u->words_fd, 2);
	execv(u->program, (char **)(uintptr_t)argv);
	dprintf(2, "%s: %s\n", u->program, strerror(errno));
	_exit(127);
}

void upgrade_check(struct upgrade *u)
{
	if (u->pid > 0)
		return;
	u->words_fd = memfd_create("wamd-check", MFD_CLOEXEC);
	if (u->words_fd >= 0)
		u->pid = fork();
	if (u->words_fd < 0 || u->pid < 0) {
		u->pid = 0;
		u->o.checked(u->o.arg, strerror(errno));
		return;
	}
	if (u->pid == 0)
		become_check(u);
	loop_timer_set(u->o.loop, &u->overdue, CHECK_MS);
}

/* The last line that was printed. */
static void read_words(int fd, char *out, size_t size)
{
	char text[4096], *line;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	line = strrchr(text, '\n');
	snprintf(out, size, "%.*s", (int)size - 1, line ? line + 1 : text);
}

bool upgrade_bury(struct upgrade *u, pid_t pid, int status)
{
	char words[WORDS_MAX], why[WORDS_MAX + 80];

	if (u->pid == 0 || pid != u->pid)
		return false;
	u->pid = 0;
	loop_timer_stop(u->o.loop, &u->overdue);
	read_words(u->words_fd, words, sizeof(words));
	close(u->words_fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		u->o.checked(u->o.arg, NULL);
		return true;
	}
	snprintf(why, sizeof(why), "%s %d: %s", WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 words);
	u->o.checked(u->o.arg, why);
	return true;
}

/* ---- the change ---- */

void upgrade_exec(const struct upgrade *u, const struct handover *h, struct strbuf *why)
{
	const char *argv[6];
	int n = 0;

	argv[n++] = u->program;
	if (u->o.foreground)
		argv[n++] = u->o.debug ? "-D" : "-F";
	argv[n++] = "-f";
	argv[n++] = u->conf_file;
	argv[n] = NULL;
	if (handover_offer(h, why) < 0)
		return;
	execv(u->program, (char **)(uintptr_t)argv);
	why_set(why, "%s: %s", u->program, strerror(errno));
	handover_withdraw(h);
}

struct upgrade *upgrade_new(const struct upgrade_options *o)
{
	struct upgrade *u = mem_alloc(sizeof(*u));

	u->o = *o;
	u->program = mem_strdup(o->program);
	u->conf_file = mem_strdup(o->conf_file);
	loop_timer_init(&u->overdue, on_overdue, u);
	return u;
}

void upgrade_free(struct upgrade **up)
{
	struct upgrade *u = *up;

	if (!u)
		return;
	loop_timer_stop(u->o.loop, &u->overdue);
	free(u->program);
	free(u->conf_file);
	free(u);
	*up = NULL;
}
