#include "role/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg/json.h"

enum { VERSION = 1, TEXT_MAX = 1 << 20 };
static const char name[] = "WAMD_HANDOVER";

/* ---- what stays open ---- */

static int keep_open(int fd, bool open)
{
	return fd < 0 ? 0 : fcntl(fd, F_SETFD, open ? 0 : FD_CLOEXEC);
}

static int keep_all_open(const struct handover *h, bool open)
{
	const int own[] = { h->board_fd, h->admin_fd, h->look_fd, h->metrics.fd, h->console.fd, h->command_read, h->command_write, h->pid_fd };
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		err |= keep_open(own[i], open);
	for (int i = 0; i < h->n_api; i++)
		err |= keep_open(h->api[i].fd, open);
	for (int i = 0; i < h->n_children; i++)
		for (int end = 0; end < 2; end++)
			err |= keep_open(h->children[i].link[end], open);
	return err;
}

/* ---- written ---- */

static void add_socket(json_t *o, const char *key, const struct handover_socket *s)
{
	if (s->fd >= 0)
		json_object_set_new(o, key, json_pack("{s:i, s:s}", "fd", s->fd, "address", s->address));
}

static void write_text(const struct handover *h, struct strbuf *out)
{
	json_t *api = json_array(), *children = json_array(), *o;

	for (int i = 0; i < h->n_api; i++)
		json_array_append_new(api, json_pack("{s:i, s:s}", "fd", h->api[i].fd, "address", h->api[i].address));
	for (int i = 0; i < h->n_children; i++) {
		const struct handover_child *c = &h->children[i];

		json_array_append_new(children, json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:i}", "pid", (int)c->pid, "role", c->role,
				      "number", c->number, "generation", c->generation, "slot", c->slot, "near", c->link[0], "far", c->link[1]));
	}
	o = json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "v", VERSION, "run_dir", h->run_dir, "board", h->board_fd,
		      "admin", h->admin_fd, "command_read", h->command_read, "command_write", h->command_write, "pid_file", h->pid_fd,
		      "api", api, "children", children);
	if (h->look_fd >= 0)
		json_put_int(o, "look", h->look_fd);
	add_socket(o, "metrics", &h->metrics);
	add_socket(o, "console", &h->console);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

static int offer_text(const struct strbuf *text, struct strbuf *why)
{
	int fd = memfd_create("wamd-handover", 0);
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	if (fd >= 0 && write(fd, text->buf, text->len) == (ssize_t)text->len && setenv(name, number, 1) == 0)
		return 0;
	why_set(why, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int handover_offer(const struct handover *h, struct strbuf *why)
{
	struct strbuf text = STRBUF_INIT;
	int err;

	write_text(h, &text);
	err = offer_text(&text, why);
	strbuf_release(&text);
	if (!err && keep_all_open(h, true) < 0) {
		err = why_set(why, "%s", strerror(errno));
		handover_withdraw(h);
	}
	return err;
}

static int offered_fd(void)
{
	const char *v = getenv(name);
	char *end;
	long fd = v ? strtol(v, &end, 10) : -1;

	return v && *v && !*end && fd >= 3 && fd < 1 << 20 ? (int)fd : -1;
}

void handover_withdraw(const struct handover *h)
{
	int fd = offered_fd();

	if (fd >= 0)
		close(fd);
	unsetenv(name);
	keep_all_open(h, false);
}

/* ---- read ---- */

static int read_child(const json_t *v, struct handover_child *c)
{
	const char *role;
	int pid;

	if (json_unpack((json_t *)(uintptr_t)v, "{s:i, s:s, s:i, s:i, s:i, s:i, s:i}", "pid", &pid, "role", &role, "number", &c->number,
			"generation", &c->generation, "slot", &c->slot, "near", &c->link[0], "far", &c->link[1]) < 0)
		return -1;
	c->pid = pid;
	snprintf(c->role, sizeof(c->role), "%s", role);
	return pid > 1 && c->slot >= 0 && c->slot < BOARD_SLOTS ? 0 : -1;
}

/* What the program before did not listen at, it has not left. */
static int read_socket(json_t *v, struct handover_socket *s)
{
	const char *address;

	s->fd = -1;
	if (!v)
		return 0;
	if (json_unpack(v, "{s:i, s:s}", "fd", &s->fd, "address", &address) < 0)
		return -1;
	snprintf(s->address, sizeof(s->address), "%s", address);
	return 0;
}

static int read_text(const json_t *o, struct handover *h)
{
	json_t *api, *children, *v;
	const char *address, *run_dir;
	size_t i;
	int version;

	if (json_unpack((json_t *)(uintptr_t)o, "{s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:o}", "v", &version, "run_dir", &run_dir,
			"board", &h->board_fd, "admin", &h->admin_fd, "command_read", &h->command_read, "command_write", &h->command_write,
			"pid_file", &h->pid_fd, "api", &api, "children", &children) < 0 || version != VERSION ||
	    read_socket(json_object_get(o, "metrics"), &h->metrics) < 0 || read_socket(json_object_get(o, "console"), &h->console) < 0)
		return -1;
	snprintf(h->run_dir, sizeof(h->run_dir), "%s", run_dir);
	h->look_fd = json_is_integer(json_object_get(o, "look")) ? (int)json_integer_value(json_object_get(o, "look")) : -1;
	json_array_foreach(api, i, v) {
		if (i >= ARRAY_LEN(h->api) || json_unpack(v, "{s:i, s:s}", "fd", &h->api[i].fd, "address", &address) < 0)
			return -1;
		snprintf(h->api[i].address, sizeof(h->api[i].address), "%s", address);
		h->n_api++;
	}
	json_array_foreach(children, i, v) {
		if (i >= ARRAY_LEN(h->children) || read_child(v, &h->children[i]) < 0)
			return -1;
		h->n_children++;
	}
	return 0;
}

static int read_fd(int fd, struct handover *h)
{
	struct strbuf text = STRBUF_INIT;
	struct stat st;
	json_t *o = NULL;
	int err = -1;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= TEXT_MAX) {
		strbuf_addf(&text, "%*s", (int)st.st_size, "");
		if (pread(fd, text.buf, text.len, 0) == (ssize_t)text.len && json_parse(text.buf, text.len, &o, NULL) == JSON_OK)
			err = read_text(o, h);
	}
	json_decref(o);
	strbuf_release(&text);
	return err;
}

int handover_take(struct handover *h, struct strbuf *why)
{
	int fd = offered_fd(), err;

	if (!getenv(name))
		return 0;
	*h = (struct handover){ .board_fd = -1, .look_fd = -1, .metrics.fd = -1, .console.fd = -1 };
	err = fd < 0 ? -1 : read_fd(fd, h);
	if (fd >= 0)
		close(fd);
	unsetenv(name);
	if (err < 0)
		return why_set(why, "%s: what the program before has left cannot be read", name);
	keep_all_open(h, false);
	return 1;
}
