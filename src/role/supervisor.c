#include "role/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rand.h"
#include "msg/identity.h"
#include "role/check.h"
#include "role/child.h"
#include "role/respawn.h"

enum { CHILDREN_MAX = BOARD_SLOTS, KILL_AFTER_DRAIN_MS = 5000 };

struct generation {			/* one configuration and those who run it */
	struct conf *conf;
	int number, children;
};

struct child {
	pid_t pid;			/* 0: waits for its next start; -1: free */
	const struct role *role;
	int number;
	struct generation *generation;
	struct board_slot *slot;
	mono_t started;
	bool told_to_stop;
	struct respawn respawn;
	struct loop_timer again, overdue;
	struct supervisor *s;
};

struct supervisor {
	struct loop *loop;
	struct board *board;
	struct generation *now;
	struct child children[CHILDREN_MAX];
	bool stopping, reload_waits, debug, keep_log;
	int admin_fd, command_read, command_write, pid_fd, ready_fd;
	struct loop_io commands;
	char *conf_file, *run_dir;
};

static void start_child(struct child *c);

/* ---- children ---- */

static void generation_unref(struct generation *g)
{
	if (--g->children > 0)
		return;
	conf_free(&g->conf);
	free(g);
}

static int draining_children(const struct supervisor *s)
{
	int n = 0;

	for (int i = 0; i < CHILDREN_MAX; i++)
		n += s->children[i].pid > 0 && s->children[i].told_to_stop;
	return n;
}

static int living_children(const struct supervisor *s)
{
	int n = 0;

	for (int i = 0; i < CHILDREN_MAX; i++)
		n += s->children[i].pid > 0;
	return n;
}

static void on_again(void *arg)
{
	start_child(arg);
}

static void on_overdue(void *arg)
{
	struct child *c = arg;

	log_error("overdue", "%s[%d] pid=%d did not stop in time: killed", c->role->name, c->number, (int)c->pid);
	kill(c->pid, SIGKILL);
}

static void add_child(struct supervisor *s, struct generation *g, const struct role *role, int number)
{
	for (int i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &s->children[i];

		if (c->pid != -1)
			continue;
		*c = (struct child){ .role = role, .number = number, .generation = g, .s = s };
		loop_timer_init(&c->again, on_again, c);
		loop_timer_init(&c->overdue, on_overdue, c);
		g->children++;
		start_child(c);
		return;
	}
	BUG("more than %d children", CHILDREN_MAX);
}

static void remove_child(struct child *c)
{
	loop_timer_stop(c->s->loop, &c->again);
	loop_timer_stop(c->s->loop, &c->overdue);
	c->pid = -1;
	generation_unref(c->generation);
}

static void start_child(struct child *c)
{
	struct supervisor *s = c->s;
	bool is_keeper = !strcmp(c->role->name, "keeper");
	struct child_context ctx = { .conf = c->generation->conf, .board = s->board, .number = c->number,
				     .generation = c->generation->number, .admin_fd = is_keeper ? s->admin_fd : -1,
				     .command_fd = is_keeper ? s->command_write : -1 };
	int not_for_it[] = { s->command_read, s->pid_fd, s->ready_fd, is_keeper ? -1 : s->admin_fd,
			     is_keeper ? -1 : s->command_write };

	c->slot = ctx.slot = board_take(s->board, c->role->name, c->number);
	for (int g = 0; g < GAUGES; g++)
		c->slot->gauges[g] = 0;
	c->slot->generation = ctx.generation;
	c->slot->draining = 0;
	c->slot->started_ms = wall_ms();
	c->started = mono_now();
	c->told_to_stop = false;
	c->pid = child_fork(c->role, &ctx, not_for_it, ARRAY_LEN(not_for_it));
	if (c->pid < 0) {
		log_error("fork_failed", "%s", strerror(errno));
		c->pid = 0;
		loop_timer_set(s->loop, &c->again, c->generation->conf->respawn_max);
		return;
	}
	c->slot->pid = c->pid;
}

static void tell_to_stop(struct child *c, int signo)
{
	loop_timer_stop(c->s->loop, &c->again);
	if (c->pid == 0) {
		remove_child(c);	/* it waited for its next start */
		return;
	}
	kill(c->pid, signo);
	if (c->told_to_stop)
		return;
	c->told_to_stop = true;
	c->slot->draining = 1;
	loop_timer_set(c->s->loop, &c->overdue, c->generation->conf->drain_timeout + KILL_AFTER_DRAIN_MS);
}

