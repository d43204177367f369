#include "flow/sender.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/alert.h"
#include "flow/backoff.h"
#include "flow/delivery.h"
#include "flow/directory.h"
#include "flow/host_rules.h"
#include "flow/lane.h"
#include "flow/mark.h"
#include "flow/media.h"
#include "flow/pace.h"
#include "flow/rules.h"
#include "flow/status.h"
#include "flow/templates.h"
#include "flow/topology.h"

enum {
	TICK_MS = 1000,
	SECOND_TRY_MS = 200,
	GIVE_BACK_MS = 60000,		/* Redis away this long: others may be better off with what we hold */
	DRAIN_TAIL_MS = 1500,		/* after drain_timeout: for settling what was cut off */
	UNWRITTEN_MAX = 4 << 20,
	HOST_LOOK_MS = 500,
	UPLOADS_AT_ONCE = 4,		/* on connections of their own: messages do not wait behind files */
};

/* ---- what may begin ---- */

static bool may_ask(const struct sender *s)
{
	int window = (int)s->conf->amqp_prefetch;

	return s->store_checked && store_is_up(s->store) && broker_is_up(s->out) && !broker_is_blocked(s->out) && s->n_active < window &&
	       s->n_concluding <= window / 2 && broker_unwritten(s->out) < UNWRITTEN_MAX && !s->draining;
}

static bool is_idle(const struct sender *s)
{
	return s->n_deliveries == 0 && broker_unwritten(s->in) == 0 && broker_unwritten(s->out) == 0 && lanes_are_idle(s->lanes);
}

/* The breaker for Graph's host: nothing is attempted while it is open, but for its probe. */
static bool host_lets(struct sender *s, host_pass *pass, bool *probe)
{
	int64_t wait_ms = 0;
	enum host_verdict v = host_may_send(&s->board->host, &s->host_rules, mono_now(), pass, &wait_ms);

	*probe = v == HOST_PROBE;
	if (v != HOST_WAIT)
		return true;
	if (!loop_timer_is_set(&s->host_wait))
		loop_timer_set(s->loop, &s->host_wait, wait_ms < HOST_LOOK_MS ? wait_ms : HOST_LOOK_MS);
	return false;
}

static void on_host_wait(void *arg)
{
	(void)arg;		/* on_turn looks again */
}

/* Asks for the next of the account that is first in line.  A retry that the budget has no room for waits once more. */
static void begin(struct sender *s, host_pass pass, bool probe)
{
	struct pace *p = CONTAINER_OF(s->runnable.next, struct pace, runnable);
	struct delivery *d = pace_next(p);
	int64_t ms;

	if (!probe && d->hop.kind == HOP_RETRY && d->hop.attempt > 1 &&
	    !host_take_retry(&s->board->host, &s->host_rules, mono_now())) {
		host_give_back(&s->board->host, pass);
		pace_answered(d, false, 0);
		board_count(s->slot, COUNT_BUDGET);
		ms = backoff_retry(&s->conf->retry_server, d->hop.attempt - 1, rand_u64());
		mark_waits(d, WAIT_RETRY_TIMER, ms, NULL);
		conclude_copy(d, d->hop.kind, d->hop.attempt, ms);
		pace_tidy(p);
		return;
	}
	d->has_pass = true;
	d->is_host_probe = probe;
	d->pass = pass;
	admit_ask(d);
}

/* Since when it is so, in Unix seconds; 0: it is not. */
static void gauge_since(struct sender *s, enum gauge g, bool is_so)
{
	if (!is_so)
		board_gauge(s->slot, g, 0);
	else if (!s->slot->gauges[g])
		board_gauge(s->slot, g, wall_ms() / 1000);
}

/* With each turn: who waits for a start, or asks why a message waits, is told what is so now. */
static void show_links(struct sender *s)
{
	bool broker = broker_is_up(s->in) && broker_is_up(s->out);

	board_gauge(s->slot, GAUGE_READY, broker && s->store_checked);
	gauge_since(s, GAUGE_BLOCKED_SINCE, broker_is_blocked(s->out));
	gauge_since(s, GAUGE_BROKER_AWAY_SINCE, !broker);
	gauge_since(s, GAUGE_REDIS_AWAY_SINCE, !store_is_up(s->store));
}

/* Once a turn, before the connections write: everything this turn made possible goes out in one write each. */
static void on_turn(void *arg)
{
	struct sender *s = arg;
	host_pass pass;
	bool probe;

	while (!list_is_empty(&s->runnable) && may_ask(s) && host_lets(s, &pass, &probe))
		begin(s, pass, probe);
	show_links(s);
	if (s->draining && is_idle(s))
		loop_stop(s->loop, 0);
}

