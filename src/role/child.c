#include "role/child.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/failpoint.h"

enum { DESCRIPTORS = 65536 };

static void drop_privileges(const struct conf *c)
{
	struct passwd *pw;

	if (geteuid() != 0 || !*c->user)
		return;
	pw = getpwnam(c->user);
	if (!pw)
		fatal(EX_NOUSER, "user %s does not exist", c->user);
	if (initgroups(c->user, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		fatal(EX_OSERR, "cannot become %s: %s", c->user, strerror(errno));
}

static void harden(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);		/* a core holds tokens */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__			/* the leak checker must attach to its own process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* What a login shell may have is little for a server; whoever wants less sets the hard limit. */
static void allow_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= DESCRIPTORS)
		return;
	r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &r);
}

static NORETURN void live(const struct role *role, const struct child_context *ctx, pid_t supervisor)
{
	char title[17];

	log_set_who("%s[%d]", role->name, ctx->number);
	snprintf(title, sizeof(title), "wamd:%s%d", role->name, ctx->number);
	prctl(PR_SET_NAME, title, 0, 0, 0);
	rand_after_fork();
	drop_privileges(ctx->conf);
	harden();
	allow_descriptors();
	/* Only now: setuid clears it.  The parent may be gone already. */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != supervisor)
		exit(EX_TEMPFAIL);
	exit(role->run(ctx));
}

pid_t child_fork(const struct role *role, const struct child_context *ctx, const int *close_fds, int n_close)
{
	pid_t supervisor = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	for (int i = 0; i < n_close; i++)
		if (close_fds[i] >= 0)
			close(close_fds[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C reaches the whole group: the supervisor hears it and drains us */
	live(role, ctx, supervisor);
}

static void (*term)(void *arg);
static void *term_arg;

static void on_signal(void *arg, int signo)
{
	struct loop *l = arg;

	switch (signo) {
	case SIGTERM:
		term(term_arg);
		break;
	case SIGQUIT:
		loop_stop(l, 0);
		break;
	case SIGUSR1:
		if (log_reopen() < 0)
			log_warn("log_reopen", "%s; the old file is kept", strerror(errno));
		break;
	default:
		break;
	}
}

void child_signals(struct loop *l, void (*on_term)(void *arg), void *arg)
{
	sigset_t set;

	term = on_term;
	term_arg = arg;
	/* The supervisor's mask came over the fork; HUP, USR2 and CHLD are none of our business. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGUSR1);
	loop_signals(l, &set, on_signal, l);
}
