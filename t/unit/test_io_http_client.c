#include "test_io.h"

#include "io/http_client.h"

#define MARK "{\"marker\":1}"

static struct http_client *client;
static struct peer server;
static int results, fates[3], bodies, requests, body_reads;
static struct http_result last;
static char last_body[4096], last_why[256], last_usage[128], last_trace[64], last_etag[64];
static bool may_start;
static struct strbuf spent;		/* the body's place, where a test gives it away */
static char last_method[16];

static void on_done(void *arg UNUSED, const struct http_result *r)
{
	results++;
	fates[r->fate]++;
	last = *r;
	snprintf(last_body, sizeof(last_body), "%.*s", (int)r->len, r->body);
	snprintf(last_why, sizeof(last_why), "%s", r->why);
	snprintf(last_usage, sizeof(last_usage), "%s", r->usage);
	snprintf(last_trace, sizeof(last_trace), "%s", r->trace);
	snprintf(last_etag, sizeof(last_etag), "%s", r->etag);
}

static bool on_may_start(void *arg UNUSED)
{
	return may_start;
}

static void on_body_read(void *arg UNUSED)
{
	body_reads++;
}

static bool has_result(void) { return results >= 1; }
static bool has_two(void) { return results >= 2; }
static bool has_many(void) { return results >= 500; }

static void setup(void)
{
	struct http_client_options o = { .http_version = 11, .window = 8, .connect_ms = 500, .answer_max = 1000, .allow_plain = true,
					 .small = true };

	io_setup();
	http_global_setup();
	client = http_client_new(loop, &o);
	results = bodies = requests = body_reads = 0;
	memset(fates, 0, sizeof(fates));
	may_start = true;
}

static void teardown(void)
{
	http_client_free(&client);
	if (server.io.fd > 0)
		peer_stop(&server);
	io_teardown();
}

