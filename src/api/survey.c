#include "api/survey.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"
#include "flow/lane.h"

enum { BITE = 500 };

int64_t survey_now_ms(const struct survey *s)
{
	return wall_ms() + s->clock_ms;
}

void survey_tell(struct survey *s, json_t *item)
{
	if (s->kind->list && s->n_told++)
		strbuf_addc(&s->body, ',');
	json_dump_to(item, JSON_COMPACT, &s->body);
	json_decref(item);
}

const char *survey_hold(const struct survey *s, const struct tenant *of_domain, const char *field)
{
	return json_text(json_object_get(s->holds, of_domain->domain), field);
}

/* ---- the end ---- */

static void survey_free(struct survey *s)
{
	lane_count_free(&s->count);
	for (int i = 0; i < s->n_lanes; i++)
		json_decref(s->told[i]);
	list_del(&s->list);
	free(s->lanes);
	free(s->told);
	free(s->domains);
	free(s->accounts);
	json_decref(s->holds);
	strbuf_release(&s->body);
	free(s);
}

void surveys_free(struct admin *a)
{
	while (!list_is_empty(&a->surveys))
		survey_free(CONTAINER_OF(a->surveys.next, struct survey, list));
}

static void end(struct survey *s, bool ok)
{
	survey_done_f *done = s->done;
	void *arg = s->arg;

	survey_free(s);
	if (done)
		done(arg, ok);
}

static void answer(struct survey *s)
{
	if (s->kind->list)
		strbuf_adds(&s->body, "]}");
	strbuf_addc(&s->body, '\n');
	if (s->call)
		http_answer(s->call, 200, "application/json", s->body.buf, s->body.len);
	end(s, true);
}

static void end_failed(struct survey *s)
{
	if (s->call && !strcmp(s->failed, "broker_away"))
		reply_problem(s->call, 503, s->failed, "the broker cannot be asked what waits in the lanes");
	else if (s->call)
		reply_problem(s->call, 503, s->failed, "Redis does not answer");
	end(s, false);
}

/* ---- lanes: what waits in them, of the broker ---- */

static void on_counted(void *arg, bool ok)
{
	struct survey *s = arg;

	for (int i = 0; ok && i < s->n_lanes; i++) {
		json_put_int(s->told[i], "waiting_normal", s->lanes[i].normal);
		json_put_int(s->told[i], "waiting_high", s->lanes[i].high);
		survey_tell(s, json_incref(s->told[i]));
	}
	if (ok) {
		answer(s);
	} else {
		s->failed = "broker_away";
		end_failed(s);
	}
}

static void keep_lane(struct survey *s, const struct account *a, json_t *item)
{
	if (!s->lanes) {
		s->lanes = mem_array((size_t)s->n_accounts, sizeof(*s->lanes));
		s->told = mem_array((size_t)s->n_accounts, sizeof(*s->told));
	}
	s->lanes[s->n_lanes].account = a;
	s->told[s->n_lanes++] = item;
}

/* ---- asking Redis, a bite at a time ---- */

static void next_stage(struct survey *s);
static void go_on(struct survey *s);

/* One connection answers in the order in which it was asked: the answer is that of number s->answered. */
static int index_of_answer(struct survey *s)
{
	return s->answered++;
}

static bool is_bad(struct survey *s, const struct store_reply *r)
{
	if (r && !r->error)
		return s->failed != NULL;
	if (r)
		log_error("script_failed", "command=survey %s", r->error);
	s->failed = "store_away";
	return true;
}

static void on_time(void *arg, const struct store_reply *r)
{
	struct survey *s = arg;

	s->answered++;
	if (!is_bad(s, r) && r->n == 2)
		s->clock_ms = r->v[0].i * 1000 + r->v[1].i / 1000 - wall_ms();
	go_on(s);
}

/* Those that concern accounts: a template's, recipient's or priority's is not looked for. */
void survey_keep_holds(struct survey *s, const struct tenant *of_domain, const struct store_reply *r)
{
	json_t *fields = json_object();

	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && r->v[i + 1].s && !strchr("prq", r->v[i].s[0]))
			json_put_text(fields, r->v[i].s, r->v[i + 1].s);
	json_object_set_new(s->holds, of_domain->domain, fields);
}

static void on_holds(void *arg, const struct store_reply *r)
{
	struct survey *s = arg;
	int i = index_of_answer(s);

	if (!is_bad(s, r) && s->kind->take_holds)
		s->kind->take_holds(s, s->domains[i], r);
	else if (!s->failed)
		survey_keep_holds(s, s->domains[i], r);
	go_on(s);
}

static void on_account(void *arg, const struct store_reply *r)
{
	struct survey *s = arg;
	int i = index_of_answer(s);
	char limit[HOLD_FIELD_MAX];
	json_t *item;

	if (!is_bad(s, r)) {
		limit_field(s->accounts[i], limit);
		item = s->kind->take(s, &(struct gate_view){ .conf = s->a->conf, .account = s->accounts[i], .v = r->v, .n = r->n,
							     .limit = survey_hold(s, s->accounts[i]->tenant, limit), .now_ms = survey_now_ms(s) });
		if (item && s->kind->counts_lanes)
			keep_lane(s, s->accounts[i], item);
		else if (item)
			survey_tell(s, item);
	}
	go_on(s);
}

static int ask_holds(struct survey *s, int i)
{
	char key[KEY_TEXT_MAX];

	key_holds(s->a->conf, s->domains[i], key);
	return store_command(s->a->store, (struct store_arg[]){ STORE_ARG("HGETALL"), STORE_ARG(key) }, 2, on_holds, s);
}

