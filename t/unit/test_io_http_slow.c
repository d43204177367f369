/* What a slow client may do, headers of answers, and what a drain leaves open. */
#include "test_io.h"

#include <errno.h>
#include <sys/un.h>

#include "base/clock.h"
#include "io/http_server.h"

enum { SLOW_MS = 300, LONG_MS = 5000, PATIENT_MS = 60000, CONNECTIONS = 3 };

static struct http_server *server;
static struct http_call *asked;
static int listener, client, calls, gones;
static size_t got_len;
static char path_name[64], got[4096];

static void on_gone(void *arg UNUSED)
{
	gones++;
	asked = NULL;
}

static void on_call(void *arg UNUSED, struct http_call *c)
{
	calls++;
	asked = c;
	http_call_on_gone(c, on_gone, NULL);
}

static int dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_name);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void begin(int64_t slow_ms)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	io_setup();
	asked = NULL;
	calls = gones = 0;
	got_len = 0;
	snprintf(path_name, sizeof(path_name), "/tmp/test_io_http_slow.%d", (int)getpid());
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_name);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	server = http_server_new(loop, &(struct http_server_options){ .listen_fds = &listener, .n_listen = 1, .slow_ms = slow_ms,
									 .connections_max = CONNECTIONS }, on_call, NULL);
	client = dial();
}

static void setup(void)
{
	begin(SLOW_MS);
}

static void setup_patient(void)
{
	begin(PATIENT_MS);
}

static void teardown(void)
{
	http_server_free(&server);
	close(listener);
	close(client);
	unlink(path_name);
	io_teardown();
}

static void say_to(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void say(const char *text)
{
	say_to(client, text);
}

static bool is_cut(void)
{
	ssize_t n = recv(client, got + got_len, sizeof(got) - 1 - got_len, MSG_DONTWAIT);

	if (n > 0)
		got_len += (size_t)n;
	got[got_len] = 0;
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static bool is_asked(void) { return asked; }
static bool is_answered(void) { return is_cut() || strstr(got, "now"); }

/* A byte each 20 ms, or none; how long until it is cut. */
static int64_t drip(const char *text)
{
	mono_t began = mono_now();

	while (!is_cut() && mono_diff_ms(mono_now(), began) < LONG_MS) {
		if (*text && send(client, text++, 1, MSG_NOSIGNAL) < 0)
			break;
		loop_until(never, 20);
	}
	return mono_diff_ms(mono_now(), began);
}

#define AAAA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* It moves all the time, so libmicrohttpd has patience with it. */
START_TEST(who_drips_is_cut)
{
	static const struct { const char *at_once, *slowly; } rows[] = {
		{ "", "" }, { "", "GET /a HTTP/1.1\r\nHost: x\r\nX-A: " AAAA AAAA }, { "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n", AAAA AAAA },
	};
	int64_t ms;

	say(rows[_i].at_once);
	ms = drip(rows[_i].slowly);
	ck_assert_msg(ms >= SLOW_MS - 50 && ms < LONG_MS / 2, "%d ms", (int)ms);
	ck_assert_int_eq(calls, 0);
}
END_TEST

/* We are slow, not the client.  And the next request has its time from the answer on. */
START_TEST(who_waits_for_us_is_not_cut)
{
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	loop_until(never, 2 * SLOW_MS);
	ck_assert_int_eq(gones, 0);
	http_answer_header(asked, "X-One", "1");
	http_answer_header(asked, "X-Two", "2");
	http_answer(asked, 200, "text/plain", "now", 3);
	asked = NULL;
	wait_for(is_answered);
	ck_assert_ptr_nonnull(strstr(got, "X-One: 1\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "X-Two: 2\r\n"));
	ck_assert_ptr_null(strstr(got, "Connection: close"));
	say("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	http_answer(asked, 200, "text/plain", "now", 3);
	ck_assert_int_lt(drip(""), LONG_MS / 2);
}
END_TEST

START_TEST(a_drain_closes_what_rests)
{
	loop_until(never, 30);			/* it is accepted */
	http_server_drain(server);
	wait_for(is_cut);
	loop_until(never, 30);
	ck_assert(http_server_is_idle(server));
}
END_TEST

/* A request that was on its way still gets its answer, and the connection is not kept. */
START_TEST(a_drain_answers_what_is_on_its_way)
{
	loop_until(never, 30);
	http_server_drain(server);
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	loop_until(never, 1300);
	http_answer(asked, 200, "text/plain", "now", 3);
	wait_for(is_cut);
	ck_assert_ptr_nonnull(strstr(got, "Connection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "now"));
}
END_TEST

static int others[CONNECTIONS];

static bool is_over(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static bool first_other_is_over(void) { return is_over(others[0]); }

/* Whoever holds all connections there may be keeps nobody out; and who is being answered is not cut for another. */
START_TEST(who_hangs_longest_makes_room)
{
	struct http_call *first;

	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	first = asked;
	asked = NULL;
	for (int i = 0; i < CONNECTIONS; i++) {
		others[i] = dial();
		say_to(others[i], "GET /half HTTP");
		loop_until(never, 30);
	}
	wait_for(first_other_is_over);
	ck_assert(!is_over(others[1]) && !is_over(others[2]));
	say_to(others[2], "/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	http_answer(asked, 200, "text/plain", "now", 3);
	http_answer(first, 200, "text/plain", "now", 3);
	wait_for(is_answered);
	ck_assert_ptr_nonnull(strstr(got, "now"));
	ck_assert_int_eq(gones, 0);
	for (int i = 0; i < CONNECTIONS; i++)
		close(others[i]);
}
END_TEST

static bool refused_word(const char *word)
{
	return is_cut() && strstr(got, word);
}

static bool is_refused(void) { return refused_word("429 Too Many Requests"); }
static bool has_room(void) { return calls > 0; }

static void setup_shared(void)
{
	begin(PATIENT_MS);
	http_server_free(&server);
	server = http_server_new(loop, &(struct http_server_options){ .listen_fds = &listener, .n_listen = 1, .slow_ms = PATIENT_MS,
									 .per_uid_max = CONNECTIONS - 1 }, on_call, NULL);
	close(client);
}

/* Where there is room for others, a user has no more than its own share; those it has stay, and one that goes makes room. */
START_TEST(a_user_has_no_more_than_its_share)
{
	for (int i = 0; i < CONNECTIONS - 1; i++) {
		others[i] = dial();
		say_to(others[i], "GET /half HTTP");
		loop_until(never, 30);
	}
	client = dial();
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_refused);
	ck_assert_ptr_nonnull(strstr(got, "\"code\":\"too_many_connections\""));
	ck_assert(calls == 0 && !is_over(others[0]) && !is_over(others[1]));
	close(others[0]);
	close(client);
	loop_until(never, 30);
	client = dial();
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(has_room);
	ck_assert_int_eq(http_call_peer(asked).uid, getuid());
	http_answer(asked, 200, "text/plain", "now", 3);
	close(others[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_http_slow");
	TCase *c = tcase_create("slow");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_loop_test(c, who_drips_is_cut, 0, 3);
	tcase_add_test(c, who_waits_for_us_is_not_cut);
	tcase_add_test(c, a_drain_closes_what_rests);
	tcase_add_test(c, a_drain_answers_what_is_on_its_way);
	c = tcase_create("many");
	tcase_add_checked_fixture(c, setup_patient, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, who_hangs_longest_makes_room);
	c = tcase_create("shared");
	tcase_add_checked_fixture(c, setup_shared, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, a_user_has_no_more_than_its_share);
	return io_run(s);
}
