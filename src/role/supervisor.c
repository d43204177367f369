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
#include "flow/spool.h"
#include "io/listen.h"
#include "msg/identity.h"
#include "msg/json.h"
#include "role/check.h"
#include "role/family.h"
#include "role/upgrade.h"

struct supervisor {
	struct family family;
	bool stopping, reload_waits, upgrade_waits, debug, keep_log;
	struct loop_io commands;
	struct upgrade *upgrade;
	char *conf_file, *run_dir;
};

static void own(const struct conf *c, const char *path)
{
	struct passwd *pw = geteuid() == 0 && *c->user ? getpwnam(c->user) : NULL;

	if (pw && lchown(path, pw->pw_uid, pw->pw_gid) < 0)
		log_warn("chown", "%s: %s", path, strerror(errno));
}

/* arg: gathers those that want a restart; NULL: nobody does. */
static void on_changed(void *arg, const char *path, bool live)
{
	struct strbuf *restart = arg;

	if (live) {
		log_info("setting_changed", "%s", path);
		return;
	}
	log_warn("setting_needs_restart", "%s: the new value waits for a restart", path);
	if (restart)
		strbuf_addf(restart, "%s ", path);
}

static void open_log(const struct supervisor *s, const struct conf *conf)
{
	enum log_level level;

	log_set_json(!strcmp(conf->log_format, "json"));
	if (!s->keep_log && log_open(conf->log_target, LOG_LEVEL_INFO) < 0)
		log_error("log_open", "%s: %s", conf->log_target, strerror(errno));
	if (!s->keep_log && *conf->log_target == '/')
		own(conf, conf->log_target);	/* children reopen it as themselves */
	if (s->debug)
		log_set_level(LOG_LEVEL_DEBUG);
	else if (log_level_parse(conf->log_level, &level) == 0)
		log_set_level(level);
}

static void refuse(struct supervisor *s, _Atomic uint64_t *refused, const char *why)
{
	snprintf(s->family.board->refusal, sizeof(s->family.board->refusal), "%s", why);
	atomic_fetch_add(refused, 1);
}

static void reload(struct supervisor *s)
{
	struct strbuf why = STRBUF_INIT, restart = STRBUF_INIT;
	struct family *f = &s->family;
	struct conf *conf;

	if (s->stopping)
		return;
	if (family_draining(f) > 0) {
		s->reload_waits = true;
		return;
	}
	s->reload_waits = false;
	conf = check_load(s->conf_file, &why);
	if (!conf) {
		refuse(s, &f->board->reloads_refused, why.buf);
		log_error("reload_refused", "%s: nothing was changed", why.buf);
		strbuf_release(&why);
		return;
	}
	conf_diff(f->now->conf, conf, on_changed, &restart);
	snprintf(f->board->restart, sizeof(f->board->restart), "%s", restart.buf);
	conf_keep_fixed(conf, f->now->conf);
	open_log(s, conf);
	family_start(f, conf);
	f->board->reloads++;
	f->board->reloaded_ms = wall_ms();
	log_notice("reloaded", "generation=%d tenants=%d accounts=%d", f->now->number, tenant_set_size(conf->tenants), conf->tenants->n_accounts);
	family_stop_older(f);
	strbuf_release(&why);
	strbuf_release(&restart);
}

static void stop(struct supervisor *s, int signo)
{
	if (!s->stopping)
		log_notice("stopping", "children=%d", family_living(&s->family));
	s->stopping = true;
	family_stop_all(&s->family, signo);
	if (family_living(&s->family) == 0)
		loop_stop(s->family.loop, 0);
}

static void stop_gently(struct supervisor *s)
{
	stop(s, SIGTERM);
}

/* ---- another program ---- */

static void upgrade(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->upgrade_waits = family_draining(&s->family) > 0;
	if (!s->upgrade_waits)
		upgrade_check(s->upgrade);
}

/* A reload or stop may have come while the other program was asked. */
static void on_checked(void *arg, const char *refusal)
{
	struct supervisor *s = arg;
	struct handover *h;
	struct strbuf why = STRBUF_INIT;

	if (!refusal && (s->stopping || family_draining(&s->family) > 0)) {
		upgrade(s);
		return;
	}
	if (!refusal) {
		log_notice("upgrading", "version=%s children=%d", WAMD_VERSION, family_living(&s->family));
		h = mem_alloc(sizeof(*h));
		family_hand_over(&s->family, h);
		snprintf(h->run_dir, sizeof(h->run_dir), "%s", s->run_dir);
		upgrade_exec(s->upgrade, h, &why);
		free(h);
	}
	refuse(s, &s->family.board->upgrades_refused, refusal ? refusal : why.buf);
	log_error("upgrade_refused", "%s: nothing was changed", refusal ? refusal : why.buf);
	strbuf_release(&why);
}