static int ask_account(struct survey *s, int i)
{
	struct store_arg args[2 + GATE_FIELDS + GATE_CELLS];
	int n_fields = GATE_FIELDS + (s->kind->cells ? GATE_CELLS : 0);
	char key[KEY_TEXT_MAX], names[GATE_FIELDS + GATE_CELLS][16];

	key_account(s->a->conf, s->accounts[i], key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int k = 0; k < n_fields; k++) {
		gate_field_name(k, names[k]);
		args[2 + k] = STORE_ARG(names[k]);
	}
	return store_command(s->a->store, args, 2 + n_fields, on_account, s);
}

static int ask(struct survey *s, int i)
{
	switch (s->stage) {
	case SURVEY_CLOCK:
		return store_command(s->a->store, (struct store_arg[]){ STORE_ARG("TIME") }, 1, on_time, s);
	case SURVEY_HOLDS:
		return ask_holds(s, i);
	case SURVEY_ACCOUNTS:
		return ask_account(s, i);
	case SURVEY_LANES:
		break;
	}
	BUG("a survey asks Redis about lanes");
}

static int size_of_stage(const struct survey *s)
{
	switch (s->stage) {
	case SURVEY_CLOCK:
		return 1;
	case SURVEY_HOLDS:
		return s->kind->holds ? s->n_domains : 0;
	case SURVEY_ACCOUNTS:
		return s->kind->accounts ? s->n_accounts : 0;
	case SURVEY_LANES:
		break;
	}
	return 0;
}

/* Called when something was answered: nothing happens until the whole bite is. */
static void go_on(struct survey *s)
{
	int all = size_of_stage(s);

	if (s->answered < s->asked)
		return;
	if (!s->failed && s->asked == all) {
		next_stage(s);
		return;
	}
	for (int n = 0; n < BITE && s->asked < all && !s->failed; n++) {
		if (ask(s, s->asked) < 0)
			s->failed = "store_away";
		else
			s->asked++;
	}
	if (s->failed && s->answered == s->asked)
		end_failed(s);
}

static void next_stage(struct survey *s)
{
	s->asked = s->answered = 0;
	switch (s->stage) {
	case SURVEY_CLOCK:
		s->stage = SURVEY_HOLDS;
		go_on(s);
		return;
	case SURVEY_HOLDS:
		s->stage = SURVEY_ACCOUNTS;
		go_on(s);
		return;
	case SURVEY_ACCOUNTS:
		s->stage = SURVEY_LANES;
		if (s->n_lanes)
			s->count = lane_count_new(s->a->loop, s->a->conf, s->lanes, s->n_lanes, on_counted, s);
		else
			answer(s);
		return;
	case SURVEY_LANES:
		break;
	}
	BUG("a survey goes on behind its end");
}

/* ---- the beginning ---- */

static void on_client_gone(void *arg)
{
	((struct survey *)arg)->call = NULL;
}

static void add_tenant(struct survey *s, const struct tenant *t)
{
	if (!json_object_get(s->holds, t->domain)) {
		json_object_set_new(s->holds, t->domain, json_object());
		s->domains[s->n_domains++] = t;
	}
	for (int i = 0; i < t->n_accounts; i++)
		s->accounts[s->n_accounts++] = t->accounts[i];
}

static struct survey *survey_new(struct admin *a, struct http_call *c, const struct survey_kind *kind)
{
	struct survey *s = mem_alloc(sizeof(*s));

	*s = (struct survey){ .a = a, .call = c, .kind = kind, .holds = json_object() };
	list_add_tail(&a->surveys, &s->list);
	strbuf_init(&s->body);
	s->domains = mem_array((size_t)tenant_set_size(a->conf->tenants) + 1, sizeof(*s->domains));
	s->accounts = mem_array((size_t)a->conf->tenants->n_accounts + 1, sizeof(*s->accounts));
	if (kind->list)
		strbuf_addf(&s->body, "{\"%s\":[", kind->list);
	if (c)
		http_call_on_gone(c, on_client_gone, s);
	return s;
}

void survey_start(struct admin *a, struct http_call *c, const struct survey_kind *kind)
{
	const struct tenant *t = NULL;
	struct survey *s;

	if (a->asked || http_call_query(c, "tenant")) {
		t = call_tenant(a, c);
		if (!t)
			return;
	}
	s = survey_new(a, c, kind);
	s->tenant = t;
	for (int i = 0; i < tenant_set_size(a->conf->tenants); i++)
		if (!t || t == tenant_set_at(a->conf->tenants, i))
			add_tenant(s, tenant_set_at(a->conf->tenants, i));
	go_on(s);
}

void survey_start_own(struct admin *a, const struct survey_kind *kind, survey_done_f *done, void *arg)
{
	struct survey *s = survey_new(a, NULL, kind);

	s->done = done;
	s->arg = arg;
	for (int i = 0; i < tenant_set_size(a->conf->tenants); i++)
		add_tenant(s, tenant_set_at(a->conf->tenants, i));
	go_on(s);
}

void survey_start_one(struct admin *a, struct http_call *c, const struct survey_kind *kind)
{
	const struct account *account = call_account(a, c);
	struct survey *s;

	if (!account)
		return;
	s = survey_new(a, c, kind);
	s->domains[s->n_domains++] = account->tenant;
	s->accounts[s->n_accounts++] = account;
	go_on(s);
}
