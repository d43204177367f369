/* Bodies of multipart/form-data, cut anywhere. */
#include "test_io.h"

#include <sys/un.h>

#include "io/http_form.h"

static const char body[] = "--bnd\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nimage/png\r\n"
			   "--bnd\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\nContent-Type: image/png\r\n\r\n"
			   "\x89PNG\r\n--\r\n--a\r\nx\r\n--bnd\r\nContent-Disposition: form-data; name=\"last\"\r\n\r\n\r\n--bnd--\r\n";
static const char file[] = "\x89PNG\r\n--\r\n--a\r\nx";

static struct http_server *server;
static struct http_form *form;
static struct strbuf type, bytes, last, names;
static int listener, client, calls, bad;
static bool was_whole;
static char path_name[64];

static bool on_part(void *arg UNUSED, const struct http_part *p, const void *data, size_t len)
{
	struct strbuf *to = !strcmp(p->name, "type") ? &type : !strcmp(p->name, "file") ? &bytes : &last;

	if (p->offset == 0 && len)
		strbuf_addf(&names, "%s %s %s;", p->name, p->filename ? p->filename : "-", p->type ? p->type : "-");
	ck_assert_int_eq(p->offset, (int64_t)to->len);
	strbuf_add(to, data, len);
	return to->len < 1000;
}

static void on_piece(void *arg UNUSED, const void *data, size_t len)
{
	if (http_form_add(form, data, len) < 0)
		bad++;
}

static void on_call(void *arg UNUSED, struct http_call *c)
{
	calls++;
	was_whole = http_form_end(&form);
	http_answer(c, 200, "text/plain", "x", 1);
}

/* Without a boundary there is no form. */
static bool on_upload(void *arg UNUSED, struct http_call *c, struct http_sink *sink)
{
	form = http_form_new(c, on_part, NULL);
	*sink = (struct http_sink){ .max = 100000, .write = on_piece };
	return form;
}

static void setup(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	io_setup();
	calls = bad = 0;
	form = NULL;
	strbuf_init(&type);
	strbuf_init(&bytes);
	strbuf_init(&last);
	strbuf_init(&names);
	snprintf(path_name, sizeof(path_name), "/tmp/test_io_http_form.%d", (int)getpid());
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path_name);
	unlink(path_name);		/* of a test that failed, with the same process id */
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	server = http_server_new(loop, &(struct http_server_options){ .listen_fds = &listener, .n_listen = 1, .on_upload = on_upload },
				 on_call, NULL);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

static void teardown(void)
{
	http_server_free(&server);
	http_form_end(&form);
	strbuf_release(&type);
	strbuf_release(&bytes);
	strbuf_release(&last);
	strbuf_release(&names);
	close(listener);
	close(client);
	unlink(path_name);
	io_teardown();
}

static void say(const char *text, size_t len)
{
	ck_assert_int_eq(send(client, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say_head(const char *content_type, size_t len)
{
	char head[256];

	say(head, (size_t)snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
				   content_type, len));
}

static bool was_asked(void)
{
	return calls > 0;
}

static bool has_bytes(void)
{
	return type.len > 0;
}

static void expect_whole(void)
{
	wait_for(was_asked);
	ck_assert(was_whole);
	ck_assert_int_eq(bad, 0);
	ck_assert_str_eq(type.buf, "image/png");
	ck_assert_int_eq(bytes.len, sizeof(file) - 1);
	ck_assert_mem_eq(bytes.buf, file, sizeof(file) - 1);
	ck_assert_int_eq(last.len, 0);
	ck_assert_str_eq(names.buf, "type - -;file a b.png image/png;");
}

START_TEST(at_once)
{
	say_head("multipart/form-data; boundary=bnd", sizeof(body) - 1);
	say(body, sizeof(body) - 1);
	expect_whole();
}
END_TEST

START_TEST(cut_in_two)
{
	say_head("Multipart/Form-Data; boundary=\"bnd\"", sizeof(body) - 1);
	say(body, (size_t)_i);
	if (_i > 90)
		wait_for(has_bytes);
	say(body + _i, sizeof(body) - 1 - (size_t)_i);
	expect_whole();
}
END_TEST

START_TEST(without_its_end)
{
	say_head("multipart/form-data; boundary=bnd", sizeof(body) - 10);
	say(body, sizeof(body) - 10);
	wait_for(was_asked);
	ck_assert(!was_whole);
}
END_TEST

/* Nothing in it is a part. */
START_TEST(no_form)
{
	say_head("multipart/form-data; boundary=bnd", 2000);
	for (int i = 0; i < 200; i++)
		say("nonsense\r\n", 10);
	wait_for(was_asked);
	ck_assert_int_eq(names.len + bytes.len, 0);
}
END_TEST

START_TEST(no_boundary)
{
	say_head("multipart/form-data", 4);
	say("abcd", 4);
	wait_for(was_asked);
	ck_assert(!was_whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io_http_form");
	TCase *c = tcase_create("forms");

	tcase_add_checked_fixture(c, setup, teardown);
	suite_add_tcase(s, c);
	tcase_add_test(c, at_once);
	tcase_add_loop_test(c, cut_in_two, 1, (int)sizeof(body) - 1);
	tcase_add_test(c, without_its_end);
	tcase_add_test(c, no_form);
	tcase_add_test(c, no_boundary);
	return io_run(s);
}
