/* What the keeper is asked for: a question for each call, answered in parts over the link, or in time with 504. */
#include "api/v1_call.h"

#include "base/log.h"
#include "base/mem.h"

enum { LOOK_MS = 250, PATIENCE_MS = 6000 };	/* the keeper's own patience with the limit, and a second */

struct question {
	struct list list;
	struct v1_call *q;
	struct keeper_ask ask;
	struct strbuf args, document;	/* document: that came so far */
	pid_t keeper;			/* whom it was sent to; 0: there was none, the next one reads it */
	mono_t until;
};

static void question_free(struct question *k)
{
	list_del(&k->list);
	strbuf_release(&k->args);
	strbuf_release(&k->document);
	free(k);
}

static void end_work(void *work)
{
	question_free(work);
}

static struct v1_call *take_call(struct question *k)
{
	struct v1_call *q = k->q;

	q->work = NULL;
	question_free(k);
	return q;
}

/* ---- asking ---- */

static int send_question(struct question *k)
{
	struct strbuf packet = STRBUF_INIT;
	int err;

	k->keeper = v1_keeper_pid(k->q->v->board, k->q->v->slot->generation);
	strbuf_reset(&k->document);
	keeper_ask_write(&k->ask, &packet);
	err = directory_say(k->q->v->directory, packet.buf, packet.len);
	strbuf_release(&packet);
	return err;
}

static void give_up(struct question *k)
{
	bool is_change = !keeper_call_is_shared(k->ask.call);
	struct v1_call *q = take_call(k);

	v1_problem(q, 504, "keeper_away", is_change ? "nobody can tell whether it was done: the keeper has not answered" :
		   "the keeper has not answered in time");
}

void v1_keeper_ask(struct v1_call *q, enum keeper_call call, const struct account *a, json_t *args)
{
	struct v1 *v = q->v;
	struct question *k = mem_alloc(sizeof(*k));

	*k = (struct question){ .q = q, .ask = { .call = call }, .args = STRBUF_INIT, .document = STRBUF_INIT,
				.until = mono_add_ms(mono_now(), PATIENCE_MS + v->conf->manage_timeout) };
	uuid_v7(k->ask.id);
	snprintf(k->ask.tenant, sizeof(k->ask.tenant), "%s", q->tenant->id);
	snprintf(k->ask.account, sizeof(k->ask.account), "%s", a->id);
	if (args)
		json_dump_to(args, JSON_COMPACT | JSON_SORT_KEYS, &k->args);
	json_decref(args);
	k->ask.args = k->args.buf;
	k->ask.len = k->args.len;
	list_add_tail(&v->questions, &k->list);
	q->work = k;
	q->end_work = end_work;
	if (k->args.len > KEEPER_ARGS_MAX) {
		v1_problem(take_call(k), 413, "too_large", "allowed at most 16 KB");
		return;
	}
	if (send_question(k) < 0)
		v1_retry(take_call(k), 1, "keeper_away", "the keeper cannot be asked now");
	else if (!loop_timer_is_set(&v->look))
		loop_timer_set(v->loop, &v->look, LOOK_MS);
}

/* What a keeper had read is lost with it: the next one is asked, unless that might do it twice.  What it had not read is there for it. */
static void look_at(struct question *k, pid_t keeper)
{
	bool is_late = !mono_before(mono_now(), k->until), is_another = keeper && k->keeper && keeper != k->keeper;

	if (!is_late && keeper && !k->keeper)
		k->keeper = keeper;
	if (is_late || (is_another && (!keeper_call_is_shared(k->ask.call) || send_question(k) < 0)))
		give_up(k);
}

static void on_look(void *arg)
{
	struct v1 *v = arg;
	pid_t keeper = v1_keeper_pid(v->board, v->slot->generation);
	struct list *next;

	for (struct list *i = v->questions.next; i != &v->questions; i = next) {
		next = i->next;
		look_at(CONTAINER_OF(i, struct question, list), keeper);
	}
	if (!list_is_empty(&v->questions))
		loop_timer_set(v->loop, &v->look, LOOK_MS);
}

void v1_keeper_spooled(struct v1 *v, const struct tenant *t, int64_t bytes)
{
	struct keeper_ask a = { .id = "-", .call = KEEPER_SPOOLED };
	struct strbuf args = STRBUF_INIT, packet = STRBUF_INIT;

	snprintf(a.tenant, sizeof(a.tenant), "%s", t->id);
	strbuf_addf(&args, "{\"bytes\":%lld}", (long long)bytes);
	a.args = args.buf;
	a.len = args.len;
	keeper_ask_write(&a, &packet);
	if (directory_say(v->directory, packet.buf, packet.len) < 0)
		log_debug("link", "the keeper finds it in its next round");
	strbuf_release(&args);
	strbuf_release(&packet);
}

/* ---- its answers ---- */

static void answer_problem(struct v1_call *q, int status, const struct strbuf *document)
{
	json_t *o = NULL;
	const char *code, *detail;
	int64_t after_s;

	if (json_parse(document->buf, document->len, &o, NULL) != JSON_OK)
		log_error("link", "the keeper says what nobody understands");
	code = json_text(o, "code");
	detail = json_text(o, "detail");
	after_s = json_integer_value(json_object_get(o, "retry_after_s"));
	if (!code || !detail)
		v1_problem(q, 504, "keeper_away", "the keeper's answer cannot be read");
	else if (status == 503)
		v1_retry(q, (int)(after_s ? after_s : 1), code, detail);
	else if (status < 500 && strstr(detail, ": "))
		v1_bad_field(q, status, code, detail);
	else
		v1_problem(q, status, code, detail);
	json_decref(o);
}

static struct question *question_of(struct v1 *v, const char *id)
{
	for (struct list *i = v->questions.next; i != &v->questions; i = i->next)
		if (!strcmp(CONTAINER_OF(i, struct question, list)->ask.id, id))
			return CONTAINER_OF(i, struct question, list);
	return NULL;
}

static void answer(struct question *k, int status)
{
	struct strbuf document = k->document;
	struct v1_call *q;

	strbuf_init(&k->document);
	q = take_call(k);
	strbuf_addc(&document, '\n');
	if (status == 200)
		v1_answer_text(q, 200, document.buf, document.len);
	else
		answer_problem(q, status, &document);
	strbuf_release(&document);
}

/* What nobody waits for any more, and what concerns nobody here (templates that a webhook made it fetch), is let pass. */
void v1_keeper_word(void *v1, const char *data, size_t len)
{
	struct keeper_told t;
	struct question *k;

	if (keeper_told_read(data, len, &t) < 0)
		return;
	k = question_of(v1, t.id);
	if (!k || t.offset != k->document.len)
		return;
	strbuf_add(&k->document, t.part, t.len);
	if (k->document.len == t.total)
		answer(k, t.status);
}

void v1_keeper_init(struct v1 *v)
{
	list_init(&v->questions);
	loop_timer_init(&v->look, on_look, v);
}