static void send_to(const char *method, int port, int64_t timeout_ms)
{
	static const char *const lines[] = { "Authorization: Bearer secret", "Content-Type: application/json" };
	struct http_headers *h = http_headers_new(lines, 2);
	char url[64];
	struct http_request r = {
		.method = method, .url = url, .headers = h, .timeout_ms = timeout_ms, .may_start = on_may_start,
		.body_read = on_body_read, .done = on_done,
	};

	if (*method == 'P') {
		r.body = spent.len ? spent.buf : MARK;
		r.len = sizeof(MARK) - 1;
		r.spent = spent.len ? &spent : NULL;
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x?secret=1", port);
	http_send(client, &r);
	http_headers_unref(&h);
	memset(url, 0, sizeof(url));
}

/* A whole request taken off the front of what came; POSTs, PUTs and PATCHes here carry MARK, others nothing. */
static bool take_request(struct peer_connection *c)
{
	char *head = strstr(c->in.buf, "\r\n\r\n");
	size_t len;

	if (!head)
		return false;
	len = (size_t)(head - c->in.buf) + 4;
	ck_assert_ptr_null(strstr(c->in.buf, "Expect"));
	ck_assert_ptr_nonnull(strstr(c->in.buf, "Authorization: Bearer secret"));
	snprintf(last_method, sizeof(last_method), "%.*s", (int)strcspn(c->in.buf, " "), c->in.buf);
	if (*last_method == 'P') {
		ck_assert_ptr_nonnull(strcasestr(c->in.buf, "Content-Length: 12\r\n"));
		if (c->in.len < len + sizeof(MARK) - 1)
			return false;
		ck_assert_int_eq(memcmp(c->in.buf + len, MARK, sizeof(MARK) - 1), 0);
		len += sizeof(MARK) - 1;
		bodies++;
	}
	requests++;
	strbuf_drop_front(&c->in, len);
	return true;
}

static bool answers(struct peer_connection *c, struct strbuf *out)
{
	while (take_request(c))
		strbuf_adds(out, "HTTP/1.1 429 Slow\r\nContent-Length: 2\r\nRetry-After: 7\r\nX-FB-Trace-Id: tr\r\n"
			    "x-business-use-case-usage: {\"a\":1}\r\n\r\nok");
	return false;
}

static bool reads_and_closes(struct peer_connection *c, struct strbuf *out UNUSED)
{
	return take_request(c);
}

static bool answers_once(struct peer_connection *c, struct strbuf *out)
{
	if (!take_request(c))
		return false;
	if (requests == 1)
		strbuf_adds(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	return requests > 1;
}

static bool cuts_the_answer(struct peer_connection *c, struct strbuf *out)
{
	if (!take_request(c))
		return false;
	strbuf_adds(out, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nok");
	return true;
}

static bool says_nothing(struct peer_connection *c, struct strbuf *out UNUSED)
{
	(void)take_request(c);
	return false;
}

static bool answers_long(struct peer_connection *c, struct strbuf *out)
{
	if (!take_request(c))
		return false;
	strbuf_adds(out, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n");
	for (int i = 0; i < 3000; i++)
		strbuf_addc(out, 'x');
	return false;
}

static bool redirects(struct peer_connection *c, struct strbuf *out)
{
	if (take_request(c))
		strbuf_adds(out, "HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: /other\r\n\r\n");
	return false;
}

static const char *etag_lines[] = { "ETag: \"v1\"\r\n", "etag:W/\"v2\"  \r\n", "" };

/* The same connection, an answer each: an ETag is that of its own answer. */
static bool answers_with_etag(struct peer_connection *c, struct strbuf *out)
{
	if (take_request(c))
		strbuf_addf(out, "HTTP/1.1 %s\r\n%s%s\r\n", requests == 2 ? "304 Not Modified" : "200 OK", etag_lines[requests - 1],
			    requests == 2 ? "" : "Content-Length: 0\r\n");
	return false;
}

START_TEST(answer_is_whole)
{
	peer_start(&server, answers);
	send_to("POST", server.port, 2000);
	ck_assert_int_eq(results, 0);
	ck_assert_uint_eq(http_in_flight(client), 1);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_int_eq(last.status, 429);
	ck_assert_int_eq(last.retry_after_s, 7);
	ck_assert_int_eq(last.http_version, 11);
	ck_assert(last.new_connection);
	ck_assert_str_eq(last_body, "ok");
	ck_assert_str_eq(last_usage, "{\"a\":1}");
	ck_assert_str_eq(last_trace, "tr");
	ck_assert_int_eq(body_reads, 1);
	send_to("GET", server.port, 2000);
	wait_for(has_two);
	ck_assert(!last.new_connection);
	ck_assert_int_eq(bodies, 1);
	ck_assert_int_eq(server.accepted, 1);
	ck_assert_uint_eq(http_in_flight(client), 0);
}
END_TEST

START_TEST(close_after_reading_is_unknown)
{
	peer_start(&server, reads_and_closes);
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	ck_assert_int_eq(last.status, 0);
	ck_assert_int_eq(bodies, 1);
	ck_assert_ptr_null(strstr(last_why, "secret"));
}
END_TEST

START_TEST(kept_alive_close_sends_no_second_body)
{
	peer_start(&server, answers_once);
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	send_to("POST", server.port, 2000);
	wait_for(has_two);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	loop_until(never, 200);
	ck_assert_int_eq(bodies, 2);		/* the second once, not twice */
}
END_TEST

START_TEST(cut_answer_is_unknown)
{
	peer_start(&server, cuts_the_answer);
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	ck_assert_int_eq(bodies, 1);
}
END_TEST

START_TEST(silence_is_unknown)
{
	peer_start(&server, says_nothing);
	send_to("POST", server.port, 300);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	ck_assert_int_ge(last.elapsed_us, 290000);
	ck_assert_int_lt(last.elapsed_us, 2000000);
}
END_TEST

START_TEST(refused_connect_is_not_sent)
{
	send_to("POST", 1, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_NOT_SENT);
	ck_assert_int_eq(last.curl_code, 7);
	ck_assert_int_eq(body_reads, 0);
}
END_TEST

START_TEST(a_body_given_away_is_released_once_it_is_taken)
{
	strbuf_adds(&spent, MARK);
	send_to("POST", 1, 2000);
	wait_for(has_result);
	ck_assert_str_eq(spent.buf, MARK);	/* it was not taken: the caller may need it */
	peer_start(&server, answers);
	send_to("POST", server.port, 2000);
	wait_for(has_two);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_int_eq(bodies, 1);
	ck_assert_uint_eq(spent.size, 0);
}
END_TEST

START_TEST(last_word_is_kept)
{
	peer_start(&server, answers);
	may_start = false;
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_NOT_SENT);
	ck_assert_int_eq(last.curl_code, 42);
	loop_until(never, 100);
	ck_assert_int_eq(requests, 0);
}
END_TEST

START_TEST(waiting_for_a_connection_is_not_sent)
{
	peer_start(&server, says_nothing);
	for (int i = 0; i < 12; i++)
		send_to("POST", server.port, i < 8 ? 1000 : 400);
	while (results < 12)
		loop_until(never, 50);
	ck_assert_int_eq(fates[HTTP_UNKNOWN], 8);
	ck_assert_int_eq(fates[HTTP_NOT_SENT], 4);
	ck_assert_int_eq(bodies, 8);
}
END_TEST

START_TEST(long_answer_is_cut)
{
	peer_start(&server, answers_long);
	send_to("GET", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert(last.truncated);
	ck_assert_uint_eq(last.len, 1000);
	ck_assert_int_eq(last.retry_after_s, 0);
}
END_TEST

START_TEST(redirects_are_answers)
{
	peer_start(&server, redirects);
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.status, 307);
	loop_until(never, 100);
	ck_assert_int_eq(requests, 1);
}
END_TEST

START_TEST(plain_only_where_allowed)
{
	struct http_client_options o = { .http_version = 11, .window = 8 };

	peer_start(&server, answers);
	http_client_free(&client);
	client = http_client_new(loop, &o);
	send_to("POST", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_NOT_SENT);
	ck_assert_int_eq(server.accepted, 0);
}
END_TEST

START_TEST(many_share_few_connections)
{
	peer_start(&server, answers);
	for (int i = 0; i < 500; i++)
		send_to("POST", server.port, 5000);
	wait_for(has_many);
	ck_assert_int_eq(fates[HTTP_ANSWERED], 500);
	ck_assert_int_eq(bodies, 500);
	ck_assert_int_le(server.accepted, 8);
}
END_TEST

START_TEST(freed_while_under_way)
{
	peer_start(&server, says_nothing);
	send_to("POST", server.port, 5000);
	loop_until(never, 100);
	send_to("POST", server.port, 5000);
	http_client_free(&client);
	ck_assert_int_eq(fates[HTTP_UNKNOWN], 1);
	ck_assert_int_eq(fates[HTTP_NOT_SENT], 1);
}
END_TEST

START_TEST(a_put_has_its_body_once_and_no_second_try)
{
	peer_start(&server, answers_once);
	send_to("PUT", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_str_eq(last_method, "PUT");
	ck_assert_int_eq(body_reads, 1);
	send_to("PUT", server.port, 2000);		/* the server reads it and closes */
	wait_for(has_two);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	loop_until(never, 200);
	ck_assert_int_eq(bodies, 2);
}
END_TEST

START_TEST(a_patch_has_its_body_and_leaves_nothing_behind)
{
	peer_start(&server, answers);
	send_to("PATCH", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_str_eq(last_method, "PATCH");
	send_to("POST", server.port, 2000);		/* on the same handle */
	wait_for(has_two);
	ck_assert_str_eq(last_method, "POST");
	ck_assert_int_eq(bodies, 2);
}
END_TEST

START_TEST(a_put_that_may_not_start_leaves_nothing)
{
	peer_start(&server, answers);
	may_start = false;
	send_to("PUT", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_NOT_SENT);
	ck_assert_int_eq(requests, 0);
}
END_TEST

START_TEST(a_delete_has_no_body)
{
	peer_start(&server, answers);
	send_to("DELETE", server.port, 2000);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_str_eq(last_method, "DELETE");
	ck_assert_int_eq(last.status, 429);
	ck_assert_str_eq(last_body, "ok");
	ck_assert_int_eq(bodies + body_reads, 0);
	send_to("GET", server.port, 2000);		/* the handle comes from a pool: nothing of the DELETE is left in it */
	wait_for(has_two);
	ck_assert_str_eq(last_method, "GET");
	ck_assert_int_eq(server.accepted, 1);
}
END_TEST

START_TEST(an_etag_is_told_as_it_came)
{
	static const char *const want[] = { "\"v1\"", "W/\"v2\"", "" };

	peer_start(&server, answers_with_etag);
	for (int i = 0; i < 3; i++) {
		results = 0;
		send_to("GET", server.port, 2000);
		wait_for(has_result);
		ck_assert_int_eq(last.fate, HTTP_ANSWERED);
		ck_assert_int_eq(last.status, i == 1 ? 304 : 200);
		ck_assert_str_eq(last_etag, want[i]);
	}
	ck_assert_int_eq(server.accepted, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_http_client");
	TCase *c = tcase_create("client");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, answer_is_whole);
	tcase_add_test(c, close_after_reading_is_unknown);
	tcase_add_test(c, kept_alive_close_sends_no_second_body);
	tcase_add_test(c, cut_answer_is_unknown);
	tcase_add_test(c, silence_is_unknown);
	tcase_add_test(c, refused_connect_is_not_sent);
	tcase_add_test(c, a_body_given_away_is_released_once_it_is_taken);
	tcase_add_test(c, last_word_is_kept);
	tcase_add_test(c, waiting_for_a_connection_is_not_sent);
	tcase_add_test(c, long_answer_is_cut);
	tcase_add_test(c, redirects_are_answers);
	tcase_add_test(c, plain_only_where_allowed);
	tcase_add_test(c, many_share_few_connections);
	tcase_add_test(c, freed_while_under_way);
	tcase_add_test(c, a_put_has_its_body_once_and_no_second_try);
	tcase_add_test(c, a_patch_has_its_body_and_leaves_nothing_behind);
	tcase_add_test(c, a_put_that_may_not_start_leaves_nothing);
	tcase_add_test(c, a_delete_has_no_body);
	tcase_add_test(c, an_etag_is_told_as_it_came);
	return io_run(s);
}
