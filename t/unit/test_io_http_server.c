#include "test_io.h"

#include <errno.h>
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

/* ---- a sink at /up: ?max=, ?refuse=1 answers at once, ?stop=N answers when more than N bytes came ---- */

static int64_t sunk, largest, stop_at;
static unsigned sum;
static struct http_call *uploading;

static void on_upload_gone(void *arg)
{
	gones++;
	*(struct http_call **)arg = NULL;
}

static void on_piece(void *arg, const void *data, size_t len)
{
	ck_assert_ptr_eq(arg, &sunk);
	ck_assert_ptr_nonnull(uploading);
	for (size_t i = 0; i < len; i++)
		sum = sum * 33 + ((const unsigned char *)data)[i];
	sunk += (int64_t)len;
	largest = (int64_t)len > largest ? (int64_t)len : largest;
	if (stop_at && sunk > stop_at) {
		http_answer(uploading, 507, "text/plain", "full", 4);
		uploading = NULL;
	}
}

static bool on_upload(void *arg UNUSED, struct http_call *c, struct http_sink *sink)
{
	const char *max = http_call_query(c, "max"), *stop = http_call_query(c, "stop");

	if (strcmp(http_call_path(c), "/up"))
		return false;
	if (http_call_query(c, "refuse")) {
		http_answer(c, 403, "text/plain", "no", 2);
		return false;
	}
	uploading = c;
	stop_at = stop ? strtoll(stop, NULL, 10) : 0;
	http_call_on_gone(c, on_upload_gone, &uploading);
	*sink = (struct http_sink){ .max = max ? strtoll(max, NULL, 10) : 100 << 20, .write = on_piece, .arg = &sunk };
	return true;
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
	struct http_server_options o = { .listen_fds = &listener, .n_listen = 1, .body_max = 1000, .on_upload = on_upload };

	io_setup();
	calls = gones = answered_at_once = 0;
	asked = uploading = NULL;
	sunk = largest = stop_at = 0;
	sum = 0;
	got_len = 0;
	got[0] = 0;
	snprintf(path_name, sizeof(path_name), "/tmp/test_io_http.%d", (int)getpid());
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_name);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
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

/* ---- bodies that go to a sink ---- */

static int64_t rest;			/* what the client still has to say */
static unsigned said_sum;
static struct loop_io talker;

static void on_talk(void *arg UNUSED, unsigned events UNUSED)
{
	char piece[50000];
	size_t n = rest < (int64_t)sizeof(piece) ? (size_t)rest : sizeof(piece);
	ssize_t done;

	for (size_t i = 0; i < n; i++)
		piece[i] = (char)((rest - (int64_t)i) * 7);
	done = send(client, piece, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (ssize_t i = 0; i < done; i++)
		said_sum = said_sum * 33 + (unsigned char)piece[i];
	rest -= done > 0 ? done : 0;
	if (rest == 0 || (done < 0 && errno != EAGAIN))
		loop_io_del(loop, &talker);
}

static void upload(const char *query_text, int64_t announced, int64_t said)
{
	char text[160];

	snprintf(text, sizeof(text), "POST /up?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %lld\r\n\r\n", query_text, (long long)announced);
	say(text);
	rest = said;
	said_sum = 0;
	loop_io_init(&talker, on_talk, NULL);
	loop_io_set(loop, &talker, client, LOOP_WRITE);
}

static bool has_sunk_some(void) { return sunk >= 100000; }

/* KiB of memory that the process has had at most. */
static long memory_peak(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");
	long kib = -1;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmHWM:", 6))
			kib = strtol(line + 6, NULL, 10);
	fclose(f);
	return kib;
}

START_TEST(a_large_body_goes_to_the_sink_and_nowhere_else)
{
	long before = memory_peak();

	answered_at_once = 1;
	upload("", 100 << 20, 100 << 20);
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 200 "));
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(body, "");
	ck_assert_int_eq(sunk, 100 << 20);
	ck_assert_uint_eq(sum, said_sum);
	ck_assert_int_le(largest, 65536);
	ck_assert_int_eq(gones, 0);
#ifndef __SANITIZE_ADDRESS__
	ck_assert_int_le(memory_peak() - before, 5 << 10);
#else
	(void)before;
#endif
}
END_TEST

START_TEST(other_bodies_are_handed_over_whole)
{
	answered_at_once = 1;
	say("POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	wait_for(has_status);
	ck_assert_str_eq(body, "hello");
	ck_assert_int_eq(sunk, 0);
}
END_TEST

START_TEST(more_than_the_sink_takes_is_413)
{
	upload("max=150000", 150001, 0);
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 413 "));
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(sunk, 0);
	ck_assert_int_eq(gones, 1);
}
END_TEST

START_TEST(more_than_the_sink_takes_in_chunks_is_413)
{
	say("POST /up?max=150 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 2; i++)
		say("64\r\n0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n");
	say("0\r\n\r\n");
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 413 "));
	ck_assert_int_eq(calls, 0);
	ck_assert_int_le(sunk, 150);
	ck_assert_int_eq(gones, 1);
}
END_TEST

START_TEST(a_sink_may_answer_before_the_end)
{
	upload("stop=100000", 1 << 20, 1 << 20);
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 507 "));
	ck_assert_int_eq(calls, 0);
	ck_assert_int_lt(sunk, 200000);
	ck_assert_int_eq(gones, 0);
}
END_TEST

START_TEST(a_refusal_needs_no_body)
{
	upload("refuse=1", 100 << 20, 0);
	wait_for(has_status);
	ck_assert_ptr_nonnull(strstr(got, " 403 "));
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_sink_hears_that_its_client_has_gone)
{
	upload("", 1 << 20, 200000);
	wait_for(has_sunk_some);
	loop_io_del(loop, &talker);
	close(client);
	client = -1;
	wait_for(is_gone);
	ck_assert_ptr_null(uploading);
	loop_until(never, 50);
	ck_assert_int_eq(gones, 1);
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(freed_in_the_middle_of_a_body)
{
	upload("", 1 << 20, 200000);
	wait_for(has_sunk_some);
	loop_io_del(loop, &talker);
	http_server_free(&server);
	ck_assert_int_eq(gones, 1);
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
	tcase_add_test(c, a_large_body_goes_to_the_sink_and_nowhere_else);
	tcase_add_test(c, other_bodies_are_handed_over_whole);
	tcase_add_test(c, more_than_the_sink_takes_is_413);
	tcase_add_test(c, more_than_the_sink_takes_in_chunks_is_413);
	tcase_add_test(c, a_sink_may_answer_before_the_end);
	tcase_add_test(c, a_refusal_needs_no_body);
	tcase_add_test(c, a_sink_hears_that_its_client_has_gone);
	tcase_add_test(c, freed_in_the_middle_of_a_body);
	return io_run(s);
}
