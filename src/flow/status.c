#include "flow/status.h"

#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "flow/late.h"
#include "flow/topology.h"
#include "msg/event.h"

enum { PUBLISH_MS = 10000, AGAIN_MS = 100, PATIENCE_MS = 15000, PARKED_AGAIN_MS = 1000, KEYS = 7 };
static const int64_t evidence_ttl_ms = 35LL * 86400 * 1000;

struct statuses {
	struct statuses_options o;
	struct list takes;
};

/* One status on its way.  Its texts are in json, which stands for the webhook's own. */
struct take {
	struct list list;
	struct statuses *s;
	const struct account *account;
	struct strbuf body;		/* as JSON, for the parked ones */
	json_t *json;
	struct webhook_status w;
	uint8_t key[KEY_LEN];
	int attempt;			/* 0: its token tells nothing */
	bool has_key;
	mono_t since;
	struct loop_timer again, end;
	struct late *late;		/* what follows first, where it failed */
	bool is_stored;
	status_done_f *done;
	void *arg;
};

/* ---- the end ---- */

static void on_end(void *arg)
{
	struct take *t = arg;

	list_del(&t->list);
	loop_timer_stop(t->s->o.loop, &t->again);
	loop_timer_stop(t->s->o.loop, &t->end);
	if (t->done && t->is_stored && t->w.at_ms)
		board_observe(t->s->o.slot, HISTOGRAM_WEBHOOK_LAG, (wall_ms() - t->w.at_ms) * 1000);
	late_drop(&t->late);
	if (t->done)
		t->done(t->arg, t->is_stored);
	json_decref(t->json);
	strbuf_release(&t->body);
	free(t);
}

/* Of what was parked Meta has its answer and does not come again. */
static bool is_worth_another(const struct take *t)
{
	return !t->done && mono_diff_ms(mono_now(), t->since) < t->s->o.conf->webhook_parked;
}

static void end(struct take *t, bool is_stored)
{
	if (!is_stored && is_worth_another(t)) {
		loop_timer_set(t->s->o.loop, &t->again, PARKED_AGAIN_MS);
		return;
	}
	t->is_stored = is_stored;
	loop_timer_set(t->s->o.loop, &t->end, 0);
}

/* ---- its texts, kept ---- */

static const char *keep(json_t *o, const char *name, const char *value)
{
	json_put_text(o, name, value);
	return json_text(o, name);
}

static const json_t *share(json_t *o, const char *name, const json_t *value)
{
	if (value)
		json_object_set(o, name, (json_t *)(uintptr_t)value);
	return value;
}

static void copy(struct take *t, const struct webhook_status *w)
{
	json_t *o = t->json = json_object();

	t->w = (struct webhook_status){ .status = w->status, .at_ms = w->at_ms, .code = w->code };
	t->w.wamid = keep(o, "wamid", w->wamid);
	t->w.status_text = keep(o, "status", w->status_text);
	t->w.error_text = keep(o, "error", w->error_text);
	t->w.pricing = share(o, "pricing", w->pricing);
	t->w.conversation = share(o, "conversation", w->conversation);
	json_put_int(o, "at_ms", w->at_ms);
	json_put_int(o, "code", w->code);
	json_dump_to(o, JSON_COMPACT, &t->body);
}

/* What copy() wrote.  false: it is none of ours. */
static bool read_parked(struct webhook_status *w, const json_t *o)
{
	*w = (struct webhook_status){ .wamid = json_text(o, "wamid"), .status_text = json_text(o, "status"), .error_text = json_text(o, "error"),
				      .pricing = json_object_get(o, "pricing"), .conversation = json_object_get(o, "conversation"),
				      .at_ms = json_integer_value(json_object_get(o, "at_ms")), .code = (int)json_integer_value(json_object_get(o, "code")) };
	w->status = message_status_of(w->status_text);
	return w->wamid && w->status_text;
}

/* ---- Redis ---- */

struct arguments {
	char record[KEY_TEXT_MAX], index[KEY_TEXT_MAX], evidence[KEY_TEXT_MAX], parked[KEY_TEXT_MAX], usage[KEY_TEXT_MAX], users[KEY_TEXT_MAX],
	     body[KEY_TEXT_MAX];
	char numbers[12][24], key[2 * KEY_LEN + 1];
	struct store_arg v[24];
	int n, n_numbers;
};

static void add(struct arguments *a, const char *text)
{
	a->v[a->n++] = STORE_ARG(text);
}

static void add_number(struct arguments *a, int64_t v)
{
	char *text = a->numbers[a->n_numbers++];

	if (a->n_numbers > (int)ARRAY_LEN(a->numbers) || a->n >= (int)ARRAY_LEN(a->v))
		BUG("too many arguments");
	a->v[a->n++] = (struct store_arg){ text, format_i64(v, text) };
}

