/* The job that looks at every account's number. */
#include "graph/watch.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "msg/watch_wire.h"

enum { PATIENCE_MS = 60000 };

struct watches {
	struct watches_options o;
};

struct run {
	struct watches *w;
	struct job *job;
};

void watch_apply_rate(const struct conf *c, struct registry *r, const struct account *account, const json_t *document)
{
	struct tenant *t = conf_tenant(c, account->tenant->id);
	struct account *a = t ? tenant_account(t, account->id) : NULL;
	const char *level = json_text(document, "throughput");
	int64_t was, rate;

	if (!a || !level || !a->tier)
		return;
	was = a->rate;
	rate = watch_rate_of(c, a, level);
	if (!account_set_granted(a, rate, conf_rate_of_tier(c, a->tier)))
		return;
	log_notice("rate", "tenant=%s account=%s throughput=%s rate=%" PRId64 " was=%" PRId64, t->id, a->id, level, rate, was);
	registry_changed(r);
}

static void on_watched(void *arg, const struct graph_reply *r)
{
	struct run *run = arg;
	struct watches *w = run->w;
	struct job *job = run->job;

	free(run);
	if (r->word != GRAPH_OK) {
		job_end(job, false, r->retry_after_ms, "%s", r->text);
		return;
	}
	watch_apply_rate(graph_conf(w->o.graph), w->o.registry, job_account(job), r->json);
	job_end(job, true, -1, "quality %s, throughput %s, %d changes", json_text(r->json, "quality") ? json_text(r->json, "quality") : "-",
		json_text(r->json, "throughput") ? json_text(r->json, "throughput") : "-",
		(int)json_array_size(json_object_get(r->json, "changes")));
}

static void look(void *arg, struct job *job)
{
	struct watches *w = arg;
	struct run *run = mem_alloc(sizeof(*run));

	*run = (struct run){ w, job };
	watch_run(w->o.graph, w->o.alerts, &(struct graph_for){ job_account(job), PATIENCE_MS, on_watched, run });
}

/* ---- a webhook tells of something ---- */

struct news { struct watches *w; char account[TENANT_NAME_MAX + 1]; };

static void on_tenant(void *arg, const struct registry_answer *answer)
{
	struct news *n = arg;
	struct account *a = answer->tenant ? tenant_account(answer->tenant, n->account) : NULL;

	if (a)
		jobs_soon(n->w->o.jobs, JOB_ACCOUNT_WATCH, a);
	free(n);
}

static bool on_news(void *arg, int port UNUSED, const char *data, size_t len)
{
	struct watches *w = arg;
	struct watch_ask ask;
	struct news *n;

	if (watch_ask_read(data, len, &ask) < 0)
		return false;
	n = mem_alloc(sizeof(*n));
	*n = (struct news){ .w = w };
	memcpy(n->account, ask.account, sizeof(n->account));
	registry_get(w->o.registry, ask.tenant, false, on_tenant, n);
	return true;
}

struct watches *watches_new(const struct watches_options *o)
{
	struct watches *w = mem_alloc(sizeof(*w));

	w->o = *o;
	/* On each machine: the rate that follows is each one's own.  What is told of is told once all the same. */
	jobs_add(o->jobs, JOB_ACCOUNT_WATCH, false, look, w);
	if (o->registry)
		registry_on_other(o->registry, on_news, w);
	return w;
}

void watches_free(struct watches **wp)
{
	free(*wp);
	*wp = NULL;
}
