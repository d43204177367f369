#include "api/webhook_owners.h"

#include <string.h>

#include "base/mem.h"

enum { WANTED_MAX = 64, ASKS_MAX = 4 };		/* of one webhook: what is left out comes again */

struct wanted {
	struct webhook_owners *o;
	enum owner_kind kind;
	char id[GRAPH_ID_MAX + 1], tenant[TENANT_NAME_MAX + 1];
	struct directory_waiter asked;
	int n_asked;
};

struct webhook_owners {
	struct v1 *v;
	struct wanted *wanted[WANTED_MAX];
	int n, left;
	void (*done)(void *arg);
	void *arg;
};

static void ask(struct wanted *w);

static void is_over(struct webhook_owners *o)
{
	if (--o->left == 0)
		o->done(o->arg);
}

static void on_directory(void *arg)
{
	ask(arg);
}

static void ask(struct wanted *w)
{
	struct directory *d = w->o->v->directory;
	struct tenant *t;

	if (directory_find(d, w->tenant, &t) != DIRECTORY_ASKED || w->n_asked++ >= ASKS_MAX) {
		is_over(w->o);
		return;
	}
	w->asked.ready = on_directory;
	w->asked.arg = w;
	directory_wait(d, w->tenant, &w->asked);
}

static void on_owner(void *arg, const struct store_reply *r)
{
	struct wanted *w = arg;
	const char *text = r && !r->error && r->n == 1 && r->v[0].s ? r->v[0].s : "";

	snprintf(w->tenant, sizeof(w->tenant), "%.*s", (int)strcspn(text, " "), text);
	if (tenant_name_is_good(w->tenant))
		ask(w);
	else
		is_over(w->o);
}

bool webhook_owners_wanted(const struct webhook_owners *o, enum owner_kind kind, const char *id)
{
	for (int i = 0; i < o->n; i++)
		if (o->wanted[i]->kind == kind && !strcmp(o->wanted[i]->id, id))
			return true;
	return false;
}

bool webhook_owners_want(struct webhook_owners *o, enum owner_kind kind, const char *id)
{
	struct wanted *w;

	if (!graph_id_is_good(id))
		return false;
	if (webhook_owners_wanted(o, kind, id))
		return true;
	if (o->n == WANTED_MAX)
		return false;
	w = o->wanted[o->n++] = mem_alloc(sizeof(*w));
	*w = (struct wanted){ .o = o, .kind = kind };
	snprintf(w->id, sizeof(w->id), "%s", id);
	list_init(&w->asked.list);
	return true;
}

void webhook_owners_find(struct webhook_owners *o, void (*done)(void *arg), void *arg)
{
	o->done = done;
	o->arg = arg;
	o->left = o->n + 1;
	for (int i = 0; i < o->n; i++)
		if (owner_read(o->v->conf, o->v->store, o->wanted[i]->kind, o->wanted[i]->id, on_owner, o->wanted[i]) < 0)
			o->left--;
	is_over(o);
}

struct webhook_owners *webhook_owners_new(struct v1 *v)
{
	struct webhook_owners *o = mem_alloc(sizeof(*o));

	o->v = v;
	return o;
}

void webhook_owners_free(struct webhook_owners **op)
{
	struct webhook_owners *o = *op;

	if (!o)
		return;
	for (int i = 0; i < o->n; i++) {
		list_del(&o->wanted[i]->asked.list);
		free(o->wanted[i]);
	}
	free(o);
	*op = NULL;
}
