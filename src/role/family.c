#include "role/family.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/packets.h"
#include "role/child.h"

enum { KILL_AFTER_DRAIN_MS = 5000 };

static void start_child(struct child *c);

/* ---- children ---- */

static void generation_unref(struct generation *g)
{
	if (--g->children > 0)
		return;
	if (g->conf)
		conf_free(&g->conf);
	free(g);
}

int family_draining(const struct family *f)
{
	int n = 0;

	for (int i = 0; i < CHILDREN_MAX; i++)
		n += f->children[i].pid > 0 && f->children[i].told_to_stop;
	return n;
}

int family_living(const struct family *f)
{
	int n = 0;

	for (int i = 0; i < CHILDREN_MAX; i++)
		n += f->children[i].pid > 0;
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

static bool is_role(const struct child *c, const char *name)
{
	return !strcmp(c->role->name, name);
}

static struct child *place_child(struct family *f, struct generation *g, const struct role *role, int number)
{
	for (int i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &f->children[i];

		if (c->pid != -1)
			continue;
		*c = (struct child){ .role = role, .number = number, .generation = g, .family = f, .link = { -1, -1 } };
		loop_timer_init(&c->again, on_again, c);
		loop_timer_init(&c->overdue, on_overdue, c);
		g->children++;
		return c;
	}
	BUG("more than %d children", CHILDREN_MAX);
}

static struct child *add_child(struct family *f, struct generation *g, const struct role *role, int number)
{
	struct child *c = place_child(f, g, role, number);

	if (packets_pair(c->link) < 0)
		log_error("link", "%s", strerror(errno));	/* it works with the tenants it has */
	return c;
}

static void close_link(struct child *c)
{
	for (int end = 0; end < 2; end++)
		if (c->link[end] >= 0)
			close(c->link[end]);
}

static void remove_child(struct child *c)
{
	loop_timer_stop(c->family->loop, &c->again);
	loop_timer_stop(c->family->loop, &c->overdue);
	c->pid = -1;
	close_link(c);
	generation_unref(c->generation);
}

/* Of all ends of links: which c uses (taken), those of the senders and apis to the keeper, and which it must close. */
struct ends { int closes[2 * CHILDREN_MAX + 9 + WAMD_STRINGS_MAX], links[CHILDREN_MAX], n_closes, n_links, n_sender_links, legacy; };

/* The ends of all of a role: the keeper knows by their place who may have tokens. */
static void take_links(const struct child *c, const char *role, struct ends *e)
{
	for (int i = 0; i < CHILDREN_MAX; i++) {
		const struct child *of = &c->family->children[i];

		if (of->pid != -1 && is_role(of, role) && of->generation == c->generation && of->link[1] >= 0)
			e->links[e->n_links++] = of->link[1];
	}
}

static bool takes_end(const struct child *c, const struct child *of, int end, struct ends *e)
{
	if (of == c)
		return end == 0;
	if (!is_role(c, "keeper") || end == 0)
		return false;
	if (!is_role(of, "keeper"))
		return of->generation == c->generation;		/* take_links() */
	if (of->generation->number == c->generation->number - 1) {
		e->legacy = of->link[end];
		return true;
	}
	return false;
}

static void sort_ends(const struct child *c, struct ends *e)
{
	*e = (struct ends){ .legacy = -1 };
	for (int i = 0; i < CHILDREN_MAX; i++) {
		const struct child *of = &c->family->children[i];

		for (int end = 0; end < 2 && of->pid != -1; end++)
			if (of->link[end] >= 0 && !takes_end(c, of, end, e))
				e->closes[e->n_closes++] = of->link[end];
	}
	if (!is_role(c, "keeper"))
		return;
	take_links(c, "sender", e);
	e->n_sender_links = e->n_links;
	take_links(c, "api", e);
}

static const struct conf *other_conf(const struct child *c)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (c->family->children[i].pid != -1 && c->family->children[i].generation != c->generation)
			return c->family->children[i].generation->conf;
	return NULL;
}

