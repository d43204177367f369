/* Alerts over a real broker and a real Redis: two processes' alerts, one listener, connections that are lost. */
#include "test_io.h"

#include <fcntl.h>
#include <jansson.h>

#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "flow/alert.h"
#include "io/url.h"
#include "unit.h"

/* One process: what a sender has of alerts. */
struct process {
	struct broker *out;
	struct store *store;
	struct alerts *alerts;
	struct board_slot slot;
};

static struct process a, b;
static struct broker *listener;
static struct conf *conf;
static char queue[80], log_file[256], heard[16][64];
static json_t *last_event;
static int n_heard, n_values, backoff_ms = 20, timeout_ms = 15000;
static char value[64];

/* "raised held 3": state, kind and count, so that a whole test's messages can be compared. */
static void on_heard(void *arg UNUSED, const struct broker_delivery *d)
{
	json_error_t error;
	char key[128];

	json_decref(last_event);
	last_event = json_loadb(d->body, d->len, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(last_event != NULL, "%s", error.text);
	snprintf(heard[n_heard++ % ARRAY_LEN(heard)], sizeof(heard[0]), "%s %s %lld", json_string_value(json_object_get(last_event, "state")),
		 json_string_value(json_object_get(last_event, "kind")), (long long)json_integer_value(json_object_get(last_event, "count")));
	snprintf(key, sizeof(key), "alert.%s.%s", json_string_value(json_object_get(last_event, "severity")),
		 json_string_value(json_object_get(last_event, "kind")));
	ck_assert_msg(d->routing_key.len == strlen(key) && !memcmp(d->routing_key.p, key, strlen(key)), "%.*s", (int)d->routing_key.len,
		      d->routing_key.p);
	ck_assert(d->props.persistent);
	broker_ack(listener, d->tag);
}

static const char *amqp_url, *redis_url;
static const char no_broker[] = "amqp://127.0.0.1:1/", no_redis[] = "redis://127.0.0.1:1/0";

static struct broker *connect_broker(bool listens, const char *url)
{
	static const struct broker_callbacks hears = { .delivery = on_heard }, none = { .up = NULL };
	struct broker_declare topology[] = {
		{ .thing = BROKER_EXCHANGE, .name = conf->alert_exchange, .type = "topic" },
		{ .thing = BROKER_QUEUE, .name = queue },
		{ .thing = BROKER_BINDING, .name = queue, .exchange = conf->alert_exchange, .key = "alert.#" },
	};
	const char *queues[] = { queue };
	struct broker_options o = { .urls = &url, .n_urls = 1, .connection_name = "test", .topology = topology, .n_topology = listens ? 3 : 1,
				    .queues = queues, .n_queues = listens, .confirms = !listens, .backoff_min_ms = backoff_ms, .backoff_max_ms = backoff_ms };

	return broker_new(loop, &o, listens ? &hears : &none, NULL);
}

static void start(struct process *p, const char *amqp, const char *redis)
{
	static const struct store_callbacks none = { .up = NULL };

	p->out = connect_broker(false, amqp);
	p->store = store_new(loop, &(struct store_options){ .url = redis, .timeout_ms = timeout_ms, .backoff_min_ms = 10, .backoff_max_ms = 50 },
			     &none, NULL);
	p->alerts = alerts_new(conf, &p->slot, p->store, p->out);
}

static void stop(struct process *p)
{
	store_free(&p->store);
	broker_free(&p->out);
	if (p->alerts)
		alerts_free(&p->alerts);
	ck_assert_ptr_null(p->alerts);
}

static void set_text(char **setting, const char *text)
{
	free(*setting);
	*setting = mem_strdup(text);
}

static void setup(void)
{
	char name[80];
	int fd;

	io_setup();
	conf = conf_defaults();
	amqp_url = getenv("AMQP_URL");
	redis_url = getenv("REDIS_URL");
	snprintf(name, sizeof(name), "test_alert.%d.%llx", (int)getpid(), (unsigned long long)rand_u64());
	set_text(&conf->alert_exchange, name);
	set_text(&conf->redis_prefix, name);
	snprintf(queue, sizeof(queue), "%s", name);
	unit_temporary(log_file, sizeof(log_file), "test_alert");
	fd = mkstemp(log_file);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(log_open(log_file, LOG_LEVEL_INFO), 0);
}

static void teardown(void)
{
	stop(&a);
	stop(&b);
	broker_free(&listener);
	json_decref(last_event);
	conf_free(&conf);
	ck_assert_int_eq(log_open("stderr", LOG_LEVEL_INFO), 0);
	unlink(log_file);
	io_teardown();
}

static bool all_is_up(void)
{
	return (!a.out || (broker_is_up(a.out) && store_is_up(a.store))) && (!b.out || (broker_is_up(b.out) && store_is_up(b.store))) &&
	       (!listener || broker_is_up(listener));
}

static bool all_is_said(void)
{
	return (!a.alerts || alerts_kept(a.alerts) == 0) && (!b.alerts || alerts_kept(b.alerts) == 0);
}

/* As a sender does every second. */
static bool all_is_said_in_the_end(void)
{
	if (a.alerts)
		alerts_retry(a.alerts);
	if (b.alerts)
		alerts_retry(b.alerts);
	return all_is_said();
}

static void start_two_and_a_listener(void)
{
	start(&a, amqp_url, redis_url);
	start(&b, amqp_url, redis_url);
	listener = connect_broker(true, amqp_url);
	wait_for(all_is_up);
}

static int n_wanted;
static bool has_heard(void) { return n_heard >= n_wanted; }

/* The listener has heard just these.  What came too often would have come before the last: the queue keeps the order. */
static void check_heard(const char *const *want, int n)
{
	n_wanted = n;
	wait_for(has_heard);
	ck_assert_int_eq(n_heard, n);
	for (int i = 0; i < n; i++)
		ck_assert_str_eq(heard[i], want[i]);
}
#define heard_is(...) check_heard((const char *const[]){ __VA_ARGS__ }, ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

static const struct alert_subject subject = { .tenant_id = "acme", .account_id = "support", .what = "number:1" };
static const struct alert_subject marker = { .what = "marker" };

static void on_value(void *arg UNUSED, const struct store_reply *r)
{
	ck_assert(r && !r->error);
	n_values++;
	snprintf(value, sizeof(value), "%s", r->n && r->v[0].s ? r->v[0].s : "");
}

static bool has_value(void) { return n_values > 0; }

/* A field of the subject's record; "": absent. */
static const char *field(const char *name)
{
	char key[256];

	n_values = 0;
	snprintf(key, sizeof(key), "%sal:{held:acme/support/number:1}", conf->redis_prefix);
	ck_assert_int_eq(store_command(b.store ? b.store : a.store, (struct store_arg[]){ STORE_ARG("HGET"), STORE_ARG(key), STORE_ARG(name) }, 3,
				       on_value, NULL), 0);
	wait_for(has_value);
	return value;
}

/* "told" is nobody's to wait for, and comes on a connection of its own. */
static void wait_for_field(const char *name, const char *want)
{
	mono_t since = mono_now();

	while (strcmp(field(name), want))
		ck_assert_msg(mono_diff_ms(mono_now(), since) < 15000, "%s is %s, not %s", name, value, want);
}

static int lines_with(const char *text)
{
	FILE *f = fopen(log_file, "r");
	char line[2048];
	int n = 0;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

static uint64_t counted(const struct process *p, enum counter c)
{
	return p->slot.counters[c];
}

static void cut_port_of(const char *url)
{
	struct url u;
	struct strbuf why = STRBUF_INIT;
	int n = 0;

	ck_assert_msg(url_parse(url, &u, &why) == 0, "%s", why.buf);
	for (int fd = 3; fd < 256; fd++) {
		struct sockaddr_in sa;
		socklen_t len = sizeof(sa);

		if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 && sa.sin_family == AF_INET && ntohs(sa.sin_port) == u.port) {
			shutdown(fd, SHUT_RDWR);
			n++;
		}
	}
	ck_assert_int_gt(n, 0);
	url_release(&u);
	strbuf_release(&why);
}

START_TEST(a_hundred_raises_of_two_processes_are_one_message)
{
	start_two_and_a_listener();
	for (int i = 0; i < 100; i++) {
		alert_raise(a.alerts, ALERT_HELD, &subject, "Graph says %d", 131031);
		alert_raise(b.alerts, ALERT_HELD, &subject, "Graph says %d", 131031);
	}
	ck_assert_int_le(alerts_kept(a.alerts), 2);
	wait_for(all_is_said);
	wait_for_field("n", "200");
	wait_for_field("told", "1");
	wait_for_field("text", "Graph says 131031");
	alert_resolve(a.alerts, ALERT_HELD, &subject, "it sends again");
	alert_resolve(b.alerts, ALERT_HELD, &subject, "it sends again");
	wait_for(all_is_said);
	wait_for_field("s", "");
	heard_is("raised held 1", "resolved held 200");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "severity")), "warning");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "tenant_id")), "acme");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "account_id")), "support");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "what")), "number:1");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "text")), "it sends again");
	ck_assert_int_eq(lines_with(" warn "), 1);
	ck_assert_int_eq(lines_with("alert kind=held state=raised severity=warning tenant=acme account=support what=number:1 n=1: Graph says 131031"), 1);
	ck_assert_int_eq(lines_with("alert kind=held state=resolved severity=warning tenant=acme account=support what=number:1 n=200: it sends"), 1);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS) + counted(&b, COUNT_ALERTS), 2);
	ck_assert_uint_eq(counted(&a, COUNT_UNROUTED) + counted(&b, COUNT_UNROUTED), 0);
}
END_TEST

