/*
 * What a message costs at each step of its way through a sender, without what the network does.  Each step_ function takes CALLS messages
 * through one step; t/t1950-instructions.sh counts what they execute.  Here it is seen that each step does its work.
 */
#include "test_conf.h"
#include "test_io.h"

#include "base/log.h"
#include "flow/delivery.h"
#include "flow/pace.h"
#include "flow/topology.h"

enum { CALLS = 100, SETS = 4 };	/* t/instructions divides by it */

static const char body[] = "{\"id\":\"order-4711\",\"tenant_id\":\"acme\",\"account_id\":\"support\",\"to\":\"+491511234567\",\"type\":\"text\","
			   "\"text\":{\"body\":\"Hello Ann, your parcel is on its way and will be with you tomorrow.\"},"
			   "\"correlation_id\":\"c-4711\",\"priority\":3,\"metadata\":{\"campaign\":\"autumn\"}}";
static const char answer_text[] = "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+491511234567\",\"wa_id\":\"491511234567\"}],"
				  "\"messages\":[{\"id\":\"wamid.HBgNNDkxNTExMjM0NTY3FQIAERgSNDRBNkM1RDc4OTAxMjM0NQA=\"}]}";

static struct conf *conf;
static struct sender *sender;
static struct board_slot *slot;
static struct message_rules rules;
static struct delivery *set[SETS][CALLS + 1];	/* one of each set first, so that what is made once is there */

static bool is_up(void)
{
	return broker_is_up(sender->in) && broker_is_up(sender->out) && store_is_up(sender->store);
}

static void accept_one(void)
{
	static uint64_t tag;
	struct broker_delivery in = {
		.tag = { ++tag, broker_generation(sender->in) }, .body = body, .len = sizeof(body) - 1,
		.props = { .content_type = BROKER_TEXT("application/json"), .message_id = BROKER_TEXT("order-4711"), .priority = 3,
			   .timestamp_s = 1764000000, .persistent = true, .n_headers = 1,
			   .headers = { { BROKER_TEXT("X-Correlation-ID"), BROKER_TEXT("c-4711") } } } };

	intake_accept(sender, &in, NULL, false);
}

/* ---- the steps ---- */

/* Callgrind's first dump has all that went before. */
static void begin(int i UNUSED)
{
	__asm__ volatile("");		/* or the compiler sees that there is nothing to call */
}

static void decode(int i UNUSED)
{
	struct message m;

	if (message_decode(&m, &rules, body, sizeof(body) - 1, NULL) != REASON_NONE)
		BUG("decode");
	message_release(&m);
}

static void admit(int i)
{
	admit_ask(set[0][i]);
}

static void post(int i)
{
	send_post(set[1][i]);
}

static void answer(int i)
{
	answer_read(&set[2][i]->answer, &conf->error_classes, 200, answer_text, sizeof(answer_text) - 1, -1, NULL);
}

static void settle(int i)
{
	settle_first(set[2][i]);
}

static void conclude(int i)
{
	conclude_accepted(set[3][i], set[2][i]->answer.wamid);
}

/* A function each, which callgrind can tell apart. */
#define STEPS(STEP) STEP(begin) STEP(decode) STEP(admit) STEP(post) STEP(answer) STEP(settle) STEP(conclude)
#define STEP(name) \
	static __attribute__((noinline, noclone)) void step_##name(void) \
	{ \
		for (int i = 0; i < CALLS; i++) \
			name(i); \
	}
STEPS(STEP)
#undef STEP

/* ---- a sender with messages in hand ---- */

static void configure(void)
{
	struct strbuf text = STRBUF_INIT;
	const char *amqp = getenv("AMQP_URL"), *redis = getenv("REDIS_URL");

	ck_assert_msg(amqp && redis, "t/run gives AMQP_URL and REDIS_URL");
	put("installation.key", 0600, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	put("app.secret", 0600, "0123456789abcdef0123456789abcdef\n");
	put("tenants.d/acme.conf", 0600, "tenant: { id = \"acme\"; accounts = ( { id = \"support\"; phone_number_id = \"1023456789\";"
		" waba_id = \"2034567890\"; access_token = \"EAAG.test\"; rate = 1000; } ); };");
	strbuf_addf(&text, "amqp: { urls = [\"%s\"]; inputs = [\"hot.in.%d\"]; prefetch = 2000; status_exchange = \"hot.status.%d\"; };\n", amqp, (int)getpid(),
		    (int)getpid());
	strbuf_addf(&text, "redis: { url = \"%s\"; prefix = \"hot.%d:\"; timeout = \"10s\"; };\nstate_dir = \"%s\";\nwebhook: { apps = [\"main=app.secret\"]; };\n"
		    "graph: { url = \"https://127.0.0.1:1\"; };\n", redis, (int)getpid(), dir);
	conf = must_load(text.buf);
	strbuf_release(&text);
}

/* Straight to the state in which a step begins. */
static void advance(struct delivery *d, enum delivery_state to)
{
	for (int state = d->state + 1; state <= (int)to; state++)
		delivery_enter(d, (enum delivery_state)state);
	d->attempt = 1;
	d->timeout_ms = conf->graph_timeout;
	d->lease_end = mono_add_ms(mono_now(), conf->graph_timeout);
	d->post_ms = wall_ms();
	d->post_at = mono_now();
}

static void take_all(void)
{
	struct pace *p = pace_of(sender, tenant_account(conf_tenant(conf, "acme"), "support"));

	for (int i = 0; i < SETS * (CALLS + 1); i++)
		accept_one();
	ck_assert_int_eq(p->n_ready, SETS * (CALLS + 1));
	for (int k = 0; k < SETS; k++)
		for (int i = 0; i <= CALLS; i++)
			set[k][i] = pace_next(p);
	for (int i = 0; i <= CALLS; i++) {
		advance(set[1][i], DELIVERY_SENDING);
		advance(set[2][i], DELIVERY_SETTLING);
		advance(set[3][i], DELIVERY_SETTLING);
	}
}

static void setup(void)
{
	struct strbuf why = STRBUF_INIT;
	struct board *board;
	int fd;

	in_a_directory();
	io_setup();
	log_set_level(LOG_LEVEL_WARN);
	http_global_setup();
	configure();
	board = board_new(&fd);
	slot = board_take(board, "sender", 0);
	rules = message_rules(conf);
	sender = sender_new(loop, conf, board, slot, 0, -1, &why);
	ck_assert_msg(sender != NULL, "%s", why.buf);
	wait_for(is_up);
	take_all();
}

static void teardown(void)
{
	sender_free(&sender);
	conf_free(&conf);
	io_teardown();
	clean();
}

START_TEST(every_step_does_its_work)
{
#define STEP(name) name(CALLS);
	STEPS(STEP)
#undef STEP
	step_begin();
	step_decode();
	step_admit();
	ck_assert_int_eq(store_pending(sender->store), CALLS + 2);	/* settle's first is among them */
	step_post();
	ck_assert_int_eq(http_in_flight(sender->http), CALLS + 1);
	ck_assert_ptr_nonnull(strstr(set[1][0]->post.buf, "\"to\":\"+491511234567\""));
	step_answer();
	ck_assert_int_eq(set[2][0]->answer.outcome, OUTCOME_SENT);
	step_settle();
	ck_assert_int_eq(store_pending(sender->store), 2 * CALLS + 2);
	ck_assert_str_eq(set[2][0]->settle_as, "sent");
	step_conclude();
	ck_assert_int_eq(broker_unconfirmed(sender->out), CALLS + 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hot path");
	TCase *c = unit_case(s, "steps");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, every_step_does_its_work);
	return unit_run(s);
}
