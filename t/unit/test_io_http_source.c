/* http_source: a body that is read as it goes out - whole, once, never again; and what becomes of one that ends early. */
#include "test_io.h"

#include "io/http_client.h"

enum { SMALL = 1000, LARGE = 20 << 20 };

static struct http_client *client;
static struct peer server;
static int results, body_reads;
static struct http_result last;
static int64_t given, received, ends_at;
static ssize_t end_word;		/* what read() says at ends_at */
static unsigned sum_given, sum_received;
static char head[4096];
static bool closes;

static ssize_t read_source(void *arg, char *buf, size_t room)
{
	int64_t there = (ends_at ? ends_at : ((const struct http_source *)arg)->len) - given;
	size_t n = room > 7000 ? 7000 : room;

	if (there <= 0)
		return end_word;
	if ((int64_t)n > there)
		n = (size_t)there;
	for (size_t i = 0; i < n; i++) {
		buf[i] = (char)((given + (int64_t)i) * 31);
		sum_given = sum_given * 33 + (unsigned char)buf[i];
	}
	given += (int64_t)n;
	return (ssize_t)n;
}

static void on_done(void *arg UNUSED, const struct http_result *r)
{
	results++;
	last = *r;
}

static void on_body_read(void *arg UNUSED)
{
	body_reads++;
}

static bool has_result(void) { return results >= 1; }
static bool has_two(void) { return results >= 2; }

static int64_t left;			/* of the body that is coming */

/* Keeps no body, only what it adds up to. */
static bool takes_it(struct peer_connection *c, struct strbuf *out)
{
	char *end = left > 0 ? NULL : strstr(c->in.buf, "\r\n\r\n");
	const char *p = left > 0 ? c->in.buf : end ? end + 4 : NULL;

	if (!p)
		return false;
	if (end) {
		const char *length = strcasestr(c->in.buf, "Content-Length: ");

		ck_assert(length && length < end);
		left = strtoll(length + 16, NULL, 10);
		snprintf(head, sizeof(head), "%.*s", (int)(end - c->in.buf), c->in.buf);
	}
	for (const char *stop = c->in.buf + c->in.len; p < stop; p++, left--, received++)
		sum_received = sum_received * 33 + (unsigned char)*p;
	strbuf_reset(&c->in);
	if (left > 0)
		return false;
	if (!closes)
		strbuf_adds(out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	return closes;
}

static void setup(void)
{
	io_setup();
	http_global_setup();
	client = http_client_new(loop, &(struct http_client_options){ .http_version = 11, .window = 8, .connect_ms = 500, .allow_plain = true });
	results = body_reads = 0;
	given = received = ends_at = left = 0;
	end_word = 0;
	sum_given = sum_received = 0;
	closes = false;
	peer_start(&server, takes_it);
}

static void teardown(void)
{
	http_client_free(&client);
	peer_stop(&server);
	io_teardown();
}

static void post(struct http_source *s)
{
	struct http_headers *h = http_headers_new((const char *const[]){ "Authorization: Bearer x", "Content-Type: multipart/x; boundary=b" }, 2);
	char url[64];

	s->read = read_source;
	s->arg = s;
	given = 0;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/media", server.port);
	http_send(client, &(struct http_request){ .method = "POST", .url = url, .headers = h, .source = s, .timeout_ms = 20000,
						  .body_read = on_body_read, .done = on_done });
	http_headers_unref(&h);
}

START_TEST(a_body_is_read_as_it_goes_out)
{
	struct http_source s = { .len = LARGE };

	post(&s);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_int_eq(last.status, 200);
	ck_assert_int_eq(received, LARGE);
	ck_assert_uint_eq(sum_received, sum_given);
	ck_assert_int_eq(body_reads, 1);
	ck_assert_ptr_nonnull(strstr(head, "Content-Type: multipart/x; boundary=b"));
	ck_assert_ptr_null(strcasestr(head, "Expect"));
	ck_assert_ptr_null(strcasestr(head, "x-www-form-urlencoded"));
}
END_TEST

START_TEST(a_source_that_ends_early_ends_the_request)
{
	struct http_source s = { .len = LARGE };

	ends_at = _i ? 3 << 20 : SMALL;
	end_word = _i ? -1 : 0;
	post(&s);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);	/* some of it is out */
	ck_assert_int_lt(last.elapsed_us, 5000000);	/* the server was not left waiting for the rest */
	loop_until(never, 100);
	ck_assert_int_le(received, ends_at);
}
END_TEST

START_TEST(a_connection_that_dies_gets_no_second_body)
{
	struct http_source s = { .len = SMALL };

	post(&s);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	closes = true;
	post(&s);
	wait_for(has_two);
	ck_assert_int_eq(last.fate, HTTP_UNKNOWN);
	loop_until(never, 200);
	ck_assert_int_eq(received, 2 * SMALL);
}
END_TEST

START_TEST(nobody_there_means_nothing_read)
{
	struct http_source s = { .len = SMALL };

	peer_stop(&server);
	post(&s);
	wait_for(has_result);
	ck_assert_int_eq(last.fate, HTTP_NOT_SENT);
	ck_assert_int_eq(given + body_reads, 0);
	peer_start(&server, takes_it);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_http_source");
	TCase *c = tcase_create("source");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, a_body_is_read_as_it_goes_out);
	tcase_add_loop_test(c, a_source_that_ends_early_ends_the_request, 0, 2);
	tcase_add_test(c, a_connection_that_dies_gets_no_second_body);
	tcase_add_test(c, nobody_there_means_nothing_read);
	return io_run(s);
}
