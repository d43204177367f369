#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/admin.h"
#include "api/console.h"
#include "api/fleet.h"
#include "api/metrics.h"
#include "api/keeper_calls.h"
#include "api/survey.h"
#include "base/log.h"
#include "flow/alert.h"
#include "flow/delays.h"
#include "flow/registry.h"
#include "flow/spool.h"
#include "flow/state_feed.h"
#include "flow/sweep.h"
#include "flow/topology.h"
#include "graph/crawl.h"
#include "graph/tokens.h"
#include "graph/watch.h"
#include "io/http_client.h"
#include "msg/json.h"
#include "role/child.h"

enum { TICK_MS = 1000, IDLE_LOOK_MS = 20, TIDY_STEP_MS = 20, TIDY_MS = 60000, SCRAPERS_MAX = 16, OPERATORS_MAX = 64, OF_ONE_MAX = 32 /* connections of one user */, BODY_MAX = 6 << 20 };	/* a profile picture */

/* A connection of its own for what the keeper says: alerts, tickets. */
struct keeper {
	struct loop *loop;
	const struct child_context *ctx;
	struct store *store;
	struct topology *topology;
	struct broker *publisher;
	struct alerts *alerts;
	struct sweep *sweep;
	struct registry *registry;
	struct graph *graph;
	struct jobs *jobs;
	struct tokens *tokens;
	struct watches *watches;
	struct crawl *crawl;
	struct http_server *server, *looker;	/* of the admin sockets: for all commands, for those that only look */
	struct http_server *scraped, *listener;	/* of metrics.listen, of the console; NULL: none */
	struct fleet *fleet;
	struct console *console;
	struct admin admin;
	struct keeper_calls *calls;	/* of the apis */
	struct spool *spool;
	struct state_feed *states;
	struct delays *delays;
	struct loop_timer tick, tidy, end, sample;
	mono_t drain_until;
};

/* Right behind the beginning of each step of Unix time, so that a sample has all of the step before. */
static void on_sample(void *arg)
{
	struct keeper *k = arg;
	int64_t now = wall_ms();

	history_take(k->ctx->board, now);
	loop_timer_set(k->loop, &k->sample, HISTORY_STEP_MS - now % HISTORY_STEP_MS);
}

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
	loop_timer_set_beat(k->loop, &k->tick, TICK_MS);
}

/* In small steps, or a spool of many files would hold up the loop. */
static void on_tidy(void *arg)
{
	struct keeper *k = arg;
	bool has_more = spool_tidy(k->spool);

	loop_timer_set(k->loop, &k->tidy, has_more ? TIDY_STEP_MS : TIDY_MS);
}

static void on_spooled(void *arg)
{
	struct keeper *k = arg;

	if (spool_is_over(k->spool))
		loop_timer_set(k->loop, &k->tidy, 0);
}

static void on_end(void *arg)
{
	struct keeper *k = arg;
	bool is_over = http_server_is_idle(k->server) && http_server_is_idle(k->looker) && (!k->listener || http_server_is_idle(k->listener)) && registry_is_given(k->registry) &&
		       keeper_calls_are_over(k->calls) && state_feed_is_idle(k->states) && delays_are_idle(k->delays);

	if (is_over || !mono_before(mono_now(), k->drain_until))
		loop_stop(k->loop, 0);
	else
		loop_timer_set(k->loop, &k->end, IDLE_LOOK_MS);
}

