/* api - serves the HTTP API: parses what strangers say, so it has no token of Graph's, and the supervisor's sockets are all it listens at. */
#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/v1.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/topology.h"
#include "msg/json.h"
#include "role/child.h"

enum { TICK_MS = 1000, IDLE_LOOK_MS = 20, CONNECTION_MEMORY = 32768 };	/* a head of 16 KiB fits */

struct api {
	struct loop *loop;
	const struct child_context *ctx;
	struct topology *topology;
	struct http_server *server;	/* NULL: nobody is let in yet */
	struct v1 v1;
	struct identity *identity;
	struct loop_timer tick, end, open;
	mono_t drain_until;
};

static void on_tick(void *arg)
{
	struct api *a = arg;
	struct board_slot *slot = a->ctx->slot;
	int64_t lag = loop_longest_turn_us(a->loop);

	board_gauge(slot, GAUGE_READY, !v1_not_ready(&a->v1));
	board_gauge(slot, GAUGE_BLOCKED, broker_is_blocked(a->v1.publisher));
	board_gauge(slot, GAUGE_LOOP_LAG_US, lag);
	if (lag > slot->gauges[GAUGE_LOOP_LAG_MAX_US])
		board_gauge(slot, GAUGE_LOOP_LAG_MAX_US, lag);
	alerts_retry(a->v1.alerts);
	board_gauge(slot, GAUGE_TENANTS_SEEN, (int64_t)directory_follow(a->v1.directory));
	loop_timer_set_beat(a->loop, &a->tick, TICK_MS);
}

static void on_end(void *arg)
{
	struct api *a = arg;

	if (!a->server || http_server_is_idle(a->server) || !mono_before(mono_now(), a->drain_until))
		loop_stop(a->loop, 0);
	else
		loop_timer_set(a->loop, &a->end, IDLE_LOOK_MS);
}

/* The sockets stay open in the supervisor: who connects from now on gets to those that follow. */
static void on_term(void *arg)
{
	struct api *a = arg;

	a->v1.is_draining = true;
	loop_timer_stop(a->loop, &a->open);
	if (a->server)
		http_server_drain(a->server);
	a->drain_until = mono_add_ms(mono_now(), a->ctx->conf->drain_timeout);
	loop_timer_set(a->loop, &a->end, IDLE_LOOK_MS);
}

static void on_open(void *arg)
{
	struct api *a = arg;
	const struct conf *c = a->ctx->conf;

	loop_timer_stop(a->loop, &a->open);
	if (a->server || a->v1.is_draining)
		return;
	a->server = http_server_new(a->loop, &(struct http_server_options){
		.listen_fds = a->ctx->api_fds, .n_listen = a->ctx->n_api_fds, .on_upload = v1_head, .body_max = (size_t)c->api_body_max,
		.connections_max = (unsigned)c->api_connections, .memory = CONNECTION_MEMORY, .slow_ms = c->api_slow }, v1_call, &a->v1);
}

/* After a reload those before us are taking no more, and who connects waits in the kernel: sooner that than a 503. */
static void on_up(void *arg)
{
	struct api *a = arg;

	if (broker_is_up(a->v1.publisher) && store_is_up(a->v1.store))
		on_open(a);
}

static void on_store_down(void *arg, const char *why)
{
	static struct log_limit limit;
	struct api *a = arg;
	unsigned left_out;

	board_count(a->ctx->slot, COUNT_REDIS_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_info("redis_down", "%s", why);	/* the senders say it as a warning */
}

static void on_broker_down(void *arg, const char *why)
{
	static struct log_limit limit;
	struct api *a = arg;
	unsigned left_out;

	board_count(a->ctx->slot, COUNT_AMQP_LOST);
	if (log_limit_ok(&limit, &left_out))
		log_info("amqp_down", "connection=api: %s", why);
}

static struct broker *connect_publisher(struct api *a)
{
	static const struct broker_callbacks callbacks = { .up = on_up, .down = on_broker_down };
	struct broker_options o = topology_connection(a->topology, a->ctx->conf);

	o.connection_name = "wamd api publisher";
	o.confirms = true;
	return broker_new(a->loop, &o, &callbacks, a);
}

static void drop_secrets(const struct conf *c)
{
	tenant_set_drop_tokens(c->tenants);
	tenant_set_drop_app_secrets(c->tenants);
	conf_wipe_secrets(c, false);
}

static void start(struct api *a)
{
	static const struct store_callbacks callbacks = { .up = on_up, .down = on_store_down };
	const struct child_context *ctx = a->ctx;
	const struct conf *c = ctx->conf;

	drop_secrets(c);
	if (ctx->other)
		drop_secrets(ctx->other);
	a->topology = topology_new(c);
	a->v1 = (struct v1){ .loop = a->loop, .conf = c, .board = ctx->board, .slot = ctx->slot,
			  .identity = a->identity };
	a->v1.store = store_new(a->loop, &(struct store_options){ .url = c->redis_url, .connection_name = "wamd-api",
								  .timeout_ms = c->redis_timeout }, &callbacks, a);
	a->v1.publisher = connect_publisher(a);
	a->v1.directory = directory_new(a->loop, c, ctx->board, ctx->link_fd);
	directory_on_other(a->v1.directory, v1_keeper_word, &a->v1);
	a->v1.alerts = alerts_new(c, ctx->slot, a->v1.store, a->v1.publisher);
	a->v1.statuses = statuses_new(&(struct statuses_options){ .loop = a->loop, .conf = c, .store = a->v1.store, .publisher = a->v1.publisher,
								  .identity = a->identity, .slot = ctx->slot, .topology = a->topology,
								  .alerts = a->v1.alerts, .directory = a->v1.directory });
	v1_init(&a->v1);
	loop_timer_init(&a->tick, on_tick, a);
	loop_timer_init(&a->end, on_end, a);
	loop_timer_init(&a->open, on_open, a);
	loop_timer_set(a->loop, &a->tick, 0);
	loop_timer_set(a->loop, &a->open, c->amqp_connect);	/* without a broker, /readyz should say so */
}

/* From the clients to those who are asked for them.  Each gives its last answers as one that is down, and is not asked again. */
static void stop(struct api *a)
{
	struct broker *publisher = a->v1.publisher;
	struct store *store = a->v1.store;

	http_server_free(&a->server);
	store_close(store);
	broker_free(&publisher);
	a->v1.publisher = NULL;
	statuses_free(&a->v1.statuses);
	alerts_free(&a->v1.alerts);
	directory_free(&a->v1.directory);
	v1_release(&a->v1);
	topology_free(&a->topology);
	store_free(&store);
	loop_timer_stop(a->loop, &a->tick);
	loop_timer_stop(a->loop, &a->end);
	loop_timer_stop(a->loop, &a->open);
}

int api_main(const struct child_context *ctx)
{
	struct api a = { .loop = loop_new(), .ctx = ctx };
	struct strbuf key_file = STRBUF_INIT, why = STRBUF_INIT;
	int code;

	strbuf_addf(&key_file, "%s/installation.key", ctx->conf->state_dir);
	a.identity = identity_load(key_file.buf, false, &why);
	strbuf_release(&key_file);
	if (!a.identity) {
		log_error("installation_key", "%s", why.buf);
		strbuf_release(&why);
		loop_free(&a.loop);
		return EX_CONFIG;
	}
	start(&a);
	child_signals(a.loop, on_term, &a);
	log_info("started", "generation=%d", ctx->generation);
	code = loop_run(a.loop);
	stop(&a);
	identity_free(&a.identity);
	loop_free(&a.loop);
	log_info("stopped", "status=%d", code);
	return code;
}
