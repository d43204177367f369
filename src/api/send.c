/* send: one message of an operator's, checked as the queue would check it, and answered when the broker has it. */
#include "api/handlers.h"
#include "api/post_item.h"
#include "api/reply.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "flow/keys.h"
#include "flow/template_fit.h"

enum {
	DEADLINE_MS = 10000,
	UP_WAIT_MS = 3000,	/* a keeper that has just begun, as after a reload, is not connected yet */
	UP_LOOK_MS = 20,
	LANGUAGES_MAX = 16,
};

static const char fits[] = "fits", not_known[] = "not_in_catalogue", not_checked[] = "not_checked";

struct sending {
	struct admin *a;
	struct http_call *call;		/* NULL: answered, or the client has gone */
	const struct tenant *tenant;
	const struct account *account;
	struct message m;
	struct post_item item;
	struct loop_timer deadline;	/* of the broker's word; what it says later changes nothing in what was answered */
	struct loop_timer look;		/* whether the broker is there */
	mono_t up_until;
	int64_t began_ms;		/* Unix time */
	bool is_dry_run;
	const char *template_word;	/* what came of its template, NULL: it has none */
	struct strbuf warnings;
	const char *languages[LANGUAGES_MAX];	/* in which it was looked for */
	int n_languages;
	char who[OPERATOR_MAX];
};

static void end(struct sending *s)
{
	loop_timer_stop(s->a->loop, &s->deadline);
	loop_timer_stop(s->a->loop, &s->look);
	message_release(&s->m);
	post_item_release(&s->item);
	strbuf_release(&s->warnings);
	free(s);
}

static void on_client_gone(void *arg)
{
	((struct sending *)arg)->call = NULL;
}

/* ---- answers ---- */

static void answer_problem(struct sending *s, int status, const char *code, const char *detail)
{
	if (s->call)
		reply_problem(s->call, status, code, detail);
	s->call = NULL;
}

static void refuse(struct sending *s)
{
	answer_problem(s, s->item.status, s->item.code, s->item.why.buf);
	end(s);
}

/* The id makes a second try the same message. */
static void answer_not_queued(struct sending *s, const char *code)
{
	struct strbuf why = STRBUF_INIT;

	strbuf_addf(&why, "the message is not known to be on the queue; sent again with the id %s, it is sent once", s->item.id);
	answer_problem(s, 503, code, why.buf);
	strbuf_release(&why);
}

static json_t *facts(const struct sending *s)
{
	json_t *o = json_object();

	json_put_text(o, "id", s->item.id);
	if (strcmp(s->item.key, s->item.id) != 0)
		json_put_text(o, "idempotency_key", s->item.key);
	json_put_text(o, "tenant_id", s->tenant->id);
	json_put_text(o, "account_id", s->account->id);
	json_put_text(o, "type", s->m.type);
	json_put_text(o, "digest", s->item.digest);
	json_put_text(o, "template", s->template_word);
	json_put_text(o, "warnings", s->warnings.len ? s->warnings.buf : NULL);
	return o;
}

static void answer(struct sending *s, int status, json_t *o)
{
	if (s->call)
		reply_json(s->call, status, o);
	else
		json_decref(o);
	end(s);
}

static void answer_dry_run(struct sending *s)
{
	const struct conf *c = s->a->conf;
	json_t *o = facts(s);

	json_object_set_new(o, "dry_run", json_true());
	json_put_text(o, "exchange", c->amqp_exchange);
	json_put_text(o, "routing_key", c->amqp_key);
	json_object_set(o, "message", s->m.root);
	answer(s, 200, o);
}

/* ---- on the queue ---- */

static void answer_queued(struct sending *s)
{
	json_t *o = facts(s);

	json_put_text(o, "status", "queued");
	json_put_time(o, "asked_at", s->began_ms);
	answer(s, 202, o);
}

static void on_marked(void *arg, const struct store_reply *r UNUSED)
{
	answer_queued(arg);		/* Redis away: it is on the queue all the same */
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct sending *s = arg;
	const char *failure = post_item_failure(s->a->conf, s->a->publisher, fate);

	loop_timer_stop(s->a->loop, &s->deadline);	/* Redis has one of its own */
	if (failure) {
		answer_not_queued(s, failure);
		end(s);
		return;
	}
	log_notice("operator", "%s command=send tenant=%s id=%s", s->who, s->tenant->id, s->item.id);
	if (!post_item_mark(&s->item, s->a->conf, s->tenant, s->a->store, on_marked, s))
		answer_queued(s);
}

static void on_deadline(void *arg)
{
	answer_not_queued(arg, "not_confirmed");
}

static void publish(struct sending *s)
{
	struct broker *b = s->a->publisher;
	const char *failure = broker_is_blocked(b) ? "broker_blocked" : !broker_is_up(b) ? "broker_away" : NULL;

	if (!broker_is_up(b) && mono_before(mono_now(), s->up_until)) {
		loop_timer_set(s->a->loop, &s->look, UP_LOOK_MS);
		return;
	}
	if (failure || post_item_publish(&s->item, s->a->conf, b, on_fate, s) < 0) {
		answer_not_queued(s, failure ? failure : "broker_away");
		end(s);
		return;
	}
	loop_timer_set(s->a->loop, &s->deadline, DEADLINE_MS);
}