START_TEST(kinds_and_subjects_are_told_apart_and_what_goes_on_is_said_again)
{
	start_two_and_a_listener();
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	alert_raise(a.alerts, ALERT_BREAKER_OPEN, &subject, "two");
	alert_raise(a.alerts, ALERT_HELD, &marker, "three");
	wait_for(all_is_said);
	conf->alert_cooldown = 0;
	alert_raise(b.alerts, ALERT_HELD, &subject, "four");
	wait_for(all_is_said);
	heard_is("raised held 1", "raised breaker_open 1", "raised held 1", "again held 2");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "text")), "four");
}
END_TEST

static bool b_is_unconfirmed(void) { return broker_unconfirmed(b.out) > 0; }
static bool nothing_is_asked(void) { return store_pending(a.store) == 0; }
static bool one_is_unconfirmed(void) { return broker_unconfirmed(a.out) == 1; }
static bool a_is_down(void) { return !broker_is_up(a.out); }
static bool store_is_down(void) { return !store_is_up(a.store); }
static bool one_is_asked(void) { return store_pending(a.store) == 1; }

static bool the_last_is_heard(void) { return n_heard && !strcmp(heard[n_heard - 1], "raised message_refused 1"); }

/* This hook comes before the broker's, which writes: what was published has not left yet. */
static bool is_cut_before_it_left(void)
{
	if (one_is_unconfirmed())
		cut_port_of(amqp_url);
	return one_is_unconfirmed();
}