/* ---- what comes in ---- */

static void reap(struct supervisor *s)
{
	struct family *f = &s->family;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!family_bury(f, pid, status))
			upgrade_bury(s->upgrade, pid, status);
	if (s->stopping && family_living(f) == 0)
		loop_stop(f->loop, 0);
	else if (s->reload_waits && family_draining(f) == 0)
		reload(s);
	else if (s->upgrade_waits && family_draining(f) == 0)
		upgrade(s);
}

static void reopen(struct supervisor *s)
{
	if (log_reopen() < 0)
		log_warn("log_reopen", "%s; the old file is kept", strerror(errno));
	family_signal_all(&s->family, SIGUSR1);
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
	case SIGUSR2:
		upgrade(s);
		break;
	default:
		break;
	}
}

/* The senders end when they have finished; nobody takes their place before a reload. */
static void drain(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->family.board->senders_wanted = 0;
	family_stop_role(&s->family, "sender");
	log_notice("drained", "generation=%d: its senders finish and end", s->family.now->number);
}

static void on_command(void *arg, unsigned events)
{
	static const struct { char letter; const char *word; void (*obey)(struct supervisor *s); } commands[] = {
		{ COMMAND_RELOAD, "reload", reload }, { COMMAND_STOP, "stop", stop_gently }, { COMMAND_REOPEN, "reopen", reopen },
		{ COMMAND_DRAIN, "drain", drain },
	};
	struct supervisor *s = arg;
	char c;

	(void)events;
	while (read(s->family.command_read, &c, 1) == 1)
		for (size_t i = 0; i < ARRAY_LEN(commands); i++)
			if (commands[i].letter == c) {
				log_notice("command", "from=admin_socket what=%s", commands[i].word);
				commands[i].obey(s);
			}
}

/* ---- start ---- */

static void make_dir(const struct conf *c, const char *dir, mode_t mode)
{
	if (mkdir(dir, mode) < 0 && errno != EEXIST)
		fatal(EX_CANTCREAT, "%s: %s", dir, strerror(errno));
	own(c, dir);
}

static void make_spool(const struct conf *c)
{
	struct strbuf dir = STRBUF_INIT;

	spool_dir(c, &dir);
	make_dir(c, dir.buf, 0700);
	strbuf_release(&dir);
}

/* Bound here, before privileges are dropped: 0660 and root's, so the daemon's own user cannot use it. */
static int bind_admin_socket(const struct conf *c, const char *name, const char *group)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct group *gr = getgrnam(group);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", c->run_dir, name);
	unlink(sa.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || chmod(sa.sun_path, 0660) < 0 || listen(fd, 64) < 0)
		fatal(EX_CANTCREAT, "%s: %s", sa.sun_path, strerror(errno));
	if (geteuid() == 0 && gr && chown(sa.sun_path, 0, gr->gr_gid) < 0)
		log_warn("chown", "%s: %s", sa.sun_path, strerror(errno));
	return fd;
}

static int handed_over(const struct handover *from, const char *address)
{
	for (int i = 0; from && i < from->n_api; i++)
		if (!strcmp(from->api[i].address, address))
			return from->api[i].fd;
	return -1;
}

/* Once, here: children of every generation inherit them, so that no connection is refused while one follows the other. */
static void bind_api(struct family *f, const struct conf *c, const struct handover *from)
{
	struct strbuf why = STRBUF_INIT;

	for (int i = 0; i < c->api_listen.n; i++) {
		int fd = handed_over(from, c->api_listen.v[i]);

		f->api_fds[i] = fd >= 0 ? fd : listen_open(c->api_listen.v[i], &why);
		if (f->api_fds[i] < 0)
			fatal(EX_CANTCREAT, "api.listen: %s", why.buf);
		f->n_api_fds++;
	}
	for (int i = 0; from && i < from->n_api; i++) {
		bool is_used = false;

		for (int k = 0; k < f->n_api_fds; k++)
			is_used |= f->api_fds[k] == from->api[i].fd;
		if (!is_used)
			close(from->api[i].fd);
	}
	strbuf_release(&why);
}

/* Likewise; what the program before had at another address is let go. */
static void bind_own(int *fd, const char *setting, const char *address, const struct handover_socket *from)
{
	struct strbuf why = STRBUF_INIT;
	bool is_same = from && from->fd >= 0 && !strcmp(from->address, address);

	if (is_same)
		*fd = from->fd;
	else if (from && from->fd >= 0)
		close(from->fd);
	if (!is_same && *address) {
		*fd = listen_open(address, &why);
		if (*fd < 0)
			fatal(EX_CANTCREAT, "%s: %s", setting, why.buf);
	}
	strbuf_release(&why);
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
	loop_signals(s->family.loop, &set, on_signal, s);
}