/* Status words may be Meta's newest: as part of a field they are cut to what fits one. */
static void begin(struct arguments *a, const struct take *t, const char *verb)
{
	const struct conf *c = t->s->o.conf;
	const struct tenant *tenant = t->account->tenant;

	a->n = a->n_numbers = 0;
	key_record(c, tenant, t->key, a->record);
	key_wamid(c, tenant, t->w.wamid, a->index);
	key_evidence(c, t->account, a->evidence);
	key_parked(c, tenant, t->w.wamid, a->parked);
	key_template_usage(c, t->account, wall_ms(), a->usage);
	key_users(c, t->account, a->users);
	key_body(c, tenant, t->key, a->body);
	hex_encode(t->key, KEY_LEN, a->key);
	add(a, a->record);
	add(a, a->index);
	add(a, a->evidence);
	add(a, a->parked);
	add(a, a->usage);
	add(a, a->users);
	add(a, a->body);
	add(a, verb);
	add(a, t->w.wamid);
	add(a, t->w.status_text);
}

static void ask(struct take *t);

static void on_again(void *arg)
{
	ask(arg);
}

static void on_told(void *arg, const struct store_reply *r)
{
	struct take *t = arg;

	if (r && r->error)
		log_error("script_failed", "script=status %s", r->error);
	end(t, r && !r->error);
}

static void mark(struct take *t)
{
	struct arguments a;

	begin(&a, t, "told");
	add_number(&a, t->late ? late_attempt(t->late) : t->attempt);
	if (store_script(t->s->o.store, SCRIPT_STATUS, KEYS, a.v, a.n, on_told, t) < 0)
		end(t, false);
}

static void on_fate(void *arg, enum broker_fate fate)
{
	struct take *t = arg;

	if (fate == BROKER_RETURNED)
		board_count(t->s->o.slot, COUNT_UNROUTED);	/* nobody listens: that is no failure */
	if (fate == BROKER_CONFIRMED || fate == BROKER_RETURNED)
		mark(t);
	else
		end(t, false);
}

static void tell(struct take *t, const struct status_news *n)
{
	const char *tenant_id = t->account->tenant->id;
	struct status_event e = { .w = &t->w, .state = n->state, .id = n->id, .account_id = n->account_id, .tenant_id = tenant_id,
				  .context = n->context, .is_duplicate = n->is_duplicate, .next = n->next };
	struct strbuf body = STRBUF_INIT, key = STRBUF_INIT;

	board_count(t->s->o.slot, COUNT_STATUSES);
	if (e.is_duplicate) {
		board_count(t->s->o.slot, COUNT_DUPLICATE);
		log_warn("duplicate_proven", "id=%s tenant=%s account=%s: by a webhook", e.id, tenant_id, e.account_id);
	}
	if (n->was && strcmp(n->was, "sent") != 0 && !n->next) {
		board_count(t->s->o.slot, COUNT_PROVEN);
		log_notice("proven", "id=%s tenant=%s account=%s was=%s: a webhook says that Graph took it", e.id, tenant_id, e.account_id, n->was);
	}
	event_of_webhook(&e, &body);
	strbuf_addf(&key, "status.%s.%.32s", tenant_id, message_status_word(t->w.status) ? t->w.status_text : "other");
	if (broker_publish(t->s->o.publisher, &(struct broker_publish){
		.exchange = t->s->o.conf->amqp_status, .routing_key = key.buf, .mandatory = true, .body = body.buf, .len = body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .timestamp_s = wall_ms() / 1000, .persistent = true },
		.done = on_fate, .arg = t }) < 0)
		end(t, false);
	strbuf_release(&body);
	strbuf_release(&key);
}

/* state was id account context duplicate */
static struct status_news read_news(const struct take *t, const struct store_value *v)
{
	return (struct status_news){ v[0].s, v[1].s, v[2].s, v[3].s, v[4].s ? v[4].s : "", v[5].i != 0,
				     t->w.status == MESSAGE_STATUS_FAILED ? "none" : NULL };
}

/* What follows is out, or known to be. */
static void on_late(void *arg, enum late_end how, const struct status_news *news)
{
	struct take *t = arg;

	if (how == LATE_FOLLOWS)
		tell(t, news);
	else if (how == LATE_CHANGED)
		loop_timer_set(t->s->o.loop, &t->again, AGAIN_MS);
	else
		end(t, false);
}

static void on_taken(void *arg, const struct store_reply *r)
{
	struct take *t = arg;
	const char *word = r && !r->error && r->n >= 1 && r->v[0].s ? r->v[0].s : "";

	if (r && r->error)
		log_error("script_failed", "script=status %s", r->error);
	if (!strcmp(word, "news") && r->n == 7) {
		struct status_news news = read_news(t, &r->v[1]);

		tell(t, &news);
	} else if (!strcmp(word, "late") && r->n == 1 + LATE_PARTS) {
		t->late = late_new(&t->s->o, t->account, t->key, &t->w, &r->v[1]);
		late_go(t->late, on_late, t);
	} else if (!strcmp(word, "busy") && mono_diff_ms(mono_now(), t->since) < PATIENCE_MS) {
		loop_timer_set(t->s->o.loop, &t->again, AGAIN_MS);
	} else if (!strcmp(word, "known")) {
		board_count(t->s->o.slot, COUNT_STATUSES_AGAIN);
		end(t, true);
	} else if (!strcmp(word, "stranger")) {
		board_count(t->s->o.slot, COUNT_STATUSES_STRANGE);
		end(t, true);
	} else if (!strcmp(word, "parked")) {
		board_count(t->s->o.slot, COUNT_STATUSES_PARKED);
		end(t, true);
	} else {
		end(t, false);
	}
}

