#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/admin.h"
#include "api/survey.h"
#include "base/log.h"
#include "flow/alert.h"
#include "flow/sweep.h"
#include "flow/topology.h"
#include "role/child.h"

enum { TICK_MS = 1000, IDLE_LOOK_MS = 20, BODY_MAX = 1 << 20 };

/* A connection of its own for what the keeper says: alerts, tickets. */
struct keeper {
	struct loop *loop;
	const struct child_context *ctx;
	struct store *store;
	struct topology *topology;
	struct broker *publisher;
	struct alerts *alerts;
	struct sweep *sweep;
	struct http_server *server;
	struct admin admin;
	struct loop_timer tick, end;
	mono_t drain_until;
};

static void on_command(void *arg, int what)
{
	struct keeper *k = arg;
	char c = (char)what;

	if (write(k->ctx->command_fd, &c, 1) != 1)
		log_error("command", "the supervisor does not hear: %s", strerror(errno));
}

static void on_tick(void *arg)
{
	struct keeper *k = arg;
	int64_t lag = loop_longest_turn_us(k->loop);

	board_gauge(k->ctx->slot, GAUGE_READY, store_is_up(k->store));
	board_gauge(k->ctx->slot, GAUGE_LOOP_LAG_US, lag);
	if (lag > k->ctx->slot->gauges[GAUGE_LOOP_LAG_MAX_US])
		board_gauge(k->ctx->slot, GAUGE_LOOP_LAG_MAX_US, lag);
	alerts_retry(k->alerts);
	loop_timer_set(k->loop, &k->tick, TICK_MS);
}

static void on_end(void *arg)
{
	struct keeper *k = arg;

	if (http_server_is_idle(k->server) || !mono_before(mono_now(), k->drain_until))
		loop_stop(k->loop, 0);
	else
		loop_timer_set(k->loop, &k->end, IDLE_LOOK_MS);
}

/* New calls are the next keeper's; the one that asked for this reload still waits for its answer here. */
static void on_term(void *arg)
{
	struct keeper *k = arg;

	http_server_drain(k->server);
	k->drain_until = mono_add_ms(mono_now(), k->ctx->conf->drain_timeout);
	loop_timer_set(k->loop, &k->end, IDLE_LOOK_MS);
}

static void on_store_down(void *arg, const char *why)
{
	static struct log_limit limit;
	unsigned left_out;

	(void)arg;
	if (log_limit_ok(&limit, &left_out))
		log_info("redis_down", "%s", why);	/* the senders say it as a warning */
}

static void on_broker_down(void *arg, const char *why)
{
	static struct log_limit limit;
	unsigned left_out;

	(void)arg;
	if (log_limit_ok(&limit, &left_out))
		log_info("amqp_down", "connection=keeper: %s", why);
}

static struct broker *connect_publisher(struct keeper *k)
{
	static const struct broker_callbacks callbacks = { .down = on_broker_down };
	struct broker_options o = topology_connection(k->topology, k->ctx->conf);

	o.connection_name = "wamd keeper publisher";
	o.confirms = true;
	return broker_new(k->loop, &o, &callbacks, k);
}

int keeper_main(const struct child_context *ctx)
{
	static const struct store_callbacks callbacks = { .down = on_store_down };
	struct keeper k = { .loop = loop_new(), .ctx = ctx };
	size_t message_max = (size_t)ctx->conf->amqp_body_max;
	int code;

	k.store = store_new(k.loop, &(struct store_options){ .url = ctx->conf->redis_url, .connection_name = "wamd-keeper",
							     .timeout_ms = ctx->conf->redis_timeout }, &callbacks, &k);
	k.topology = topology_new(ctx->conf);
	k.publisher = connect_publisher(&k);
	k.alerts = alerts_new(ctx->conf, ctx->slot, k.store, k.publisher);
	k.sweep = sweep_new(k.loop, ctx->conf, k.store, k.publisher, k.alerts);
	k.admin = (struct admin){ .loop = k.loop, .conf = ctx->conf, .board = ctx->board, .store = k.store,
				  .alerts = k.alerts, .dlq = dlq_new(k.loop, ctx->conf), .command = on_command, .arg = &k };
	list_init(&k.admin.surveys);
	k.server = http_server_new(k.loop, &(struct http_server_options){ .listen_fd = ctx->admin_fd, .body_max = message_max > BODY_MAX ? message_max : BODY_MAX,
									  .connections_max = 64 }, admin_call, &k.admin);
	loop_timer_init(&k.tick, on_tick, &k);
	loop_timer_init(&k.end, on_end, &k);
	loop_timer_set(k.loop, &k.tick, 0);
	child_signals(k.loop, on_term, &k);
	log_info("started", "generation=%d", ctx->generation);
	code = loop_run(k.loop);
	dlq_free(&k.admin.dlq);
	http_server_free(&k.server);
	store_free(&k.store);
	surveys_free(&k.admin);
	broker_free(&k.publisher);
	sweep_free(&k.sweep);
	alerts_free(&k.alerts);
	topology_free(&k.topology);
	loop_timer_stop(k.loop, &k.tick);
	loop_timer_stop(k.loop, &k.end);
	loop_free(&k.loop);
	log_info("stopped", "status=%d", code);
	return code;
}