static void open_command_pipe(struct family *f)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		fatal(EX_OSERR, "pipe: %s", strerror(errno));
	f->command_read = fds[0];
	f->command_write = fds[1];
}

static struct board *make_board(const struct handover *from, int *fd)
{
	struct board *b = from ? board_adopt(from->board_fd) : NULL;

	*fd = from ? from->board_fd : -1;
	if (b)
		return b;
	if (from)
		close(from->board_fd);	/* of another layout: its counters end here */
	b = board_new(fd);
	b->started_ms = wall_ms();
	return b;
}

/* All that is open and who lives: new, or from the program before. */
static void make_family(struct supervisor *s, const struct supervisor_options *o)
{
	struct family *f = &s->family;
	const struct handover *from = o->from;
	int board_fd;
	struct board *b = make_board(from, &board_fd);

	family_init(f, loop_new(), b);
	f->board_fd = board_fd;
	f->ready_fd = o->ready_fd;
	f->pid_fd = o->pid_fd;
	b->supervisor_pid = getpid();
	log_watch_level(&b->log_level);
	if (from) {
		f->admin_fd = from->admin_fd;
		f->look_fd = from->look_fd;
		f->command_read = from->command_read;
		f->command_write = from->command_write;
		family_adopt(f, from);
	} else {
		f->admin_fd = bind_admin_socket(o->conf, "admin.sock", o->conf->admin_group);
		open_command_pipe(f);
	}
	if (f->look_fd < 0)
		f->look_fd = bind_admin_socket(o->conf, "admin-ro.sock", o->conf->admin_read_group);
	bind_api(f, o->conf, from);
	bind_own(&f->metrics_fd, "metrics.listen", o->conf->metrics_listen, from ? &from->metrics : NULL);
	bind_own(&f->console_fd, "console.listen", o->conf->console_listen, from ? &from->console : NULL);
	watch_signals(s);
	loop_io_init(&s->commands, on_command, s);
	loop_io_set(f->loop, &s->commands, f->command_read, LOOP_READ);
}

static struct supervisor *supervisor_new(const struct supervisor_options *o)
{
	struct supervisor *s = mem_alloc(sizeof(*s));

	s->debug = o->debug;
	s->keep_log = o->keep_log;
	s->conf_file = mem_strdup(o->conf->file);
	s->run_dir = mem_strdup(o->from ? o->from->run_dir : o->conf->run_dir);
	json_object_seed(0);		/* once, before any fork */
	make_dir(o->conf, o->conf->state_dir, 0700);
	make_spool(o->conf);
	make_installation_key(o->conf);
	make_family(s, o);
	s->upgrade = upgrade_new(&(struct upgrade_options){ .loop = s->family.loop, .program = o->program, .conf_file = s->conf_file,
		.foreground = o->foreground, .debug = o->debug, .checked = on_checked, .arg = s });
	return s;
}

static void remove_file(const struct supervisor *s, const char *name)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", s->run_dir, name);
	unlink(path.buf);
	strbuf_release(&path);
}

static void say_ready(struct family *f)
{
	if (f->ready_fd < 0)
		return;
	if (write(f->ready_fd, "", 1) < 0)
		log_debug("ready", "nobody waits");
	close(f->ready_fd);
	f->ready_fd = -1;
}

int supervisor_run(const struct supervisor_options *o)
{
	struct supervisor *s = supervisor_new(o);
	int code;

	open_log(s, o->conf);
	family_start(&s->family, o->conf);
	log_notice(o->from ? "upgraded" : "started", "version=%s pid=%d senders=%d tenants=%d accounts=%d", WAMD_VERSION, (int)getpid(),
		   (int)o->conf->senders, tenant_set_size(o->conf->tenants), o->conf->tenants->n_accounts);
	if (o->from && strcmp(s->run_dir, o->conf->run_dir) != 0)
		on_changed(NULL, "run_dir", false);
	if (o->from) {
		s->family.board->upgrades++;
		family_stop_older(&s->family);
		reap(s);		/* who died meanwhile */
	}
	say_ready(&s->family);
	code = loop_run(s->family.loop);
	log_notice("stopped", "status=%d", code);
	remove_file(s, "admin.sock");
	remove_file(s, "admin-ro.sock");
	remove_file(s, "wamd.pid");
	upgrade_free(&s->upgrade);
	loop_free(&s->family.loop);
	free(o->from);
	free(s->conf_file);
	free(s->run_dir);
	free(s);
	return code;
}