/* Both lists are walked as they are now; what fails again joins the end. */
static void try_again(struct list *from, void (*f)(struct delivery *d))
{
	struct list now;

	list_init(&now);
	while (!list_is_empty(from))
		list_add_tail(&now, list_pop(from));
	while (!list_is_empty(&now))
		f(CONTAINER_OF(now.next, struct delivery, queue));
}

static void publish_again(struct delivery *d)
{
	board_count(d->s->slot, COUNT_REPUBLISHED);
	conclude_retry(d);
}

/* Gives back (nack) or forgets what has not been begun; from: of this connection only, NULL: of all. */
static void drop_ready(struct sender *s, const struct broker *from, bool nack)
{
	struct list *next;

	for (struct list *l = s->deliveries.next; l != &s->deliveries; l = next) {
		struct delivery *d = CONTAINER_OF(l, struct delivery, all);

		next = l->next;
		if (delivery_is_unbegun(d) && (!from || d->from == from))
			delivery_drop(d, nack);
	}
}

/* ---- the store ---- */

static void on_store_up(void *arg)
{
	struct sender *s = arg;

	log_info("redis_up", "pending=%d", s->n_ready);
	store_check_start(s);
	s->store_down_since = (mono_t){ 0 };
	if (s->gave_back) {
		broker_resume(s->in);
		lanes_go_on(s->lanes);
	}
	s->gave_back = false;
	try_again(&s->unsettled, settle_ask);
}

static void on_store_down(void *arg, const char *why)
{
	struct sender *s = arg;

	board_count(s->slot, COUNT_REDIS_LOST);
	s->store_checked = false;
	if (!s->store_down_since.us) {
		s->store_down_since = mono_now();
		log_warn("redis_down", "%s: nothing new is sent until it is back", why);
	}
}

/* ---- the broker, both ways ---- */

static void on_in_up(void *arg)
{
	(void)arg;
	log_info("amqp_up", "connection=consumer");
}