static void bury(struct child *c, int status)
{
	struct supervisor *s = c->s;
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0, alarm;
	int64_t lived = mono_diff_ms(mono_now(), c->started), delay;

	c->slot->pid = 0;
	if (c->told_to_stop) {
		if (!clean)
			log_warn("child_died", "%s[%d] pid=%d %s=%d while it was stopping", c->role->name, c->number, (int)c->pid,
				 WIFSIGNALED(status) ? "signal" : "status",
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		remove_child(c);
		return;
	}
	c->slot->crashes++;
	s->board->crashes++;
	delay = respawn_after(&c->respawn, c->generation->conf, lived, &alarm);
	log_warn("child_died", "%s[%d] pid=%d %s=%d lived_ms=%lld again_ms=%lld", c->role->name, c->number, (int)c->pid,
		 WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 (long long)lived, (long long)delay);
	if (alarm) {
		s->board->crash_loops++;
		log_error("crash_loop", "%s[%d] died %d times in a row", c->role->name, c->number, c->respawn.crashes_in_row);
	}
	c->pid = 0;
	loop_timer_set(s->loop, &c->again, delay);
}

static void own(const struct conf *c, const char *path)
{
	struct passwd *pw = geteuid() == 0 && *c->user ? getpwnam(c->user) : NULL;

	if (pw && lchown(path, pw->pw_uid, pw->pw_gid) < 0)
		log_warn("chown", "%s: %s", path, strerror(errno));
}

/* ---- generations ---- */

static void start_generation(struct supervisor *s, struct conf *conf)
{
	struct generation *g = mem_alloc(sizeof(*g));

	g->conf = conf;
	g->number = s->board->generation + 1;
	s->board->generation = g->number;
	s->board->senders_wanted = (int)conf->senders;
	s->now = g;
	if (!s->keep_log && log_open(conf->log_target, LOG_LEVEL_INFO) < 0)
		log_error("log_open", "%s: %s", conf->log_target, strerror(errno));
	if (!s->keep_log && *conf->log_target == '/')
		own(conf, conf->log_target);	/* children reopen it as themselves */
	if (s->debug) {
		log_set_level(LOG_LEVEL_DEBUG);
	} else {
		enum log_level level;

		if (log_level_parse(conf->log_level, &level) == 0)
			log_set_level(level);
	}
	for (int r = 0; r < n_roles; r++)
		for (int i = 0; i < roles[r].how_many(conf); i++)
			add_child(s, g, &roles[r], i);
}

static void on_changed(void *arg, const char *path, bool live)
{
	(void)arg;
	if (live)
		log_info("setting_changed", "%s", path);
	else
		log_warn("setting_needs_restart", "%s: the new value waits for a restart", path);
}

static void reload(struct supervisor *s)
{
	struct strbuf why = STRBUF_INIT;
	struct generation *old = s->now;
	struct conf *conf;

	if (s->stopping)
		return;
	if (draining_children(s) > 0) {
		s->reload_waits = true;
		return;
	}
	s->reload_waits = false;
	conf = check_load(s->conf_file, &why);
	if (!conf) {
		snprintf(s->board->refusal, sizeof(s->board->refusal), "%s", why.buf);
		s->board->reloads_refused++;
		log_error("reload_refused", "%s: nothing was changed", why.buf);
		strbuf_release(&why);
		return;
	}
	conf_diff(old->conf, conf, on_changed, NULL);
	conf_keep_fixed(conf, old->conf);
	old->children++;		/* until all of it are told */
	start_generation(s, conf);
	s->board->reloads++;
	s->board->reloaded_ms = wall_ms();
	log_notice("reloaded", "generation=%d tenants=%d accounts=%d", s->now->number, conf->n_tenants, conf->n_accounts);
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid >= 0 && s->children[i].generation == old)
			tell_to_stop(&s->children[i], SIGTERM);
	generation_unref(old);
	strbuf_release(&why);
}

static void stop(struct supervisor *s, int signo)
{
	if (!s->stopping)
		log_notice("stopping", "children=%d", living_children(s));
	s->stopping = true;
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid >= 0)
			tell_to_stop(&s->children[i], signo);
	if (living_children(s) == 0)
		loop_stop(s->loop, 0);
}

/* ---- what comes in ---- */

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < CHILDREN_MAX; i++)
			if (s->children[i].pid == pid)
				bury(&s->children[i], status);
	if (s->stopping && living_children(s) == 0)
		loop_stop(s->loop, 0);
	else if (s->reload_waits && draining_children(s) == 0)
		reload(s);
}

static void reopen(struct supervisor *s)
{
	if (log_reopen() < 0)
		log_warn("log_reopen", "%s; the old file is kept", strerror(errno));
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, SIGUSR1);
}

static void on_signal(void *arg, int signo)
{
	struct supervisor *s = arg;

	switch (signo) {
	case SIGCHLD:
		reap(s);
		break;
	case SIGHUP:
		reload(s);
		break;
	case SIGTERM:
	case SIGINT:
		stop(s, SIGTERM);
		break;
	case SIGQUIT:
		stop(s, SIGQUIT);
		break;
	case SIGUSR1:
		reopen(s);
		break;
	default:
		break;
	}
}