START_TEST(an_alert_that_did_not_leave_is_published_again)
{
	start_two_and_a_listener();
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	wait_for(is_cut_before_it_left);
	wait_for(a_is_down);
	ck_assert_int_eq(alerts_kept(a.alerts), 1);
	alert_raise(b.alerts, ALERT_HELD, &subject, "two");	/* known, if not to the listener */
	wait_for(all_is_said_in_the_end);
	wait_for_field("told", "1");
	ck_assert_uint_eq(counted(&a, COUNT_REPUBLISHED), 1);
	wait_for(all_is_up);
	heard_is("raised held 1");
	ck_assert_int_eq(lines_with("state=raised"), 1);	/* said once in the log, however often published */
}
END_TEST

/* Nobody can tell whether the broker has it: at least once. */
START_TEST(an_unconfirmed_alert_may_be_published_again)
{
	start_two_and_a_listener();
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	wait_for(one_is_unconfirmed);
	cut_port_of(amqp_url);
	wait_for(a_is_down);
	wait_for(all_is_said_in_the_end);
	wait_for(all_is_up);
	alert_raise(a.alerts, ALERT_MESSAGE_REFUSED, &marker, "last");
	wait_for(the_last_is_heard);
	ck_assert_int_ge(n_heard, 2);
	for (int i = 0; i < n_heard - 1; i++)
		ck_assert_str_eq(heard[i], "raised held 1");
	ck_assert_int_eq(lines_with("state=raised"), 2);
}
END_TEST

START_TEST(what_waits_for_the_broker_is_said_once_and_in_order)
{
	backoff_ms = 1000;		/* more than Redis needs to answer */
	start_two_and_a_listener();
	cut_port_of(amqp_url);
	wait_for(a_is_down);
	for (int i = 0; i < 5; i++)
		alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	alert_resolve(a.alerts, ALERT_HELD, &subject, "over");
	wait_for(nothing_is_asked);
	wait_for(all_is_said_in_the_end);
	wait_for(all_is_up);
	heard_is("raised held 1", "resolved held 1");
	ck_assert_uint_eq(counted(&a, COUNT_REPUBLISHED), 0);
}
END_TEST

