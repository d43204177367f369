/* What the keeper does for accounts in the background. */
#include "api/handlers.h"
#include "api/reply.h"
#include "base/mem.h"
#include "base/str.h"

struct listing {
	json_t *jobs;
	const char *tenant;		/* NULL: of all */
};

static void add(void *arg, const struct job_view *v)
{
	struct listing *l = arg;
	json_t *o;

	if (l->tenant && strcmp(v->account->tenant->id, l->tenant) != 0)
		return;
	o = json_object();
	json_put_text(o, "job", job_name(v->kind));
	json_put_text(o, "tenant_id", v->account->tenant->id);
	json_put_text(o, "account_id", v->account->id);
	json_put_text(o, "result", v->is_running ? "running" : !v->was_run ? "waits" : v->ok ? "ok" : "failed");
	json_put_time(o, "at", v->was_run ? v->at_ms : 0);
	json_put_int(o, "next_s", v->next_ms / 1000);
	json_put_text(o, "words", *v->words ? v->words : NULL);
	json_array_append_new(l->jobs, o);
}

void on_job_list(struct admin *a, struct http_call *c)
{
	struct listing l = { json_array(), http_call_query(c, "tenant") };
	json_t *o = json_object();

	jobs_each(a->jobs, add, &l);
	json_object_set_new(o, "jobs", l.jobs);
	reply_json(c, 200, o);
}

/* ---- one, now ---- */

static void on_client_gone(void *arg)
{
	*(struct http_call **)arg = NULL;
}

static void on_done(void *arg, bool ok, const char *words)
{
	struct http_call **call = arg;
	json_t *o;

	if (*call) {
		http_call_on_gone(*call, NULL, NULL);
		o = json_object();
		json_object_set_new(o, "ok", json_boolean(ok));
		json_put_text(o, "words", words);
		reply_json(*call, 200, o);
	}
	free(call);
}

static void run_now(struct admin *a, struct http_call *c, enum job_kind k)
{
	const struct account *account = call_account(a, c);
	struct http_call **call;

	if (!account)
		return;
	call = mem_alloc(sizeof(struct http_call *));
	*call = c;
	http_call_on_gone(c, on_client_gone, call);
	if (jobs_run_now(a->jobs, k, tenant_account(account->tenant, account->id), on_done, call))
		return;
	http_call_on_gone(c, NULL, NULL);
	free(call);
	reply_problem(c, 409, "job_runs", "it is being done at this moment");
}

void on_token_check(struct admin *a, struct http_call *c)
{
	run_now(a, c, JOB_TOKEN_CHECK);
}

void on_token_refresh(struct admin *a, struct http_call *c)
{
	run_now(a, c, JOB_TOKEN_REFRESH);
}