static void on_in_down(void *arg, const char *why)
{
	struct sender *s = arg;
	static struct log_limit limit;
	unsigned left_out;

	board_count(s->slot, COUNT_AMQP_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_warn("amqp_down", "connection=consumer: %s", why);
	drop_ready(s, s->in, false);		/* the broker has taken them back */
}

static void on_out_up(void *arg)
{
	struct sender *s = arg;

	log_info("amqp_up", "connection=publisher unconcluded=%d", s->n_concluding);
	try_again(&s->unconcluded, publish_again);
}

static void on_out_down(void *arg, const char *why)
{
	struct sender *s = arg;
	static struct log_limit limit;
	unsigned left_out;

	board_count(s->slot, COUNT_AMQP_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_warn("amqp_down", "connection=publisher: %s", why);
}

static void on_refused(void *arg, const char *why)
{
	(void)arg;
	log_error("amqp_refused", "%s", why);
}

static void on_consumer_lost(void *arg, const char *queue)
{
	(void)arg;
	log_warn("consumer_lost", "queue=%s: declared and consumed again", queue);
}

static void on_blocked(void *arg, bool blocked)
{
	struct sender *s = arg;

	board_gauge(s->slot, GAUGE_BLOCKED, blocked);
	if (blocked)
		log_warn("amqp_blocked", "the broker takes no publishes (alarm); nothing new is sent");
	else
		log_info("amqp_unblocked", "publishing goes on");
}

static void on_delivery(void *arg, const struct broker_delivery *in)
{
	struct sender *s = arg;

	if (s->draining || s->gave_back)
		broker_nack(s->in, in->tag);
	else
		intake_accept(s, in, NULL, false);
}

/* ---- time ---- */

static void retire(void *arg, struct account *a)
{
	struct sender *s = arg;
	struct pace *p = a->index < s->n_paces ? s->paces[a->index] : NULL;

	if (p)
		pace_retire(p);
	if (!p || !p->headers)
		account_wipe(a);
}

static void on_tick(void *arg)
{
	struct sender *s = arg;
	int64_t lag = loop_longest_turn_us(s->loop);

	if (lag > s->lag_max_us)
		s->lag_max_us = lag;
	board_gauge(s->slot, GAUGE_LOOP_LAG_US, lag);
	board_gauge(s->slot, GAUGE_LOOP_LAG_MAX_US, s->lag_max_us);
	board_gauge(s->slot, GAUGE_TENANTS_SEEN, (int64_t)directory_follow(s->directory));
	board_gauge(s->slot, GAUGE_WINDOW, s->n_deliveries);
	board_gauge(s->slot, GAUGE_IN_FLIGHT, s->http ? http_in_flight(s->http) : 0);
	if (store_is_up(s->store))
		try_again(&s->unsettled, settle_ask);
	if (broker_is_up(s->out) && !broker_is_blocked(s->out))
		try_again(&s->unconcluded, publish_again);
	if (s->store_down_since.us && !s->gave_back && mono_diff_ms(mono_now(), s->store_down_since) > GIVE_BACK_MS) {
		s->gave_back = true;
		broker_pause(s->in);
		lanes_rest(s->lanes);
		drop_ready(s, NULL, true);
	}
	s->n_accounts_seen = pace_seen(s->paces, s->n_paces, loop_now(s->loop));
	alerts_retry(s->alerts);
	if (s->draining)
		drop_ready(s, NULL, true);	/* what was under way and must wait after all */
	tenant_set_each_gone(s->conf->tenants, retire, s);
	if (s->draining)
		loop_timer_set(s->loop, &s->tick, SECOND_TRY_MS);
	else
		loop_timer_set_beat(s->loop, &s->tick, TICK_MS);
}

static void on_drain_end(void *arg)
{
	struct sender *s = arg;

	if (s->http) {
		log_notice("drain_timeout", "active=%d: what has no answer yet becomes an unknown outcome", s->n_active);
		http_client_free(&s->http);
		loop_timer_set(s->loop, &s->drain_end, DRAIN_TAIL_MS);
		return;
	}
	log_notice("drain_given_up", "deliveries=%d go back to the broker", s->n_deliveries);
	loop_stop(s->loop, 0);
}

void sender_drain(struct sender *s)
{
	if (s->draining)
		return;
	s->draining = true;
	log_info("draining", "active=%d ready=%d", s->n_active, s->n_ready);
	broker_pause(s->in);
	lanes_drain(s->lanes);
	drop_ready(s, NULL, true);
	loop_timer_set(s->loop, &s->drain_end, s->conf->drain_timeout);
	loop_timer_set(s->loop, &s->tick, 0);
}

/* ---- birth and death ---- */

static struct broker *connect_broker(struct sender *s, bool consumer, int number)
{
	static const struct broker_callbacks in = { .up = on_in_up, .down = on_in_down, .delivery = on_delivery,
						    .refused = on_refused, .consumer_lost = on_consumer_lost };
	static const struct broker_callbacks out = { .up = on_out_up, .down = on_out_down, .blocked = on_blocked,
						     .refused = on_refused };
	const struct conf *c = s->conf;
	char name[64];
	struct broker_options o = topology_connection(s->topology, c);

	snprintf(name, sizeof(name), "wamd sender[%d] %s", number, consumer ? "consumer" : "publisher");
	o.connection_name = name;
	o.confirms = !consumer;
	o.prefetch = (int)c->amqp_prefetch;
	if (consumer) {
		o.queues = (const char *const *)c->amqp_inputs.v;
		o.n_queues = c->amqp_inputs.n;
	}
	return broker_new(s->loop, &o, consumer ? &in : &out, s);
}

static struct store *connect_store(struct sender *s, int number)
{
	static const struct store_callbacks callbacks = { .up = on_store_up, .down = on_store_down };
	char name[64];
	struct strbuf rules = STRBUF_INIT;
	struct store_options o = { .url = s->conf->redis_url, .connection_name = name, .timeout_ms = s->conf->redis_timeout };
	struct store *store;

	snprintf(name, sizeof(name), "wamd-sender-%d", number);
	rules_write(s->conf, topology_tail(s->topology), &rules);
	o.rules = rules.buf;
	store = store_new(s->loop, &o, &callbacks, s);
	strbuf_release(&rules);
	return store;
}

static struct http_client *connect_http(struct sender *s, int64_t window, bool small)
{
	const struct conf *c = s->conf;

	return http_client_new(s->loop, &(struct http_client_options){
		.ca_file = *c->graph_ca_file ? c->graph_ca_file : NULL, .http_version = strcmp(c->graph_http, "2") ? 11 : 2,
		.window = (int)window, .streams = (int)c->graph_streams, .connect_ms = c->graph_connect,
		.answer_max = 256 << 10, .allow_plain = true, .small = small });
}

/* Tenants have changed: what is gone is waited for no longer, what is held back may go now. */
static void on_tenants_changed(void *arg)
{
	struct sender *s = arg;

	for (int i = 0; i < s->n_paces; i++)
		if (s->paces[i])
			pace_account_changed(s->paces[i]);
}

struct sender *sender_new(struct loop *l, const struct conf *c, struct board *board, struct board_slot *slot, int number,
			  int link_fd, struct strbuf *why)
{
	struct sender *s = mem_alloc(sizeof(*s));
	struct strbuf key_file = STRBUF_INIT;
	char host[24];

	s->loop = l;
	s->conf = c;
	s->board = board;
	s->slot = slot;
	host_rules_of(c, &s->host_rules);
	list_init(&s->runnable);
	list_init(&s->deliveries);
	list_init(&s->unsettled);
	list_init(&s->unconcluded);
	list_init(&s->spare);
	loop_hook_init(&s->hook, on_turn, s);
	loop_timer_init(&s->tick, on_tick, s);
	loop_timer_init(&s->drain_end, on_drain_end, s);
	loop_timer_init(&s->host_wait, on_host_wait, s);
	strbuf_addf(&key_file, "%s/installation.key", c->state_dir);
	s->identity = identity_load(key_file.buf, false, why);
	strbuf_release(&key_file);
	if (!s->identity) {
		free(s);
		return NULL;
	}
	if (gethostname(host, sizeof(host)) < 0)
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	snprintf(s->incarnation, sizeof(s->incarnation), "%s:%d:%08" PRIx32, host, (int)getpid(), (uint32_t)rand_u64());
	tenant_set_drop_app_secrets(c->tenants);	/* only the proofs made with them are needed here */
	conf_wipe_secrets(c, true);
	s->directory = directory_new(l, c, board, link_fd);
	directory_on_change(s->directory, on_tenants_changed, s);
	s->topology = topology_new(c);
	loop_hook_add(l, &s->hook);	/* before the connections': their hooks write what ours produces */
	s->in = connect_broker(s, true, number);
	s->out = connect_broker(s, false, number);
	s->lanes = lanes_new(s, number);
	s->store = connect_store(s, number);
	s->alerts = alerts_new(c, slot, s->store, s->out);
	s->statuses = statuses_new(&(struct statuses_options){ .loop = l, .conf = c, .store = s->store, .publisher = s->out,
							       .identity = s->identity, .slot = slot, .topology = s->topology,
							       .alerts = s->alerts, .directory = s->directory });
	s->templates = templates_new(&(struct templates_options){ .loop = l, .conf = c, .board = board, .store = s->store,
								  .directory = s->directory });
	s->http = connect_http(s, c->amqp_prefetch, true);
	s->uploads = connect_http(s, UPLOADS_AT_ONCE, false);
	s->spool = spool_new(c);
	s->media = media_new(l, c, s->store, s->uploads, s->spool, slot);
	loop_timer_set(l, &s->tick, 0);
	return s;
}

static void free_deliveries(struct list *l)
{
	while (!list_is_empty(l)) {
		struct delivery *d = CONTAINER_OF(list_pop(l), struct delivery, all);

		list_del(&d->queue);
		message_release(&d->m);
		strbuf_release(&d->body);
		strbuf_release(&d->texts);
		strbuf_release(&d->post);
		strbuf_release(&d->error);
		strbuf_release(&d->history);
		strbuf_release(&d->files);
		free(d);
	}
}

void sender_free(struct sender **sp)
{
	struct sender *s = *sp;

	if (!s)
		return;
	loop_hook_del(&s->hook);
	loop_timer_stop(s->loop, &s->tick);
	loop_timer_stop(s->loop, &s->drain_end);
	loop_timer_stop(s->loop, &s->host_wait);
	/* From Graph backwards to the input: each answers its pending calls, which then find the next one still there. */
	http_client_free(&s->http);
	http_client_free(&s->uploads);
	store_close(s->store);
	media_free(&s->media);
	spool_free(&s->spool);
	broker_free(&s->out);
	statuses_free(&s->statuses);
	alerts_free(&s->alerts);
	lanes_free(&s->lanes);
	templates_free(&s->templates);
	directory_free(&s->directory);
	broker_free(&s->in);
	free_deliveries(&s->deliveries);
	free_deliveries(&s->spare);
	for (int i = 0; i < s->n_paces; i++)
		if (s->paces[i])
			pace_free(&s->paces[i]);
	free(s->paces);
	topology_free(&s->topology);
	identity_free(&s->identity);
	store_free(&s->store);
	free(s);
	*sp = NULL;
}
