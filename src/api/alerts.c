/* The alerts that are active: the newest of the index, and what the record of each says. */
#include "api/alert_view.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"

enum { LIMIT = 200, LIMIT_MAX = 1000 };

struct listing {
	struct admin *a;
	struct http_call *call;		/* NULL: the client has gone */
	const struct tenant *tenant;	/* only of this one; NULL: all */
	json_t *list;
	char **members;			/* newest first */
	int n, answered;
	bool failed;
};

static void on_client_gone(void *arg)
{
	((struct listing *)arg)->call = NULL;
}

static void end(struct listing *l)
{
	json_t *o;

	if (l->call && l->failed) {
		reply_problem(l->call, 503, "store_away", "Redis does not answer");
	} else if (l->call) {
		o = json_object();
		json_object_set(o, "alerts", l->list);
		reply_json(l->call, 200, o);
	}
	for (int i = 0; i < l->n; i++)
		free(l->members[i]);
	free(l->members);
	json_decref(l->list);
	free(l);
}

static bool is_bad(struct listing *l, const struct store_reply *r)
{
	if (r && r->error)
		log_error("script_failed", "command=alert_list %s", r->error);
	l->failed |= !r || r->error;
	return l->failed;
}

/* One connection answers in the order in which it was asked. */
static void on_record(void *arg, const struct store_reply *r)
{
	struct listing *l = arg;
	const char *member = l->members[l->answered++];
	json_t *o = is_bad(l, r) ? NULL : alert_view(member, r);

	if (o && l->tenant && strcmp(l->tenant->id, json_text(o, "tenant_id") ? json_text(o, "tenant_id") : "") != 0) {
		json_decref(o);
		o = NULL;
	}
	if (o)
		json_array_append_new(l->list, o);
	if (l->answered == l->n)
		end(l);
}

static int ask(struct listing *l, const char *member)
{
	struct store_arg args[2 + ALERT_FIELDS];
	char key[KEY_TEXT_MAX];

	key_alert_of_member(l->a->conf, member, key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int i = 0; i < ALERT_FIELDS; i++)
		args[2 + i] = STORE_ARG(alert_field(i));
	return store_command(l->a->store, args, 2 + ALERT_FIELDS, on_record, l);
}

static void on_index(void *arg, const struct store_reply *r)
{
	struct listing *l = arg;
	int n = is_bad(l, r) ? 0 : r->n;

	l->members = mem_array((size_t)n + 1, sizeof(*l->members));
	for (int i = 0; i < n; i++)
		if (r->v[i].s)
			l->members[l->n++] = mem_strdup(r->v[i].s);
	for (int i = 0; i < l->n; i++)
		if (ask(l, l->members[i]) < 0) {	/* Redis went away: what was asked gets no answer any more, but NULL */
			l->failed = true;
			for (int k = i; k < l->n; k++)
				free(l->members[k]);
			l->n = i;
		}
	if (l->answered == l->n)
		end(l);
}

/* false: the problem is answered. */
static bool read_call(struct listing *l, int64_t *limit)
{
	const char *text = http_call_query(l->call, "limit");

	*limit = LIMIT;
	if (text && (parse_i64(text, limit) < 0 || *limit < 1 || *limit > LIMIT_MAX)) {
		reply_problem(l->call, 400, "bad_request", "limit: allowed 1 to 1000");
		return false;
	}
	if (!http_call_query(l->call, "tenant"))
		return true;
	l->tenant = call_tenant(l->a, l->call);
	return l->tenant;
}

void on_alert_list(struct admin *a, struct http_call *c)
{
	struct listing *l = mem_alloc(sizeof(*l));
	char index[KEY_TEXT_MAX], last[24];
	int64_t limit;

	*l = (struct listing){ .a = a, .call = c };
	if (!read_call(l, &limit)) {
		free(l);
		return;
	}
	l->list = json_array();
	http_call_on_gone(c, on_client_gone, l);
	key_alert_index(a->conf, index);
	snprintf(last, sizeof(last), "%d", (int)limit - 1);
	if (store_command(a->store, (struct store_arg[]){ STORE_ARG("ZREVRANGE"), STORE_ARG(index), STORE_ARG("0"), STORE_ARG(last) }, 4,
			  on_index, l) == 0)
		return;
	l->failed = true;
	end(l);
}