/* New calls are the next keeper's; the one that asked for this reload still waits for its answer here. */
static void on_term(void *arg)
{
	struct keeper *k = arg;

	http_server_drain(k->server);
	http_server_drain(k->looker);
	state_feed_drain(k->states);
	delays_drain(k->delays);
	if (k->scraped)
		http_server_drain(k->scraped);
	if (k->listener)
		http_server_drain(k->listener);
	loop_timer_stop(k->loop, &k->sample);
	if (k->ctx->board->generation != k->ctx->generation)	/* a reload: somebody takes over */
		registry_give(k->registry);
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

static void serve(struct keeper *k)
{
	size_t message_max = (size_t)k->ctx->conf->amqp_body_max;
	struct http_server_options o = { .listen_fds = &k->ctx->admin_fd, .n_listen = 1, .on_upload = admin_upload,
					 .connections_max = OPERATORS_MAX, .per_uid_max = OF_ONE_MAX,
					 .body_max = message_max > BODY_MAX ? message_max : BODY_MAX };

	k->server = http_server_new(k->loop, &o, admin_call, &k->admin);
	k->looker = http_server_new(k->loop, &(struct http_server_options){ .listen_fds = &k->ctx->look_fd, .n_listen = 1,
									    .connections_max = OPERATORS_MAX, .per_uid_max = OF_ONE_MAX,
									    .body_max = message_max }, admin_look_call, &k->admin);
	if (k->ctx->metrics_fd >= 0)
		k->scraped = http_server_new(k->loop, &(struct http_server_options){ .listen_fds = &k->ctx->metrics_fd, .n_listen = 1,
										     .connections_max = SCRAPERS_MAX }, metrics_call, &k->admin);
	if (k->ctx->console_fd < 0)
		return;
	o.listen_fds = &k->ctx->console_fd;
	o.on_upload = NULL;
	k->console = console_new(k->loop, k->ctx->conf, &k->admin);
	k->listener = http_server_new(k->loop, &o, console_call, k->console);
}

int keeper_main(const struct child_context *ctx)
{
	static const struct store_callbacks callbacks = { .down = on_store_down };
	struct keeper k = { .loop = loop_new(), .ctx = ctx };
	int code;

	http_global_setup();
	json_wipe_freed();

	k.store = store_new(k.loop, &(struct store_options){ .url = ctx->conf->redis_url, .connection_name = "wamd-keeper",
							     .timeout_ms = ctx->conf->redis_timeout }, &callbacks, &k);
	k.topology = topology_new(ctx->conf);
	k.publisher = connect_publisher(&k);
	k.alerts = alerts_new(ctx->conf, ctx->slot, k.store, k.publisher);
	k.registry = registry_new(&(struct registry_options){
		.loop = k.loop, .conf = ctx->conf, .board = ctx->board, .alerts = k.alerts, .store = k.store, .links = ctx->links, .n_links = ctx->n_links,
		.n_sender_links = ctx->n_sender_links,
		.heir_fd = ctx->heir_fd, .legacy_fd = ctx->legacy_fd });
	k.graph = graph_new(k.loop, ctx->conf, k.store, ctx->slot);
	k.jobs = jobs_new(k.loop, ctx->conf, k.store);
	k.tokens = tokens_new(&(struct tokens_options){ .conf = ctx->conf, .store = k.store, .graph = k.graph, .jobs = k.jobs,
							.registry = k.registry, .alerts = k.alerts });
	k.watches = watches_new(&(struct watches_options){ .graph = k.graph, .jobs = k.jobs, .registry = k.registry, .alerts = k.alerts });
	k.crawl = crawl_new(&(struct crawl_options){ .conf = ctx->conf, .board = ctx->board, .store = k.store, .graph = k.graph,
						     .jobs = k.jobs, .alerts = k.alerts, .registry = k.registry });
	k.sweep = sweep_new(k.loop, ctx->conf, k.store, k.publisher, k.alerts);
	k.states = state_feed_new(&(struct state_feed_options){ .loop = k.loop, .conf = ctx->conf, .topology = k.topology, .store = k.store,
								.alerts = k.alerts, .slot = ctx->slot });
	k.delays = delays_new(k.loop, ctx->conf, k.topology, k.publisher);
	k.admin = (struct admin){ .loop = k.loop, .conf = ctx->conf, .board = ctx->board, .store = k.store, .publisher = k.publisher,
				  .alerts = k.alerts, .registry = k.registry, .graph = k.graph, .jobs = k.jobs,
				  .states = k.states, .delays = k.delays, .crawl = k.crawl, .dlq = dlq_new(k.loop, ctx->conf), .command = on_command, .arg = &k };
	k.spool = spool_new(ctx->conf);
	k.admin.spool = k.spool;
	k.admin.spooled = on_spooled;
	list_init(&k.admin.surveys);
	k.calls = keeper_calls_new(&k.admin);
	k.admin.fleet = k.fleet = fleet_new(&k.admin, k.topology);
	serve(&k);
	loop_timer_init(&k.sample, on_sample, &k);
	loop_timer_set(k.loop, &k.sample, 0);
	loop_timer_init(&k.tick, on_tick, &k);
	loop_timer_init(&k.tidy, on_tidy, &k);
	loop_timer_init(&k.end, on_end, &k);
	loop_timer_set(k.loop, &k.tidy, TIDY_STEP_MS);
	loop_timer_set(k.loop, &k.tick, 0);
	child_signals(k.loop, on_term, &k);
	log_info("started", "generation=%d", ctx->generation);
	code = loop_run(k.loop);
	dlq_free(&k.admin.dlq);
	http_server_free(&k.server);
	http_server_free(&k.looker);
	http_server_free(&k.scraped);
	http_server_free(&k.listener);
	console_free(&k.console);
	store_close(k.store);		/* what waits for an answer gets its last one, as long as everybody is there */
	graph_free(&k.graph);
	registry_free(&k.registry);
	jobs_free(&k.jobs);
	tokens_free(&k.tokens);
	watches_free(&k.watches);
	crawl_free(&k.crawl);
	keeper_calls_free(&k.calls);
	surveys_free(&k.admin);
	state_feed_free(&k.states);
	fleet_free(&k.fleet);
	broker_free(&k.publisher);
	delays_free(&k.delays);
	sweep_free(&k.sweep);
	alerts_free(&k.alerts);
	topology_free(&k.topology);
	store_free(&k.store);		/* Graph's last answers have still asked it */
	loop_timer_stop(k.loop, &k.tick);
	loop_timer_stop(k.loop, &k.tidy);
	loop_timer_stop(k.loop, &k.sample);
	loop_timer_stop(k.loop, &k.end);
	spool_free(&k.spool);
	loop_free(&k.loop);
	log_info("stopped", "status=%d", code);
	return code;
}
