#include "test_io.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "io/store.h"

/* A Redis of our own: these tests restart it and flush its scripts. */
static pid_t redis;
static char dir[64], unix_url[128];
static struct store *store;
static int ups, downs, answers, nulls;
static char why[256], text[64], error[256];
static int64_t number;
static int n_values;

static void on_up(void *arg UNUSED)
{
	ups++;
}

static void on_down(void *arg UNUSED, const char *reason)
{
	downs++;
	snprintf(why, sizeof(why), "%s", reason);
}

static void on_reply(void *arg UNUSED, const struct store_reply *r)
{
	answers++;
	nulls += !r;
	if (!r)
		return;
	snprintf(error, sizeof(error), "%s", r->error ? r->error : "");
	n_values = r->n;
	if (r->n > 0) {
		snprintf(text, sizeof(text), "%s", r->v[0].s);
		number = r->v[0].i;
	}
}

static bool is_up(void) { return store_is_up(store); }
static bool is_down(void) { return downs > 0; }
static bool was_up_twice(void) { return ups >= 2; }
static bool has_answer(void) { return answers >= 1; }
static bool has_all_answers(void) { return answers >= 10000; }

static void start_redis(void)
{
	char socket[96], log[96];

	snprintf(socket, sizeof(socket), "%s/s", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	redis = fork();
	if (redis == 0) {
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--requirepass",
		       "secret", "--dir", dir, "--logfile", log, (char *)NULL);
		_exit(127);
	}
}

static void stop_redis(void)
{
	kill(redis, SIGKILL);
	waitpid(redis, NULL, 0);
}

static void start_store(const char *url)
{
	static const struct store_callbacks callbacks = { .up = on_up, .down = on_down };
	struct store_options o = { .url = url, .connection_name = "test", .timeout_ms = 1500, .connect_ms = 500,
				   .backoff_min_ms = 10, .backoff_max_ms = 50, .rules = "local LEASE_MS = 1\n" };

	store = store_new(loop, &o, &callbacks, NULL);
}

static void setup_plain(void)
{
	io_setup();
	ups = downs = answers = nulls = 0;
}

