#include "api/lane_count.h"

#include "base/mem.h"
#include "flow/lane.h"
#include "io/broker.h"

enum { CONNECT_MS = 5000, DEADLINE_MS = 20000 };

struct lane_count {
	struct loop *loop;
	const struct conf *conf;
	struct lane_counted *lanes;
	int n, left;			/* queues that are not counted yet */
	lane_count_done_f *done;
	void *arg;
	struct broker *broker;
	mono_t began;
	bool has_run, is_over, ok;
	struct loop_timer deadline, end;
	struct one { struct lane_count *c; int64_t *to; } *ones;
};

/* Not at once: a broker may not be freed in its own callback. */
static void finish(struct lane_count *c, bool ok)
{
	if (c->is_over)
		return;
	c->is_over = true;
	c->ok = ok;
	loop_timer_set(c->loop, &c->end, 0);
}

static void on_end(void *arg)
{
	struct lane_count *c = arg;

	c->done(c->arg, c->ok);
}

static void on_deadline(void *arg)
{
	finish(arg, false);
}

static void on_counted(void *arg, int64_t ready)
{
	struct one *one = arg;
	struct lane_count *c = one->c;

	if (ready == BROKER_NO_COUNT) {
		finish(c, false);
		return;
	}
	*one->to = ready == BROKER_NO_QUEUE ? 0 : ready;
	if (--c->left == 0)
		finish(c, true);
}

static void on_up(void *arg)
{
	struct lane_count *c = arg;
	char name[LANE_NAME_MAX];

	c->has_run = true;
	for (int i = 0; i < 2 * c->n; i++) {
		struct lane_counted *lane = &c->lanes[i / 2];
		bool high = i % 2;

		lane_name(c->conf, lane->account->phone_number_id, high, name);
		c->ones[i] = (struct one){ c, high ? &lane->high : &lane->normal };
		if (broker_peek_count(c->broker, name, on_counted, &c->ones[i]) < 0) {
			finish(c, false);
			return;
		}
	}
}

static void on_down(void *arg, const char *why)
{
	struct lane_count *c = arg;

	(void)why;
	if (c->has_run || mono_diff_ms(mono_now(), c->began) > CONNECT_MS)
		finish(c, false);
}

static void on_refused(void *arg, const char *why)
{
	(void)why;
	finish(arg, false);
}

struct lane_count *lane_count_new(struct loop *l, const struct conf *conf, struct lane_counted *lanes, int n,
				  lane_count_done_f *done, void *arg)
{
	static const struct broker_callbacks callbacks = { .up = on_up, .down = on_down, .refused = on_refused };
	struct lane_count *c = mem_alloc(sizeof(*c));

	*c = (struct lane_count){ .loop = l, .conf = conf, .lanes = lanes, .n = n, .left = 2 * n, .done = done, .arg = arg,
				  .began = mono_now() };
	c->ones = mem_array(2 * (size_t)n, sizeof(*c->ones));
	loop_timer_init(&c->deadline, on_deadline, c);
	loop_timer_init(&c->end, on_end, c);
	loop_timer_set(l, &c->deadline, DEADLINE_MS);
	c->broker = broker_new(l, &(struct broker_options){
		.urls = (const char *const *)conf->amqp_urls.v, .n_urls = conf->amqp_urls.n, .connection_name = "wamd keeper lanes",
		.ca_file = *conf->amqp_ca_file ? conf->amqp_ca_file : NULL, .heartbeat_s = conf->amqp_heartbeat / 1000,
		.connect_ms = conf->amqp_connect, .confirm_ms = conf->amqp_confirm, .backoff_min_ms = conf->amqp_backoff_min,
		.backoff_max_ms = 1000 }, &callbacks, c);
	return c;
}

void lane_count_free(struct lane_count **cp)
{
	struct lane_count *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	c->is_over = true;
	broker_free(&c->broker);
	loop_timer_stop(c->loop, &c->deadline);
	loop_timer_stop(c->loop, &c->end);
	free(c->ones);
	free(c);
}
