/* wamd - the daemon: options, then the supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "role/check.h"
#include "role/supervisor.h"

struct options {
	const char *file;
	bool check, dump, foreground, debug;
};

static void usage(FILE *out)
{
	fputs("usage: wamd [-DFTVht] [-f file]\n"
	      "  -f file   configuration (" WAMD_SYSCONFDIR "/wamd.conf)\n"
	      "  -t        check the configuration and exit\n"
	      "  -T        check it, print the effective settings with secrets masked, and exit\n"
	      "  -F        stay in the foreground\n"
	      "  -D        stay in the foreground and log everything to stderr\n"
	      "  -V        print the version\n"
	      "  -h        this help\n"
	      "Signals: HUP reload, TERM/INT drain and stop, QUIT stop now, USR1 reopen logs,\n"
	      "USR2 become the program on disk.\n", out);
}

static NORETURN void list_failpoints(void)
{
#ifdef WAMD_FAILPOINTS
	for (int i = 0; i < FAILPOINTS; i++)
		printf("%-16s %s\n", failpoint_name((enum failpoint)i), failpoint_help((enum failpoint)i));
	exit(0);
#else
	fputs("wamd: this is no test build (make FAIL=1)\n", stderr);
	exit(EX_UNAVAILABLE);
#endif
}

static struct options options_parse(int argc, char **argv)
{
	enum { OPT_FAILPOINTS = 256 };
	static const struct option longs[] = {
		{ "failpoints", no_argument, NULL, OPT_FAILPOINTS },
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 },
	};
	struct options o = { .file = WAMD_SYSCONFDIR "/wamd.conf" };
	int c;

	while ((c = getopt_long(argc, argv, "f:tTFDVh", longs, NULL)) != -1) {
		switch (c) {
		case 'f': o.file = optarg; break;
		case 't': o.check = true; break;
		case 'T': o.check = o.dump = true; break;
		case 'F': o.foreground = true; break;
		case 'D': o.foreground = o.debug = true; break;
		case 'V': puts("wamd " WAMD_VERSION); exit(0);
		case 'h': usage(stdout); exit(0);
		case OPT_FAILPOINTS: list_failpoints();
		default: usage(stderr); exit(EX_USAGE);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(EX_USAGE);
	}
	return o;
}

static struct conf *load(const struct options *o)
{
	struct strbuf why = STRBUF_INIT;
	struct conf *c = check_load(o->file, &why);

	if (!c) {
		fprintf(stderr, "wamd: %s\n", why.buf);
		exit(EX_CONFIG);
	}
	strbuf_release(&why);
	return c;
}

static NORETURN void check_only(const struct options *o, struct conf *c)
{
	if (o->dump)
		conf_dump(c, stdout);
	else
		fprintf(stderr, "wamd: %s: the configuration is good (%d tenants, %d accounts)\n", o->file, tenant_set_size(c->tenants), c->tenants->n_accounts);
	conf_free(&c);
	exit(0);
}

/* Paths are kept, so they must not depend on where we stand once we are a daemon. */
static char *absolute(const char *file)
{
	char *path = realpath(file, NULL);

	if (!path)
		fatal(EX_NOINPUT, "%s: %s", file, strerror(errno));
	return path;
}

/* The parent waits for one byte: its exit status tells the init script whether the daemon runs. */
static int become_daemon(void)
{
	int fds[2], null;
	char byte;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		fatal(EX_OSERR, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		fatal(EX_OSERR, "fork: %s", strerror(errno));
	if (pid > 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? 0 : EX_UNAVAILABLE);	/* what exit() would flush is the child's */
	}
	close(fds[0]);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		fatal(EX_OSERR, "/dev/null: %s", strerror(errno));
	close(null);
	return fds[1];
}

static int lock_pid_file(const struct conf *c)
{
	struct strbuf path = STRBUF_INIT, pid = STRBUF_INIT;
	int fd;

	/* The umask is for logs and keys; this one others may enter: the socket's own mode says who may talk to it. */
	if ((mkdir(c->run_dir, 0755) < 0 || chmod(c->run_dir, 0755) < 0) && errno != EEXIST)
		fatal(EX_CANTCREAT, "%s: %s", c->run_dir, strerror(errno));
	strbuf_addf(&path, "%s/wamd.pid", c->run_dir);
	fd = open(path.buf, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		fatal(EX_CANTCREAT, "%s: %s", path.buf, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		fatal(EX_TEMPFAIL, "%s: another wamd runs with it", path.buf);
	strbuf_addf(&pid, "%d\n", (int)getpid());
	if (fchmod(fd, 0644) < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, pid.buf, pid.len, 0) != (ssize_t)pid.len)
		fatal(EX_IOERR, "%s: %s", path.buf, strerror(errno));
	strbuf_release(&path);
	strbuf_release(&pid);
	return fd;
}

/* Where the program lies, for USR2: what was called, for a link may lead to another one by then. */
static char *program_file(const char *called)
{
	char path[4096];
	ssize_t n;

	if (*called == '/')
		return mem_strdup(called);
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n < 0)
		fatal(EX_OSERR, "/proc/self/exe: %s", strerror(errno));
	path[n] = 0;
	return mem_strdup(path);
}

/* What the program before this one has left in this process, NULL: there was none. */
static struct handover *take_handover(void)
{
	struct handover *h = mem_alloc(sizeof(*h));
	struct strbuf why = STRBUF_INIT;
	int taken = handover_take(h, &why);

	if (taken < 0)
		fatal(EX_SOFTWARE, "%s", why.buf);
	strbuf_release(&why);
	if (taken)
		return h;
	free(h);
	return NULL;
}

static void arm_failpoints(void)
{
#ifdef WAMD_FAILPOINTS
	const char *spec = getenv("WAMD_FAIL");

	if (spec && *spec && failpoint_setup(spec) < 0)
		fatal(EX_USAGE, "WAMD_FAIL=%s: no such point or action", spec);
#endif
}

int main(int argc, char **argv)
{
	struct options o = options_parse(argc, argv);
	struct conf *c;
	char *file = NULL, *program;
	struct handover *from;
	int code;
	struct supervisor_options so = { .pid_fd = -1, .ready_fd = -1 };

	signal(SIGPIPE, SIG_IGN);
	umask(027);
	if (!o.check)
		o.file = file = absolute(o.file);
	c = load(&o);
	free(file);
	if (o.check)
		check_only(&o, c);
	arm_failpoints();
	so.from = from = take_handover();
	if (!from && !o.foreground)
		so.ready_fd = become_daemon();
	so.pid_fd = from ? from->pid_fd : lock_pid_file(c);
	so.conf = c;
	so.foreground = o.foreground;
	so.program = program = program_file(argv[0]);
	so.debug = so.keep_log = o.debug;
	code = supervisor_run(&so);
	free(program);
	return code;
}