/* What was not told is forgotten with its process; later the next one that sees it has the word. */
START_TEST(a_process_that_dies_leaves_its_word_to_the_next)
{
	char key[256], last[24];

	start_two_and_a_listener();
	alert_raise(b.alerts, ALERT_HELD, &marker, "asked");
	alert_raise(b.alerts, ALERT_HELD, &subject, "one");
	wait_for(b_is_unconfirmed);
	stop(&b);
	alert_raise(a.alerts, ALERT_HELD, &subject, "two");
	wait_for(all_is_said);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS), 0);
	snprintf(key, sizeof(key), "%sal:{held:acme/support/number:1}", conf->redis_prefix);
	snprintf(last, sizeof(last), "%lld", (long long)wall_ms() - 180000);
	n_values = 0;
	ck_assert_int_eq(store_command(a.store, (struct store_arg[]){ STORE_ARG("HSET"), STORE_ARG(key), STORE_ARG("last"), STORE_ARG(last) },
				       4, on_value, NULL), 0);
	wait_for(has_value);
	alert_raise(a.alerts, ALERT_HELD, &subject, "three");
	wait_for(all_is_said);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS), 1);
	wait_for_field("s", "raised");
	wait_for_field("told", "1");
}
END_TEST

START_TEST(what_waits_for_redis_is_asked_again)
{
	start_two_and_a_listener();
	cut_port_of(redis_url);
	wait_for(store_is_down);
	for (int i = 0; i < 3; i++)
		alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	ck_assert_int_eq(alerts_kept(a.alerts), 1);
	wait_for(all_is_said_in_the_end);
	wait_for(all_is_up);
	wait_for_field("n", "3");
	alert_resolve(b.alerts, ALERT_HELD, &subject, "over");
	wait_for(all_is_said);
	heard_is("raised held 3", "resolved held 3");
}
END_TEST

START_TEST(a_question_that_did_not_leave_is_asked_again)
{
	start_two_and_a_listener();
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	ck_assert(one_is_asked());
	cut_port_of(redis_url);
	wait_for(store_is_down);
	ck_assert_int_eq(alerts_kept(a.alerts), 1);
	alert_resolve(a.alerts, ALERT_HELD, &subject, "over");	/* who was asked about the raise gets it first */
	ck_assert_int_eq(alerts_kept(a.alerts), 2);
	wait_for(all_is_said_in_the_end);
	heard_is("raised held 1", "resolved held 1");
}
END_TEST

static void ignore_reply(void *arg UNUSED, const struct store_reply *r)
{
	ck_assert_ptr_null(r);
}

/* It ran, and Redis keeps the answer to itself. */
START_TEST(a_lost_answer_costs_no_alert)
{
	timeout_ms = 300;
	start(&a, amqp_url, redis_url);
	timeout_ms = 15000;
	start(&b, amqp_url, redis_url);
	listener = connect_broker(true, amqp_url);
	wait_for(all_is_up);
	ck_assert_int_eq(store_command(a.store, (struct store_arg[]){ STORE_ARG("CLIENT"), STORE_ARG("REPLY"), STORE_ARG("OFF") }, 3, ignore_reply,
				       NULL), 0);
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	wait_for(store_is_down);
	ck_assert_int_eq(alerts_kept(a.alerts), 1);
	wait_for_field("s", "raised");
	alert_resolve(a.alerts, ALERT_HELD, &subject, "over");
	wait_for(all_is_said_in_the_end);
	heard_is("raised held 1", "resolved held 1");
	wait_for_field("s", "");
}
END_TEST

START_TEST(of_what_nobody_was_asked_the_last_word_counts)
{
	start_two_and_a_listener();
	cut_port_of(redis_url);
	wait_for(store_is_down);
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	alert_resolve(a.alerts, ALERT_HELD, &subject, "over");
	alert_resolve(a.alerts, ALERT_HELD, &marker, "over");
	alert_raise(a.alerts, ALERT_HELD, &marker, "two");
	ck_assert_int_eq(alerts_kept(a.alerts), 2);
	wait_for(all_is_said_in_the_end);
	heard_is("raised held 1");
	ck_assert_str_eq(json_string_value(json_object_get(last_event, "text")), "two");
}
END_TEST

START_TEST(nobody_listens)
{
	start(&a, amqp_url, redis_url);
	wait_for(all_is_up);
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	wait_for(all_is_said);
	ck_assert_uint_eq(counted(&a, COUNT_UNROUTED), 1);
	wait_for_field("told", "1");
	ck_assert_int_eq(lines_with("state=raised"), 1);
}
END_TEST

