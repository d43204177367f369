#include "base/failpoint.h"
#include "base/log.h"
#include "flow/delivery.h"
#include "flow/pace.h"

enum { FILE_RETRIES = 3, POST_MORE = 64 /* that a short POST is longer than its message */ };

static const char TOO_LATE[] = "its lease was over before it began";

static bool may_start(void *arg)
{
	struct delivery *d = arg;

	/* No first byte after the lease: another sender may have it by then. */
	d->is_too_late = !mono_before(mono_now(), d->lease_end);
	return !d->is_too_late;
}

static void on_body_read(void *arg)
{
	struct delivery *d = arg;

	d->body_read = true;
	board_observe(d->s->slot, HISTOGRAM_ADDED, mono_diff_us(mono_now(), d->since));
	(void)FAILPOINT(BODY_READ);
}

static void on_rechecked(void *arg)
{
	struct delivery *d = arg;

	pace_check_token(d->pace, -1);
	d->has_other_token = d->account->token_serial != d->token_serial && !d->account->is_gone;
	settle_first(d);
}

/* Perhaps the token was rotated: its source is asked before the account is held.  Well within the lease. */
static void look_for_another_token(struct delivery *d)
{
	d->asked.ready = on_rechecked;
	d->asked.arg = d;
	pace_check_token(d->pace, 1);
	directory_recheck(d->s->directory, d->account, d->token_serial, &d->asked);
}

/*
 * Graph has lost a file, or its id has ended (Meta: "Media", codes 131052 and 131053; 100 where the id means nothing to it): uploaded anew,
 * by a few more attempts: those under way with the ended id must not use up the last one.
 */
static void forget_files(struct delivery *d)
{
	struct answer *a = &d->answer;
	char ref[128], id[MEDIA_ID_MAX + 1];
	int n;

	if (a->outcome != OUTCOME_REFUSED || !d->files.len || (a->code != 131052 && a->code != 131053 && a->code != 100))
		return;
	for (const char *p = d->files.buf; sscanf(p, "%127s %64s\n%n", ref, id, &n) == 2; p += n)
		media_forget(d->s->media, d->account, ref, id);
	a->outcome = OUTCOME_SERVER;
	a->reaction = REACTION_INNOCENT;
	a->retries_max = FILE_RETRIES;
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct delivery *d = arg;

	(void)FAILPOINT(ANSWERED);
	if (r->fate == HTTP_NOT_SENT && d->is_too_late) {
		settle_unbegun(d, TOO_LATE);
		return;
	}
	if (r->fate == HTTP_ANSWERED)
		board_observe(d->s->slot, HISTOGRAM_GRAPH, r->elapsed_us);
	if (r->fate == HTTP_ANSWERED)
		answer_read(&d->answer, &d->s->conf->error_classes, r->status, r->body, r->len, r->retry_after_s, r->usage);
	else
		answer_lost(&d->answer, r->fate == HTTP_UNKNOWN, r->why);
	if (d->m.is_control && r->fate == HTTP_ANSWERED)
		answer_read_success(&d->answer, r->body, r->len);
	if (d->answer.outcome == OUTCOME_UNKNOWN && r->fate == HTTP_ANSWERED)
		log_warn("answer_surprise", DELIVERY_FMT " http=%d trace=%s: %s", DELIVERY_ARGS(d), d->answer.http, r->trace,
			 d->answer.text);
	forget_files(d);
	delivery_enter(d, DELIVERY_SETTLING);
	if (d->answer.outcome == OUTCOME_HELD && d->answer.reaction == REACTION_TOKEN)
		look_for_another_token(d);
	else
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
	strbuf_reserve(&d->post, d->body.len + POST_MORE);
	message_graph_body(&d->m, callback.buf, &d->post);
	strbuf_release(&callback);
}

void send_post(struct delivery *d)
{
	d->is_unbegun = false;
	d->post_ms = wall_ms();
	d->post_at = mono_now();
	if (!d->s->http || !may_start(d)) {	/* the drain has ended: no new connection any more */
		settle_unbegun(d, d->s->http ? TOO_LATE : "shutting down");
		return;
	}
	make_post(d);
	d->token_serial = d->pace->token_serial;
	d->has_other_token = false;
	d->body_read = false;
	board_count(d->s->slot, COUNT_POSTED);
	if (d->attempt == 1)
		board_observe(d->s->slot, HISTOGRAM_QUEUE_WAIT, (d->post_ms - d->born_ms) * 1000);
	http_send(d->s->http, &(struct http_request){
		.method = "POST", .place = d->pace->place, .headers = d->pace->headers, .body = d->post.buf, .len = d->post.len,
		.spent = &d->post, .timeout_ms = d->timeout_ms, .may_start = may_start, .body_read = on_body_read, .done = on_answer, .arg = d });
}
