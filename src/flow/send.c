#include "base/failpoint.h"
#include "base/log.h"
#include "flow/delivery.h"
#include "flow/pace.h"

static bool may_start(void *arg)
{
	struct delivery *d = arg;

	return mono_before(mono_now(), d->lease_end);	/* no first byte after the lease: another sender may have it by then */
}

static void on_body_read(void *arg)
{
	struct delivery *d = arg;

	d->body_read = true;
	(void)FAILPOINT(BODY_READ);
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct delivery *d = arg;

	(void)FAILPOINT(ANSWERED);
	if (r->fate == HTTP_ANSWERED)
		answer_read(&d->answer, &d->s->conf->error_classes, r->status, r->body, r->len, r->retry_after_s, r->usage);
	else
		answer_lost(&d->answer, r->fate == HTTP_UNKNOWN, r->why);
	if (d->answer.outcome == OUTCOME_UNKNOWN && r->fate == HTTP_ANSWERED)
		log_warn("answer_surprise", DELIVERY_FMT " http=%d trace=%s: %s", DELIVERY_ARGS(d), d->answer.http, r->trace,
			 d->answer.text);
	delivery_enter(d, DELIVERY_SETTLING);
	settle_first(d);
}

/* wamd's token, and the caller's own value behind a bar where it fits Meta's 512 characters. */
static void make_post(struct delivery *d)
{
	char token[TOKEN_LEN + 1];
	struct strbuf callback = STRBUF_INIT;

	identity_token(d->s->identity, d->key, d->attempt, token);
	strbuf_adds(&callback, token);
	if (d->m.callback && strlen(d->m.callback) + 1 + TOKEN_LEN <= 512)
		strbuf_addf(&callback, "|%s", d->m.callback);
	strbuf_reset(&d->post);
	message_graph_body(&d->m, callback.buf, &d->post);
	strbuf_release(&callback);
}

void send_post(struct delivery *d)
{
	const struct conf *c = d->s->conf;
	struct strbuf url = STRBUF_INIT;

	if (!d->s->http) {	/* the drain has ended: no new connection any more */
		answer_lost(&d->answer, false, "shutting down");
		delivery_enter(d, DELIVERY_SETTLING);
		delivery_give_back_pass(d);
		settle_ask(d);
		return;
	}
	make_post(d);
	strbuf_addf(&url, "%s/%s/%s/messages", c->graph_url, c->graph_version, d->account->phone_number_id);
	d->body_read = false;
	d->post_ms = wall_ms();
	d->post_at = mono_now();
	board_count(d->s->slot, COUNT_POSTED);
	http_send(d->s->http, &(struct http_request){
		.method = "POST", .url = url.buf, .headers = d->pace->headers, .body = d->post.buf, .len = d->post.len,
		.timeout_ms = d->timeout_ms, .may_start = may_start, .body_read = on_body_read, .done = on_answer, .arg = d });
	strbuf_release(&url);
}