START_TEST(without_an_exchange_the_log_has_it)
{
	set_text(&conf->alert_exchange, "");
	start(&a, no_broker, redis_url);
	alert_raise(a.alerts, ALERT_HOST_BREAKER_OPEN, &(struct alert_subject){ .what = "host:mta1" }, "no answer");
	wait_for(all_is_said_in_the_end);
	ck_assert_int_eq(lines_with("alert kind=host_breaker_open state=raised severity=critical tenant=- account=- what=host:mta1 n=1: no answer"), 1);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS), 1);
}
END_TEST

/* An exchange that is missing costs the connection: not for ever. */
START_TEST(what_the_broker_never_takes_is_given_up)
{
	start(&a, amqp_url, redis_url);
	wait_for(all_is_up);
	set_text(&conf->alert_exchange, "test_alert.nowhere");
	alert_raise(a.alerts, ALERT_HELD, &subject, "one");
	wait_for(all_is_said_in_the_end);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS_LOST), 1);
	ck_assert_uint_eq(counted(&a, COUNT_REPUBLISHED), 9);
	ck_assert_int_eq(lines_with("alert_lost kind=held verb=raise"), 1);
	wait_for_field("told", "0");
}
END_TEST

START_TEST(what_is_kept_is_bounded)
{
	char long_text[3000];

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	start(&a, no_broker, no_redis);
	for (int i = 0; i < 300; i++) {
		char what[32];

		snprintf(what, sizeof(what), "template:%d", i);
		alert_raise(a.alerts, ALERT_HELD, &(struct alert_subject){ .what = what }, "%s", long_text);
	}
	ck_assert_int_eq(alerts_kept(a.alerts), 256);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS_LOST), 44);
	alert_raise(a.alerts, ALERT_HELD, &(struct alert_subject){ .what = "template:44" }, "again");	/* the oldest that is left */
	ck_assert_int_eq(alerts_kept(a.alerts), 256);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS_LOST), 44);
	alert_raise(a.alerts, ALERT_HELD, &(struct alert_subject){ .what = "template:43" }, "again");
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS_LOST), 45);
	alerts_retry(a.alerts);
	ck_assert_int_eq(alerts_kept(a.alerts), 256);
}
END_TEST

/* All are under way: the one too many is not taken, and nothing is pulled from under a callback. */
START_TEST(more_than_is_kept_at_once)
{
	start_two_and_a_listener();
	for (int i = 0; i < 300; i++) {
		char what[32];

		snprintf(what, sizeof(what), "template:%d", i);
		alert_raise(a.alerts, ALERT_HELD, &(struct alert_subject){ .what = what }, "one");
	}
	ck_assert_int_eq(alerts_kept(a.alerts), 256);
	wait_for(all_is_said);
	n_wanted = 256;
	wait_for(has_heard);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS), 256);
	ck_assert_uint_eq(counted(&a, COUNT_ALERTS_LOST), 44);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("alert");
	TCase *fake = tcase_create("fake"), *real = tcase_create("real");

	tcase_add_checked_fixture(fake, setup, teardown);
	tcase_add_test(fake, what_is_kept_is_bounded);
	suite_add_tcase(s, fake);
	tcase_add_checked_fixture(real, setup, teardown);
	tcase_set_timeout(real, 120);
	suite_add_tcase(s, real);
	if (getenv("AMQP_URL") && getenv("REDIS_URL")) {
		tcase_add_test(real, a_hundred_raises_of_two_processes_are_one_message);
		tcase_add_test(real, kinds_and_subjects_are_told_apart_and_what_goes_on_is_said_again);
		tcase_add_test(real, an_alert_that_did_not_leave_is_published_again);
		tcase_add_test(real, an_unconfirmed_alert_may_be_published_again);
		tcase_add_test(real, what_waits_for_the_broker_is_said_once_and_in_order);
		tcase_add_test(real, a_process_that_dies_leaves_its_word_to_the_next);
		tcase_add_test(real, what_waits_for_redis_is_asked_again);
		tcase_add_test(real, a_question_that_did_not_leave_is_asked_again);
		tcase_add_test(real, a_lost_answer_costs_no_alert);
		tcase_add_test(real, of_what_nobody_was_asked_the_last_word_counts);
		tcase_add_test(real, nobody_listens);
		tcase_add_test(real, without_an_exchange_the_log_has_it);
		tcase_add_test(real, what_the_broker_never_takes_is_given_up);
		tcase_add_test(real, more_than_is_kept_at_once);
	} else {
		printf("# tests with a real broker and Redis are skipped: AMQP_URL or REDIS_URL is not set\n");
	}
	return io_run(s);
}