static void ask(struct take *t)
{
	const struct conf *c = t->s->o.conf;
	struct arguments a;

	late_drop(&t->late);
	begin(&a, t, "take");
	add(&a, t->account->tenant->id);
	add_number(&a, t->attempt);
	add_number(&a, t->w.at_ms);
	add_number(&a, t->w.code);
	add(&a, a.key);
	add_number(&a, c->record_ttl);
	add_number(&a, KEY_WAMID_TTL_MS);
	add_number(&a, PUBLISH_MS);
	add_number(&a, c->webhook_parked);
	add(&a, t->body.buf);
	add_number(&a, evidence_ttl_ms);
	add_number(&a, KEY_USAGE_TTL_MS);
	if (store_script(t->s->o.store, SCRIPT_STATUS, KEYS, a.v, a.n, on_taken, t) < 0)
		end(t, false);
}

/* "K": the WAMID is known.  Nothing: parked, under a record that is none. */
static void on_index(void *arg, const struct store_reply *r)
{
	struct take *t = arg;

	if (!r || r->error || r->n != 1) {
		end(t, false);
		return;
	}
	if (r->v[0].kind == STORE_TEXT && r->v[0].len == 2 * KEY_LEN)
		t->has_key = hex_decode(r->v[0].s, t->key, KEY_LEN) == 0;
	ask(t);
}

/* ---- in ---- */

static struct take *take_new(struct statuses *s, const struct account *a, const struct webhook_status *w)
{
	struct take *t = mem_alloc(sizeof(*t));

	*t = (struct take){ .s = s, .account = a, .since = mono_now() };
	strbuf_init(&t->body);
	copy(t, w);
	loop_timer_init(&t->again, on_again, t);
	loop_timer_init(&t->end, on_end, t);
	list_add_tail(&s->takes, &t->list);
	return t;
}

static void look_up(struct take *t)
{
	char index[KEY_TEXT_MAX];

	key_wamid(t->s->o.conf, t->account->tenant, t->w.wamid, index);
	if (store_command(t->s->o.store, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(index) }, 2, on_index, t) < 0)
		end(t, false);
}

/* Behind our token the caller's own value may stand, after a bar. */
static bool read_token(struct take *t, const char *callback)
{
	char token[TOKEN_LEN + 1];

	if (!callback || strlen(callback) < TOKEN_LEN || (callback[TOKEN_LEN] && callback[TOKEN_LEN] != '|'))
		return false;
	snprintf(token, sizeof(token), "%s", callback);
	return identity_read_token(t->s->o.identity, token, t->key, &t->attempt) == 0;
}

void status_take(struct statuses *s, const struct account *a, const struct webhook_status *w, status_done_f *done, void *arg)
{
	struct take *t = take_new(s, a, w);

	t->done = done;
	t->arg = arg;
	t->has_key = read_token(t, w->token);
	if (t->has_key)
		ask(t);
	else
		look_up(t);
}

/* ---- what was parked ---- */

struct settled { struct statuses *s; const struct account *account; };

static void on_parked(void *arg, const struct store_reply *r)
{
	struct settled *q = arg;
	struct webhook_status w;
	json_t *o;

	for (int i = 0; r && !r->error && i < r->n; i++) {
		o = NULL;
		if (r->v[i].s && json_parse(r->v[i].s, r->v[i].len, &o, NULL) == JSON_OK && read_parked(&w, o))
			status_take(q->s, q->account, &w, NULL, NULL);
		json_decref(o);
	}
	free(q);
}

void status_settled(struct statuses *s, const struct account *a, const char *wamid)
{
	struct settled *q = mem_alloc(sizeof(*q));
	struct take t = { .s = s, .account = a, .w = { .wamid = wamid, .status_text = "" } };
	struct arguments args;

	*q = (struct settled){ s, a };
	begin(&args, &t, "parked");
	if (store_script(s->o.store, SCRIPT_STATUS, KEYS, args.v, args.n, on_parked, q) < 0)
		free(q);
}

struct statuses *statuses_new(const struct statuses_options *o)
{
	struct statuses *s = mem_alloc(sizeof(*s));

	s->o = *o;
	list_init(&s->takes);
	return s;
}

void statuses_free(struct statuses **sp)
{
	struct statuses *s = *sp;

	if (!s)
		return;
	while (!list_is_empty(&s->takes))
		on_end(CONTAINER_OF(list_pop(&s->takes), struct take, list));
	free(s);
	*sp = NULL;
}