static void setup(void)
{
	setup_plain();
	snprintf(dir, sizeof(dir), "/tmp/test_io_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(unix_url, sizeof(unix_url), "unix://%s/s?db=3&password=secret", dir);
	start_redis();
	start_store(unix_url);
	wait_for(is_up);
	downs = 0;			/* it was not there at once */
	ups = 1;
}

static void teardown(void)
{
	char path[96];

	store_free(&store);
	stop_redis();
	snprintf(path, sizeof(path), "%s/s", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/log", dir);
	unlink(path);
	rmdir(dir);
	io_teardown();
}

static void command(const char *word, const char *first, const char *second)
{
	struct store_arg args[3] = { STORE_ARG(word), { first, first ? strlen(first) : 0 }, { second, second ? strlen(second) : 0 } };

	answers = 0;
	ck_assert_int_eq(store_command(store, args, 1 + !!first + !!second, on_reply, NULL), 0);
	ck_assert_int_eq(answers, 0);
	wait_for(has_answer);
}

START_TEST(commands_and_kinds)
{
	command("SET", "k", "41");
	ck_assert_str_eq(text, "OK");
	command("INCR", "k", NULL);
	ck_assert_int_eq(number, 42);
	command("GET", "k", NULL);
	ck_assert_str_eq(text, "42");
	ck_assert_int_eq(number, 42);
	command("MGET", "k", "nothing");
	ck_assert_int_eq(n_values, 2);
	command("INCR", "k", "too many");
	ck_assert_int_eq(n_values, 0);
	ck_assert_ptr_nonnull(strstr(error, "wrong number of arguments"));
	ck_assert(store_is_up(store));
	command("CLIENT", "GETNAME", NULL);
	ck_assert_str_eq(text, "test");
	ck_assert_uint_eq(store_pending(store), 0);
}
END_TEST

static void call_script(void)
{
	struct store_arg keys[3] = { STORE_ARG("{1}:a"), STORE_ARG("{1}:b"), STORE_ARG("{1}:c") };

	answers = 0;
	error[0] = 0;
	ck_assert_int_eq(store_script(store, SCRIPT_ADMIT, 1, keys, 3, on_reply, NULL), 0);
	wait_for(has_answer);
	ck_assert_int_eq(nulls, 0);
}

/* Whatever admit makes of such arguments: Redis knew it, also after forgetting it. */
START_TEST(scripts_survive_a_flush)
{
	call_script();
	ck_assert_ptr_null(strstr(error, "NOSCRIPT"));
	command("SCRIPT", "FLUSH", NULL);
	call_script();
	ck_assert_ptr_null(strstr(error, "NOSCRIPT"));
	call_script();
	ck_assert_ptr_null(strstr(error, "NOSCRIPT"));
}
END_TEST

START_TEST(many_calls_under_way)
{
	struct store_arg args[2] = { STORE_ARG("INCR"), STORE_ARG("n") };

	answers = 0;
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(store_command(store, args, 2, on_reply, NULL), 0);
	ck_assert_uint_eq(store_pending(store), 10000);
	wait_for(has_all_answers);
	ck_assert_int_eq(number, 10000);
}
END_TEST

START_TEST(restart_answers_null_and_comes_back)
{
	struct store_arg ping = STORE_ARG("PING");

	answers = 0;
	kill(redis, SIGSTOP);
	ck_assert_int_eq(store_command(store, &ping, 1, on_reply, NULL), 0);
	loop_until(never, 50);
	stop_redis();
	wait_for(is_down);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(nulls, 1);
	ck_assert_int_eq(store_command(store, &ping, 1, on_reply, NULL), -1);
	start_redis();
	wait_for(was_up_twice);
	nulls = 0;
	call_script();
}
END_TEST

START_TEST(frozen_redis_times_out)
{
	struct store_arg ping = STORE_ARG("PING");

	answers = 0;
	kill(redis, SIGSTOP);
	ck_assert_int_eq(store_command(store, &ping, 1, on_reply, NULL), 0);
	ck_assert_int_eq(store_command(store, &ping, 1, on_reply, NULL), 0);
	wait_for(is_down);
	ck_assert_int_eq(nulls, 2);
	ck_assert_ptr_nonnull(strstr(why, "no answer in 1500 ms"));
	kill(redis, SIGCONT);
	wait_for(was_up_twice);
}
END_TEST

START_TEST(out_of_memory_means_away)
{
	struct store_arg set[] = { STORE_ARG("CONFIG"), STORE_ARG("SET"), STORE_ARG("maxmemory"), STORE_ARG("1") };
	struct store_arg put[] = { STORE_ARG("SET"), STORE_ARG("k"), STORE_ARG("v") };

	answers = 0;
	ck_assert_int_eq(store_command(store, set, 4, on_reply, NULL), 0);
	ck_assert_int_eq(store_command(store, put, 3, on_reply, NULL), 0);
	wait_for(is_down);
	ck_assert_int_eq(nulls, 1);
	ck_assert_ptr_nonnull(strstr(why, "OOM"));
}
END_TEST

static int again;

static void ask_again(void *arg UNUSED, const struct store_reply *r)
{
	ck_assert_ptr_null(r);
	again = store_command(store, (struct store_arg[]){ STORE_ARG("PING") }, 1, on_reply, NULL);
}

START_TEST(closed_it_gives_last_answers_and_takes_no_more)
{
	again = 0;
	ck_assert_int_eq(store_command(store, (struct store_arg[]){ STORE_ARG("PING") }, 1, ask_again, NULL), 0);
	store_close(store);
	ck_assert_int_eq(again, -1);
	ck_assert(!store_is_up(store));
	ck_assert_uint_eq(store_pending(store), 0);
	store_close(store);
	ck_assert_int_eq(store_command(store, (struct store_arg[]){ STORE_ARG("PING") }, 1, on_reply, NULL), -1);
}
END_TEST

START_TEST(replica_is_no_store)
{
	struct store_arg args[] = { STORE_ARG("REPLICAOF"), STORE_ARG("127.0.0.1"), STORE_ARG("1") };

	ck_assert_int_eq(store_command(store, args, 3, on_reply, NULL), 0);
	wait_for(has_answer);
	store_free(&store);
	start_store(unix_url);
	wait_for(is_down);
	ck_assert_ptr_nonnull(strstr(why, "ROLE is slave"));
}
END_TEST

START_TEST(wrong_password)
{
	char url[128];

	store_free(&store);
	snprintf(url, sizeof(url), "unix://%s/s?password=other", dir);
	start_store(url);
	wait_for(is_down);
	ck_assert_ptr_nonnull(strstr(why, "AUTH"));
	ck_assert_ptr_null(strstr(why, "other"));
}
END_TEST

/* ---- a Redis that is none ---- */

static bool say_nothing(struct peer_connection *c UNUSED, struct strbuf *out UNUSED)
{
	return false;
}

static bool say_nonsense(struct peer_connection *c, struct strbuf *out)
{
	static int round;

	if (c->in.len == 0)
		return false;
	strbuf_adds(out, round++ % 2 ? "GET / HTTP/1.1\r\n" : "*3\r\n*2\r\n:1\r\n$-1\r\n+x\r\n-ERR no\r\n*1000\r\n");
	return true;
}

static bool down_often(void) { return downs >= 20; }

static void against(bool (*say)(struct peer_connection *, struct strbuf *), bool (*is_enough)(void))
{
	char url[64];
	struct peer p;

	peer_start(&p, say);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d/1", p.port);
	start_store(url);
	wait_for(is_enough);
	ck_assert_int_eq(ups, 0);
	store_free(&store);
	peer_stop(&p);
}

START_TEST(silence_ends_with_the_deadline)
{
	against(say_nothing, is_down);
	ck_assert_ptr_nonnull(strstr(why, "no answer in 500 ms"));
}
END_TEST

START_TEST(nonsense_does_no_harm)
{
	against(say_nonsense, down_often);
}
END_TEST

START_TEST(nobody_listens)
{
	start_store("redis://localhost:1");
	wait_for(is_down);
	ck_assert_ptr_nonnull(strstr(why, "localhost:1"));
	store_free(&store);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_store");
	TCase *fake = io_case(s, "fake", setup_plain), *real = tcase_create("real");

	tcase_add_test(fake, silence_ends_with_the_deadline);
	tcase_add_test(fake, nonsense_does_no_harm);
	tcase_add_test(fake, nobody_listens);
	tcase_add_checked_fixture(real, setup, teardown);
	tcase_set_timeout(real, 120);
	suite_add_tcase(s, real);
	if (system("command -v redis-server >/dev/null 2>&1") == 0) {
		tcase_add_test(real, commands_and_kinds);
		tcase_add_test(real, scripts_survive_a_flush);
		tcase_add_test(real, many_calls_under_way);
		tcase_add_test(real, restart_answers_null_and_comes_back);
		tcase_add_test(real, frozen_redis_times_out);
		tcase_add_test(real, out_of_memory_means_away);
		tcase_add_test(real, closed_it_gives_last_answers_and_takes_no_more);
		tcase_add_test(real, replica_is_no_store);
		tcase_add_test(real, wrong_password);
	} else {
		printf("# tests with a real Redis are skipped: no redis-server\n");
	}
	return io_run(s);
}
