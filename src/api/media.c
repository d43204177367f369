/* media show and delete: a file on this machine, the ids that Graph gave for it, and what Graph says of one. */
#include "api/media_reply.h"
#include "api/reply.h"
#include "base/mem.h"
#include "flow/keys.h"
#include "flow/media_ref.h"
#include "graph/media.h"

enum { PATIENCE_MS = 10000 };

struct question {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct tenant *tenant;
	const struct account *account;	/* whose id at Graph is meant, too; NULL: none */
	bool is_delete, is_tenants;	/* is_tenants: it asks itself, by the HTTP API */
	char ref[MEDIA_REF_MAX + 1], id[GRAPH_ID_MAX + 1];	/* id: Graph's, "": none is known */
	struct spool_file file;
	bool is_here, has_file;		/* has_file: ref is not Graph's own id */
	const struct account **accounts;	/* whose ids are asked for */
	int n_accounts;
	json_t *answer;
};

static void end(struct question *q)
{
	json_decref(q->answer);
	free(q->accounts);
	free(q);
}

static void problem(struct question *q, int status, const char *code, const char *detail)
{
	if (q->call)
		reply_problem(q->call, status, code, detail);
	end(q);
}

static void on_gone(void *arg)
{
	((struct question *)arg)->call = NULL;
}

static void reply(struct question *q)
{
	if (q->call)
		reply_json(q->call, 200, json_incref(q->answer));
	end(q);
}

static void ask_redis(struct question *q, const struct store_arg *args, int n, store_reply_f *done)
{
	if (store_command(q->a->store, args, n, done, q) < 0)
		problem(q, 503, "store_away", "Redis does not answer");
}

static bool is_no_answer(struct question *q, const struct store_reply *r)
{
	if (r && !r->error)
		return false;
	problem(q, 503, "store_away", "Redis does not answer");
	return true;
}

/* ---- Graph ---- */

static void on_told(void *arg, const struct store_reply *r)
{
	(void)arg;
	(void)r;			/* else the first message that uses the id finds out */
}

static void forget_id(const struct question *q)
{
	char key[KEY_TEXT_MAX];

	key_media_id(q->a->conf, q->account, q->file.sha, key);
	if (store_script(q->a->store, SCRIPT_RELEASE, 1, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(q->id) }, 2, on_told, NULL) < 0)
		return;
}

static void on_graph(void *arg, const struct graph_reply *r)
{
	struct question *q = arg;

	if (r->word != GRAPH_OK) {
		if (q->call)
			reply_graph_problem(q->call, r);
		end(q);
		return;
	}
	if (q->is_delete && q->has_file)
		forget_id(q);
	json_object_set(q->answer, "graph", r->json);
	reply(q);
}

static void ask_graph(struct question *q)
{
	struct graph_for who = { q->account, PATIENCE_MS, on_graph, q };

	json_put_text(q->answer, "account_id", q->account->id);
	json_put_text(q->answer, "media_id", q->id);
	if (q->is_delete)
		graph_media_delete(q->a->graph, &who, q->id);
	else
		graph_media_fetch(q->a->graph, &who, q->id);
}

/* ---- a file of ours ---- */

static void put_ids(struct question *q, const struct store_reply *r)
{
	json_t *ids = json_array();

	for (int i = 0; i < r->n && i < q->n_accounts; i++) {
		json_t *o;

		if (r->v[i].kind != STORE_TEXT)
			continue;
		if (q->accounts[i] == q->account)
			snprintf(q->id, sizeof(q->id), "%.*s", GRAPH_ID_MAX, r->v[i].s);
		o = json_object();
		json_put_text(o, "account_id", q->accounts[i]->id);
		json_put_text(o, "phone_number_id", q->accounts[i]->phone_number_id);
		json_put_text(o, "media_id", r->v[i].s);
		json_array_append_new(ids, o);
	}
	json_object_set_new(q->answer, "ids", ids);
}

/* Graph keeps the file under its id until that ends; nobody here uses it any more. */
static void forget_all_ids(const struct question *q)
{
	char key[KEY_TEXT_MAX];

	for (int i = 0; i < q->n_accounts; i++) {
		key_media_id(q->a->conf, q->accounts[i], q->file.sha, key);
		if (store_command(q->a->store, (struct store_arg[]){ STORE_ARG("DEL"), STORE_ARG(key) }, 2, on_told, NULL) < 0)
			return;
	}
}

/* false: it is answered. */
static bool remove_file(struct question *q)
{
	struct strbuf why = STRBUF_INIT;
	enum spool_word word = q->is_here ? spool_remove(q->a->spool, q->tenant->id, q->file.sha, &why) : SPOOL_OK;
	char key[KEY_TEXT_MAX];

	if (word != SPOOL_OK) {
		if (q->call)
			reply_spool_problem(q->call, word, why.buf);
		end(q);
	} else if (media_ref_kind(q->ref) == MEDIA_REF_HANDLE) {
		key_media_handle(q->a->conf, q->tenant, q->ref, key);
		if (store_command(q->a->store, (struct store_arg[]){ STORE_ARG("DEL"), STORE_ARG(key) }, 2, on_told, NULL) < 0)
			strbuf_reset(&why);	/* it ends by itself */
	}
	strbuf_release(&why);
	return word == SPOOL_OK;
}