static void start_child(struct child *c)
{
	struct family *f = c->family;
	bool is_keeper = is_role(c, "keeper"), is_api = is_role(c, "api");
	struct ends ends;
	struct child_context ctx = { .conf = c->generation->conf, .other = other_conf(c), .board = f->board, .number = c->number,
				     .generation = c->generation->number, .admin_fd = is_keeper ? f->admin_fd : -1,
				     .look_fd = is_keeper ? f->look_fd : -1,
				     .metrics_fd = is_keeper ? f->metrics_fd : -1,
				     .console_fd = is_keeper ? f->console_fd : -1,
				     .command_fd = is_keeper ? f->command_write : -1, .link_fd = is_keeper ? -1 : c->link[0],
				     .heir_fd = is_keeper ? c->link[0] : -1, .api_fds = f->api_fds, .n_api_fds = is_api ? f->n_api_fds : 0 };

	sort_ends(c, &ends);
	ctx.links = ends.links;
	ctx.n_links = ends.n_links;
	ctx.n_sender_links = ends.n_sender_links;
	ctx.legacy_fd = ends.legacy;
	ends.closes[ends.n_closes++] = f->command_read;
	ends.closes[ends.n_closes++] = f->pid_fd;
	ends.closes[ends.n_closes++] = f->ready_fd;
	ends.closes[ends.n_closes++] = f->board_fd;
	ends.closes[ends.n_closes++] = is_keeper ? -1 : f->admin_fd;
	ends.closes[ends.n_closes++] = is_keeper ? -1 : f->look_fd;
	ends.closes[ends.n_closes++] = is_keeper ? -1 : f->metrics_fd;
	ends.closes[ends.n_closes++] = is_keeper ? -1 : f->command_write;
	ends.closes[ends.n_closes++] = is_keeper ? -1 : f->console_fd;
	for (int i = 0; i < f->n_api_fds && !is_api; i++)
		ends.closes[ends.n_closes++] = f->api_fds[i];

	c->slot = ctx.slot = board_take(f->board, c->role->name, c->number);
	for (int g = 0; g < GAUGES; g++)
		c->slot->gauges[g] = 0;
	c->slot->generation = ctx.generation;
	c->slot->draining = 0;
	c->slot->started_ms = wall_ms();
	c->started = mono_now();
	c->told_to_stop = false;
	c->pid = child_fork(c->role, &ctx, ends.closes, ends.n_closes);
	if (c->pid < 0) {
		log_error("fork_failed", "%s", strerror(errno));
		c->pid = 0;
		loop_timer_set(f->loop, &c->again, c->generation->conf->respawn_max);
		return;
	}
	c->slot->pid = c->pid;
}

static int64_t drain_timeout(const struct child *c)
{
	return (c->generation->conf ? c->generation : c->family->now)->conf->drain_timeout;
}

static void tell_to_stop(struct child *c, int signo)
{
	loop_timer_stop(c->family->loop, &c->again);
	if (c->pid == 0) {
		remove_child(c);	/* it waited for its next start */
		return;
	}
	kill(c->pid, signo);
	if (c->told_to_stop)
		return;
	c->told_to_stop = true;
	c->slot->draining = 1;
	loop_timer_set(c->family->loop, &c->overdue, drain_timeout(c) + KILL_AFTER_DRAIN_MS);
}

static void bury(struct child *c, int status)
{
	struct family *f = c->family;
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
	f->board->crashes++;
	delay = respawn_after(&c->respawn, c->generation->conf, lived, &alarm);
	log_warn("child_died", "%s[%d] pid=%d %s=%d lived_ms=%lld again_ms=%lld", c->role->name, c->number, (int)c->pid,
		 WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		 (long long)lived, (long long)delay);
	if (alarm) {
		f->board->crash_loops++;
		log_error("crash_loop", "%s[%d] died %d times in a row", c->role->name, c->number, c->respawn.crashes_in_row);
	}
	c->pid = 0;
	loop_timer_set(f->loop, &c->again, delay);
}

bool family_bury(struct family *f, pid_t pid, int status)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid == pid) {
			bury(&f->children[i], status);
			return true;
		}
	return false;
}

/* ---- generations ---- */

void family_start(struct family *f, struct conf *conf)
{
	struct generation *g = mem_alloc(sizeof(*g));
	struct child *added[CHILDREN_MAX];
	int n = 0;

	g->conf = conf;
	g->number = f->board->generation + 1;
	f->board->generation = g->number;
	f->board->senders_wanted = (int)conf->senders;
	f->now = g;
	for (int i = 0; i < conf->limit_tiers.n; i++)
		board_add_tier(f->board, conf->limit_tiers.v[i], strcspn(conf->limit_tiers.v[i], "="));
	/* All are there before the first is forked: the keeper gets the ends of links to all senders. */
	for (int r = 0; r < n_roles; r++)
		for (int i = 0; i < roles[r].how_many(conf); i++)
			added[n++] = add_child(f, g, &roles[r], i);
	for (int i = 0; i < n; i++)
		start_child(added[i]);
}

