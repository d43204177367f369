#include "test_io.h"

#include <sys/un.h>

#include "io/http_server.h"

static struct http_server *server;
static struct http_call *asked;
static int calls, gones, answered_at_once;
static char method[16], path[64], query[64], queries[64], header[64], body[256], path_name[96];
static size_t body_len;
static struct http_peer peer;
static int listener, client;
static char got[65536];
static size_t got_len;

static void on_gone(void *arg)
{
	gones++;
	*(struct http_call **)arg = NULL;
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "-");
}

static void on_call(void *arg UNUSED, struct http_call *c)
{
	const char *b = http_call_body(c, &body_len);

	calls++;
	copy(method, sizeof(method), http_call_method(c));
	copy(path, sizeof(path), http_call_path(c));
	copy(query, sizeof(query), http_call_query(c, "q"));
	queries[0] = 0;
	for (int i = 0; http_call_query_at(c, "q", i); i++)
		snprintf(queries + strlen(queries), sizeof(queries) - strlen(queries), "<%s>", http_call_query_at(c, "q", i));
	copy(header, sizeof(header), http_call_header(c, "X-Test"));
	snprintf(body, sizeof(body), "%.*s", (int)body_len, b);
	peer = http_call_peer(c);
	asked = c;
	http_call_on_gone(c, on_gone, &asked);
	if (answered_at_once) {
		asked = NULL;
		http_answer(c, 200, "text/plain", "now", 3);
	}
}

static void read_some(void)
{
	ssize_t n = recv(client, got + got_len, sizeof(got) - 1 - got_len, MSG_DONTWAIT);

	if (n > 0)
		got_len += (size_t)n;
	got[got_len] = 0;
}

static bool is_asked(void) { return asked; }
static bool is_gone(void) { return gones > 0; }
static bool has_status(void) { read_some(); return strstr(got, "\r\n\r\n"); }
static bool has_two_answers(void) { char *p; read_some(); p = strstr(got, "now"); return p && strstr(p + 1, "now"); }

static void setup(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct http_server_options o = { .body_max = 1000 };

	io_setup();
	calls = gones = answered_at_once = 0;
	asked = NULL;
	got_len = 0;
	got[0] = 0;
	snprintf(path_name, sizeof(path_name), "/tmp/test_io_http.%d", (int)getpid());
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_name);
	listener = o.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	server = http_server_new(loop, &o, on_call, NULL);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

static void teardown(void)
{
	http_server_free(&server);
	close(listener);
	if (client >= 0)
		close(client);
	unlink(path_name);
	io_teardown();
}

static void say(const char *text)
{
	ck_assert_int_eq(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

START_TEST(answer_comes_later)
{
	say("POST /a%20b/c?q=1%262&r HTTP/1.1\r\nHost: x\r\nX-Test: yes\r\nContent-Length: 5\r\n\r\nhe");
	loop_until(never, 50);
	ck_assert_int_eq(calls, 0);
	say("llo");
	wait_for(is_asked);
	ck_assert_str_eq(method, "POST");
	ck_assert_str_eq(path, "/a b/c");
	ck_assert_str_eq(query, "1&2");
	ck_assert_str_eq(header, "yes");
	ck_assert_str_eq(body, "hello");
	ck_assert(peer.known);
	ck_assert_int_eq((int)peer.pid, (int)getpid());
	loop_until(never, 50);
	http_answer(asked, 202, "application/json", "{}", 2);
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, "HTTP/1.1 202"));
	ck_assert_ptr_nonnull(strstr(got, "application/json"));
	ck_assert_int_eq(gones, 0);
}
END_TEST

START_TEST(a_parameter_may_come_again)
{
	answered_at_once = 1;
	say("GET /a?q=1&x=2&q=a%3Db&q&qq=3&q=4 HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(has_status);
	ck_assert_str_eq(query, "1");
	ck_assert_str_eq(queries, "<1><a=b><4>");
}
END_TEST

START_TEST(answers_at_once_and_keeps_alive)
{
	answered_at_once = 1;
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(has_two_answers);
	ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(announced_large_body_is_413)
{
	say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 413 "));
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(chunked_large_body_is_413)
{
	say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 20; i++)
		say("64\r\n0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n");
	say("0\r\n\r\n");
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 413 "));
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(client_goes_away)
{
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	close(client);
	client = -1;
	wait_for(is_gone);
	ck_assert_ptr_null(asked);
	loop_until(never, 50);
	ck_assert_int_eq(gones, 1);
}
END_TEST

START_TEST(half_closed_client_gets_its_answer)
{
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	shutdown(client, SHUT_WR);
	wait_for(is_asked);
	loop_until(never, 100);
	ck_assert_int_eq(gones, 0);
	http_answer(asked, 200, "text/plain", "late", 4);
	wait_for(has_status);
}
END_TEST

START_TEST(freed_with_a_question_open)
{
	say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	wait_for(is_asked);
	http_server_free(&server);
	ck_assert_int_eq(gones, 1);
}
END_TEST

START_TEST(nonsense_does_no_harm)
{
	answered_at_once = 1;
	say("\x16\x03\x01 nonsense\r\n\r\n\r\n");
	loop_until(never, 100);
	ck_assert_int_eq(calls, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_http_server");
	TCase *c = tcase_create("server");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, answer_comes_later);
	tcase_add_test(c, a_parameter_may_come_again);
	tcase_add_test(c, answers_at_once_and_keeps_alive);
	tcase_add_test(c, announced_large_body_is_413);
	tcase_add_test(c, chunked_large_body_is_413);
	tcase_add_test(c, client_goes_away);
	tcase_add_test(c, half_closed_client_gets_its_answer);
	tcase_add_test(c, freed_with_a_question_open);
	tcase_add_test(c, nonsense_does_no_harm);
	return io_run(s);
}
