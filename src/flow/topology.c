#include "flow/topology.h"

#include "base/mem.h"

enum { DELAYS_MAX = 64, TAIL_MS = 600000 };

struct topology {
	struct broker_declare declares[DELAYS_MAX + 64];
	int n;
	struct { int64_t ms; char *name; } delays[DELAYS_MAX];
	int n_delays;
	int64_t grace_ms;
};

static void declare(struct topology *t, struct broker_declare d)
{
	if (t->n == (int)ARRAY_LEN(t->declares))
		BUG("too many declarations");
	t->declares[t->n++] = d;
}

/* One consumer at a time in the whole fleet: that is what keeps the events of a message in order. */
static void add_state_queue(struct topology *t, const struct conf *c)
{
	if (!*c->state_url)
		return;
	declare(t, (struct broker_declare){ .thing = BROKER_QUEUE, .name = c->amqp_state, .single_active = true });
	declare(t, (struct broker_declare){ .thing = BROKER_BINDING, .name = c->amqp_state, .exchange = c->amqp_status, .key = "status.#" });
}

/*
 * One queue a distinct step: each is in the order of what is due.  The TTL is for what the keeper never fetches (flow/delays.h); a unit
 * stands behind the number, because queues without had another TTL, and a queue's arguments are for its life.
 */
static void add_delay(struct topology *t, const struct conf *c, int64_t ms)
{
	struct strbuf name = STRBUF_INIT;
	bool quorum = !strcmp(c->amqp_queue_type, "quorum");

	if (topology_delay_queue(t, ms))
		return;
	if (t->n_delays == DELAYS_MAX)
		BUG("too many delay steps");
	if (ms % 1000)
		strbuf_addf(&name, "%s%lldms", c->amqp_retry, (long long)ms);
	else
		strbuf_addf(&name, "%s%llds", c->amqp_retry, (long long)(ms / 1000));
	t->delays[t->n_delays].ms = ms;
	t->delays[t->n_delays].name = strbuf_detach(&name);
	declare(t, (struct broker_declare){ .thing = BROKER_QUEUE, .name = t->delays[t->n_delays].name,
					    .type = quorum ? "quorum" : NULL, .message_ttl_ms = ms + c->amqp_grace,
					    .dead_letter_exchange = c->amqp_exchange, .dead_letter_key = c->amqp_key });
	t->n_delays++;
}

static void add_steps(struct topology *t, const struct conf *c, const struct conf_steps *s)
{
	for (int i = 0; i < s->n; i++)
		add_delay(t, c, s->v[i]);
}

struct topology *topology_new(const struct conf *c)
{
	struct topology *t = mem_alloc(sizeof(*t));
	bool quorum = !strcmp(c->amqp_queue_type, "quorum");

	t->grace_ms = c->amqp_grace;
	declare(t, (struct broker_declare){ .thing = BROKER_EXCHANGE, .name = c->amqp_exchange, .type = "direct" });
	declare(t, (struct broker_declare){ .thing = BROKER_EXCHANGE, .name = c->amqp_status, .type = "topic" });
	if (*c->amqp_inbound && c->webhook_apps.n)
		declare(t, (struct broker_declare){ .thing = BROKER_EXCHANGE, .name = c->amqp_inbound, .type = "topic" });
	if (*c->alert_exchange)
		declare(t, (struct broker_declare){ .thing = BROKER_EXCHANGE, .name = c->alert_exchange, .type = "topic" });
	for (int i = 0; i < c->amqp_inputs.n; i++)
		declare(t, (struct broker_declare){ .thing = BROKER_QUEUE, .name = c->amqp_inputs.v[i],
						    .type = quorum ? "quorum" : NULL, .max_priority = (int)c->amqp_priority });
	declare(t, (struct broker_declare){ .thing = BROKER_BINDING, .name = c->amqp_inputs.v[0], .exchange = c->amqp_exchange,
					    .key = c->amqp_key });
	add_state_queue(t, c);
	declare(t, (struct broker_declare){ .thing = BROKER_QUEUE, .name = c->amqp_dlq });
	declare(t, (struct broker_declare){ .thing = BROKER_QUEUE, .name = c->amqp_lanes, .type = quorum ? "quorum" : NULL });
	/* Targets first, delay queues last: what expires before its target exists would be lost. */
	add_steps(t, c, &c->retry_connect);
	add_steps(t, c, &c->retry_server);
	add_steps(t, c, &c->retry_throttle);
	add_steps(t, c, &c->retry_wait);
	add_delay(t, c, c->unknown_timer);
	return t;
}

void topology_free(struct topology **tp)
{
	if (!*tp)
		return;
	for (int i = 0; i < (*tp)->n_delays; i++)
		free((*tp)->delays[i].name);
	free(*tp);
	*tp = NULL;
}

const struct broker_declare *topology_declares(const struct topology *t, int *n)
{
	*n = t->n;
	return t->declares;
}

struct broker_options topology_connection(const struct topology *t, const struct conf *c)
{
	struct broker_options o = {
		.urls = (const char *const *)c->amqp_urls.v, .n_urls = c->amqp_urls.n,
		.ca_file = *c->amqp_ca_file ? c->amqp_ca_file : NULL, .body_max = (size_t)c->amqp_body_max,
		.heartbeat_s = c->amqp_heartbeat / 1000, .connect_ms = c->amqp_connect, .confirm_ms = c->amqp_confirm,
		.backoff_min_ms = c->amqp_backoff_min, .backoff_max_ms = c->amqp_backoff_max,
	};

	if (c->amqp_declare)
		o.topology = topology_declares(t, &o.n_topology);
	return o;
}

const char *topology_delay_queue(const struct topology *t, int64_t delay_ms)
{
	for (int i = 0; i < t->n_delays; i++)
		if (t->delays[i].ms == delay_ms)
			return t->delays[i].name;
	return NULL;
}

int topology_delays(const struct topology *t)
{
	return t->n_delays;
}

const char *topology_delay_name(const struct topology *t, int i)
{
	return t->delays[i].name;
}

int64_t topology_delay_ms(const struct topology *t, int i)
{
	return t->delays[i].ms;
}

int64_t topology_tail(const struct topology *t)
{
	int64_t max = 0;

	for (int i = 0; i < t->n_delays; i++)
		max = t->delays[i].ms > max ? t->delays[i].ms : max;
	return max + t->grace_ms + TAIL_MS;
}