void family_stop_all(struct family *f, int signo)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid >= 0)
			tell_to_stop(&f->children[i], signo);
}

void family_stop_older(struct family *f)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid >= 0 && f->children[i].generation != f->now)
			tell_to_stop(&f->children[i], SIGTERM);
}

void family_stop_role(struct family *f, const char *role)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid >= 0 && is_role(&f->children[i], role))
			tell_to_stop(&f->children[i], SIGTERM);
}

void family_signal_all(const struct family *f, int signo)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid > 0)
			kill(f->children[i].pid, signo);
}

/* ---- from program to program ---- */

void family_hand_over(const struct family *f, struct handover *h)
{
	h->board_fd = f->board_fd;
	h->admin_fd = f->admin_fd;
	h->look_fd = f->look_fd;
	h->metrics.fd = f->metrics_fd;
	snprintf(h->metrics.address, sizeof(h->metrics.address), "%s", f->now->conf->metrics_listen);
	h->command_read = f->command_read;
	h->command_write = f->command_write;
	h->pid_fd = f->pid_fd;
	h->console.fd = f->console_fd;
	snprintf(h->console.address, sizeof(h->console.address), "%s", f->now->conf->console_listen);
	h->n_api = f->n_api_fds;
	for (int i = 0; i < f->n_api_fds; i++) {
		h->api[i].fd = f->api_fds[i];
		snprintf(h->api[i].address, sizeof(h->api[i].address), "%s", f->now->conf->api_listen.v[i]);
	}
	for (int i = 0; i < CHILDREN_MAX; i++) {
		const struct child *c = &f->children[i];
		struct handover_child *o = &h->children[h->n_children];

		if (c->pid <= 0)
			continue;	/* who waits for its next start has nothing in hand */
		*o = (struct handover_child){ .pid = c->pid, .number = c->number, .generation = c->generation->number,
					      .slot = (int)(c->slot - f->board->slots), .link = { c->link[0], c->link[1] } };
		snprintf(o->role, sizeof(o->role), "%s", c->role->name);
		h->n_children++;
	}
}

static const struct role *role_named(const char *name)
{
	struct role *gone;

	for (int i = 0; i < n_roles; i++)
		if (!strcmp(roles[i].name, name))
			return &roles[i];
	gone = mem_alloc(sizeof(*gone));	/* this program has no such role; it ends with the last of them */
	gone->name = mem_strdup(name);
	return gone;
}

static struct generation *generation_of(struct family *f, int number)
{
	struct generation *g;

	for (int i = 0; i < CHILDREN_MAX; i++)
		if (f->children[i].pid != -1 && f->children[i].generation->number == number)
			return f->children[i].generation;
	g = mem_alloc(sizeof(*g));
	g->number = number;
	return g;
}

void family_adopt(struct family *f, const struct handover *h)
{
	for (int i = 0; i < h->n_children; i++) {
		const struct handover_child *o = &h->children[i];
		struct generation *g = generation_of(f, o->generation);
		struct child *c = place_child(f, g, role_named(o->role), o->number);

		c->pid = o->pid;
		c->link[0] = o->link[0];
		c->link[1] = o->link[1];
		c->started = mono_now();
		c->slot = &f->board->slots[o->slot];
		if (c->slot->pid != o->pid)		/* another scoreboard */
			c->slot = board_take(f->board, c->role->name, c->number);
		c->slot->pid = o->pid;
		c->slot->generation = g->number;
		f->board->generation = g->number > f->board->generation ? g->number : atomic_load(&f->board->generation);
	}
}

void family_init(struct family *f, struct loop *l, struct board *b)
{
	*f = (struct family){ .loop = l, .board = b, .board_fd = -1, .admin_fd = -1, .look_fd = -1, .metrics_fd = -1,
			      .console_fd = -1, .command_read = -1, .command_write = -1, .pid_fd = -1, .ready_fd = -1 };
	for (int i = 0; i < CHILDREN_MAX; i++)
		f->children[i].pid = -1;
}