static void on_command(void *arg, unsigned events)
{
	struct supervisor *s = arg;
	char c;

	(void)events;
	while (read(s->command_read, &c, 1) == 1) {
		log_notice("command", "from=admin_socket what=%s",
			   c == COMMAND_RELOAD ? "reload" : c == COMMAND_STOP ? "stop" : c == COMMAND_REOPEN ? "reopen" : "?");
		if (c == COMMAND_RELOAD)
			reload(s);
		else if (c == COMMAND_STOP)
			stop(s, SIGTERM);
		else if (c == COMMAND_REOPEN)
			reopen(s);
	}
}

/* ---- start ---- */

static void make_dir(const struct conf *c, const char *dir, mode_t mode)
{
	if (mkdir(dir, mode) < 0 && errno != EEXIST)
		fatal(EX_CANTCREAT, "%s: %s", dir, strerror(errno));
	own(c, dir);
}

/* Bound here, before privileges are dropped: 0660 root:wamd-admin, so the daemon's own user cannot use it. */
static int bind_admin_socket(const struct conf *c)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct group *gr = getgrnam(c->admin_group);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/admin.sock", c->run_dir);
	unlink(sa.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || chmod(sa.sun_path, 0660) < 0 || listen(fd, 64) < 0)
		fatal(EX_CANTCREAT, "%s: %s", sa.sun_path, strerror(errno));
	if (geteuid() == 0 && gr && chown(sa.sun_path, 0, gr->gr_gid) < 0)
		log_warn("chown", "%s: %s", sa.sun_path, strerror(errno));
	return fd;
}

static void make_installation_key(const struct conf *c)
{
	struct strbuf file = STRBUF_INIT, why = STRBUF_INIT;
	struct identity *i;

	strbuf_addf(&file, "%s/installation.key", c->state_dir);
	i = identity_load(file.buf, true, &why);
	if (!i)
		fatal(EX_CONFIG, "%s", why.buf);
	identity_free(&i);
	own(c, file.buf);
	strbuf_release(&file);
	strbuf_release(&why);
}

static void watch_signals(struct supervisor *s)
{
	static const int mine[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(mine); i++)
		sigaddset(&set, mine[i]);
	loop_signals(s->loop, &set, on_signal, s);
}

static void open_command_pipe(struct supervisor *s)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		fatal(EX_OSERR, "pipe: %s", strerror(errno));
	s->command_read = fds[0];
	s->command_write = fds[1];
	loop_io_init(&s->commands, on_command, s);
	loop_io_set(s->loop, &s->commands, s->command_read, LOOP_READ);
}

static struct supervisor *supervisor_new(const struct supervisor_options *o)
{
	struct supervisor *s = mem_alloc(sizeof(*s));

	s->debug = o->debug;
	s->keep_log = o->keep_log;
	s->pid_fd = o->pid_fd;
	s->ready_fd = o->ready_fd;
	s->conf_file = mem_strdup(o->conf->file);
	s->run_dir = mem_strdup(o->conf->run_dir);
	for (int i = 0; i < CHILDREN_MAX; i++)
		s->children[i].pid = -1;
	json_object_seed(0);		/* once, before any fork */
	make_dir(o->conf, o->conf->state_dir, 0700);
	make_installation_key(o->conf);
	s->board = board_new();
	s->board->supervisor_pid = getpid();
	s->board->started_ms = wall_ms();
	s->loop = loop_new();
	watch_signals(s);
	open_command_pipe(s);
	s->admin_fd = bind_admin_socket(o->conf);
	return s;
}

static void remove_file(const struct supervisor *s, const char *name)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", s->run_dir, name);
	unlink(path.buf);
	strbuf_release(&path);
}

int supervisor_run(const struct supervisor_options *o)
{
	struct supervisor *s = supervisor_new(o);
	int code;

	start_generation(s, o->conf);
	log_notice("started", "version=%s pid=%d senders=%d tenants=%d accounts=%d", WAMD_VERSION, (int)getpid(),
		   (int)o->conf->senders, o->conf->n_tenants, o->conf->n_accounts);
	if (o->ready_fd >= 0) {
		if (write(o->ready_fd, "", 1) < 0)
			log_debug("ready", "nobody waits");
		close(o->ready_fd);
		s->ready_fd = -1;
	}
	code = loop_run(s->loop);
	log_notice("stopped", "status=%d", code);
	remove_file(s, "admin.sock");
	remove_file(s, "wamd.pid");
	loop_free(&s->loop);
	free(s->conf_file);
	free(s->run_dir);
	free(s);
	return code;
}