/* ---- its template, as the catalogue has it ---- */

static void hold_against(struct sending *s, const json_t *definition, const char *language)
{
	struct strbuf why = STRBUF_INIT;
	struct template_def *def = template_compile(definition, &why);
	enum reason r = REASON_NONE;
	json_t *out = NULL;

	if (def) {
		r = template_fit(s->a->conf, def, s->m.outgoing, language, &out, &why, &s->warnings);
		s->template_word = fits;
	}
	if (r != REASON_NONE)
		post_item_refuse(&s->item, 422, reason_code(r), why.buf);
	json_decref(out);
	template_free(&def);
	strbuf_release(&why);
}

/* The first language in which there is one. */
static void take_definition(struct sending *s, const struct store_reply *r)
{
	json_t *definition = NULL;

	for (int i = 0; i < r->n && i < s->n_languages && !definition; i++) {
		if (!r->v[i].s || json_parse(r->v[i].s, r->v[i].len, &definition, NULL) != JSON_OK)
			continue;
		s->template_word = not_checked;
		hold_against(s, definition, s->languages[i]);
	}
	json_decref(definition);
}

static void go_on(struct sending *s)
{
	if (s->item.state == ITEM_REFUSED)
		refuse(s);
	else if (s->is_dry_run)
		answer_dry_run(s);
	else if (!s->call)
		end(s);			/* who asked has gone, and nothing has happened yet */
	else
		publish(s);
}

static void on_look(void *arg)
{
	go_on(arg);
}

static void on_definitions(void *arg, const struct store_reply *r)
{
	struct sending *s = arg;

	s->template_word = r && !r->error ? not_known : not_checked;
	if (r && !r->error)
		take_definition(s, r);
	go_on(s);
}

/* false: nobody is asked.  Of what the catalogue has not got the senders ask Graph. */
static bool ask_for_definitions(struct sending *s)
{
	const struct conf *c = s->a->conf;
	const char *name = message_template(&s->m), *language = message_language(&s->m);
	struct store_arg args[2 + LANGUAGES_MAX];
	struct strbuf fields[LANGUAGES_MAX];
	char key[KEY_TEXT_MAX];
	bool asked;

	if (!name || !language)
		return false;
	s->template_word = not_checked;
	if (!template_is_short(s->m.outgoing) && !c->template_validate)
		return false;
	s->languages[s->n_languages++] = language;
	for (int i = 0; i < c->template_languages.n && s->n_languages < LANGUAGES_MAX; i++)
		s->languages[s->n_languages++] = c->template_languages.v[i];
	key_templates(c, s->account, key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int i = 0; i < s->n_languages; i++) {
		strbuf_init(&fields[i]);
		strbuf_addf(&fields[i], "%s/%s", name, s->languages[i]);
		args[2 + i] = (struct store_arg){ fields[i].buf, fields[i].len };
	}
	asked = store_command(s->a->store, args, 2 + s->n_languages, on_definitions, s) == 0;
	for (int i = 0; i < s->n_languages; i++)
		strbuf_release(&fields[i]);
	return asked;
}

/* ---- the call ---- */

static void read_message(struct sending *s)
{
	char made[UUID_LEN + 1];
	struct strbuf why = STRBUF_INIT;
	struct post_frame frame = { .conf = s->a->conf, .tenant = s->tenant, .other_tenant = "the message is another tenant's", .made_id = made };
	json_t *o = NULL;
	size_t len;
	const char *body = http_call_body(s->call, &len);
	bool is_large = len > (size_t)s->a->conf->amqp_body_max;
	enum json_verdict v = is_large ? JSON_TOO_LARGE : json_parse_large(body, len, JSON_NODES_MAX, &o, &why);

	uuid_v7(made);
	if (is_large)
		strbuf_setf(&why, "found %zu bytes, allowed %lld (amqp.message_max)", len, (long long)s->a->conf->amqp_body_max);
	if (v == JSON_OK)
		post_item_read(&s->item, &frame, o, &s->m, &s->account);
	else
		post_item_refuse(&s->item, v == JSON_TOO_LARGE ? 413 : 400, post_item_json_code(v), why.buf);
	json_decref(o);
	strbuf_release(&why);
}

void on_send(struct admin *a, struct http_call *c)
{
	const struct tenant *t = call_tenant(a, c);
	struct sending *s;

	if (!t)
		return;
	s = mem_alloc(sizeof(*s));
	*s = (struct sending){ .a = a, .call = c, .tenant = t, .began_ms = wall_ms(), .is_dry_run = http_call_query(c, "dry-run") != NULL };
	post_item_init(&s->item);
	strbuf_init(&s->warnings);
	loop_timer_init(&s->deadline, on_deadline, s);
	loop_timer_init(&s->look, on_look, s);
	s->up_until = mono_add_ms(mono_now(), UP_WAIT_MS);
	call_operator(c, s->who);
	http_call_on_gone(c, on_client_gone, s);
	read_message(s);
	if (s->item.state == ITEM_REFUSED || !ask_for_definitions(s))
		go_on(s);
}