static void on_ids(void *arg, const struct store_reply *r)
{
	struct question *q = arg;

	if (is_no_answer(q, r))
		return;
	put_ids(q, r);
	if (!q->is_here && json_array_size(json_object_get(q->answer, "ids")) == 0) {
		problem(q, 404, "media_not_here", "the file is not on this machine, and no id of Graph's is known for it");
		return;
	}
	if (q->is_delete && !remove_file(q))
		return;
	if (q->is_delete && q->is_tenants)
		forget_all_ids(q);
	if (q->account && *q->id)
		ask_graph(q);
	else
		reply(q);
}

static void ask_for_ids(struct question *q)
{
	const struct tenant *t = q->tenant;
	char (*keys)[KEY_TEXT_MAX] = mem_array((size_t)t->n_accounts + 1, sizeof(*keys));
	struct store_arg *args = mem_array((size_t)t->n_accounts + 1, sizeof(*args));

	q->accounts = mem_array((size_t)t->n_accounts + 1, sizeof(*q->accounts));
	args[0] = STORE_ARG("MGET");
	for (int i = 0; i < t->n_accounts; i++) {
		q->accounts[q->n_accounts] = t->accounts[i];
		key_media_id(q->a->conf, t->accounts[i], q->file.sha, keys[i]);
		args[++q->n_accounts] = STORE_ARG(keys[i]);
	}
	ask_redis(q, args, q->n_accounts + 1, on_ids);
	free(args);
	free(keys);
}

static void look(struct question *q)
{
	struct spool_file f;

	q->is_here = spool_open(q->a->spool, q->tenant->id, q->file.sha, NULL, &f, NULL) == SPOOL_OK;
	if (q->is_here)
		q->file = f;
	if (q->is_here || *q->file.mime)
		media_put_file(q->answer, q->tenant, &q->file);
	else
		json_put_text(q->answer, "sha256", q->file.sha);
	json_object_set_new(q->answer, "here", json_boolean(q->is_here));
	if (q->is_here) {
		json_put_time(q->answer, "since", q->file.since_ms);
		json_put_time(q->answer, "last_used", q->file.used_ms);
	}
	if (q->call && q->is_delete && !q->is_tenants)
		media_tell_operator(q->call, "media_delete", q->tenant->id, q->file.sha);
	if (q->tenant->n_accounts > 0)
		ask_for_ids(q);
	else
		on_ids(q, &(struct store_reply){ .n = 0 });
}

static void on_handle(void *arg, const struct store_reply *r)
{
	struct question *q = arg;

	if (is_no_answer(q, r))
		return;
	if (r->n < 1 || r->v[0].kind != STORE_TEXT || media_handle_read(r->v[0].s, &q->file) < 0)
		problem(q, 404, "media_not_here", "no file of this tenant has this handle, or it was not used for media.spool_age");
	else
		look(q);
}

static void start(struct question *q)
{
	char key[KEY_TEXT_MAX];

	switch (media_ref_kind(q->ref)) {
	case MEDIA_REF_SHA:
		snprintf(q->file.sha, sizeof(q->file.sha), "%s", media_ref_sha(q->ref));
		look(q);
		return;
	case MEDIA_REF_HANDLE:
		key_media_handle(q->a->conf, q->tenant, q->ref, key);
		ask_redis(q, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_handle);
		return;
	case MEDIA_REF_BAD:
		break;
	}
	if (q->is_tenants) {
		problem(q, 404, "media_not_here", "no file of this tenant has this handle or digest");
		return;
	}
	if (!graph_id_is_good(q->ref) || !q->account) {
		problem(q, 400, "bad_request", "ref: allowed sha256: and 64 hex digits, a handle, or with an account an id of Graph's");
		return;
	}
	q->has_file = false;
	snprintf(q->id, sizeof(q->id), "%.*s", GRAPH_ID_MAX, q->ref);
	ask_graph(q);
}

static void set_ref(struct question *q, const char *ref)
{
	size_t n = ref ? strlen(ref) : 0;

	if (q->is_tenants && n == MEDIA_SHA_LEN)
		snprintf(q->ref, sizeof(q->ref), "sha256:%.*s", MEDIA_SHA_LEN, ref);
	else if (n && n <= MEDIA_REF_MAX)
		snprintf(q->ref, sizeof(q->ref), "%.*s", MEDIA_REF_MAX, ref);
}

static void ask(struct admin *a, struct http_call *c, bool is_delete)
{
	const struct tenant *t = call_tenant(a, c);
	bool names_account = !a->asked && http_call_query(c, "account");
	const struct account *account = t && names_account ? call_account(a, c) : NULL;
	struct question *q;

	if (!t || (names_account && !account))
		return;
	q = mem_alloc(sizeof(*q));
	*q = (struct question){ .a = a, .call = c, .tenant = t, .account = account, .is_delete = is_delete, .is_tenants = a->asked,
				.has_file = true, .answer = json_object() };
	set_ref(q, a->asked ? a->asked->name : http_call_query(c, "ref"));
	http_call_on_gone(c, on_gone, q);
	start(q);
}

void on_media_show(struct admin *a, struct http_call *c)
{
	ask(a, c, false);
}

void on_media_delete(struct admin *a, struct http_call *c)
{
	ask(a, c, true);
}
