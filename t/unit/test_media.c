/* media against a real Redis and a small Graph: one upload for all who want it, in one process and in two; what failures leave. */
#include "test_io.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/str.h"
#include "flow/media.h"
#include "flow/media_ref.h"

/* Two processes with the same tenant, one Redis, one spool. */
struct process {
	struct conf *conf;
	struct store *store;
	struct http_client *http;
	struct spool *spool;
	struct media *media;
	struct board_slot slot;
};
static struct process one, two;
static struct peer graph;
static char dir[128], sha_ref[MEDIA_REF_MAX + 1];
static struct spool_file file;
static int uploads;
static const char *refusal;		/* NULL: ids are given */
static bool answers;
static struct peer_connection *silent;	/* has its whole request, waits for the answer */
static char upload_head[2048], upload_body[4096];

struct want { struct media_waiter w; int told; enum media_word word; char id[65], text[300]; int code; int64_t retry_ms; bool has_answer; };
static struct want wants[40];

static bool stores_are_up(void) { return store_is_up(one.store) && store_is_up(two.store); }
static bool first_told(void) { return wants[0].told; }
static bool second_told(void) { return wants[1].told; }
static bool is_uploading(void) { return silent != NULL; }
static bool all_told(void)
{
	for (size_t i = 0; i < ARRAY_LEN(wants); i++)
		if (!wants[i].told)
			return false;
	return true;
}

static void say_answer(struct strbuf *out)
{
	if (refusal)
		strbuf_addf(out, "HTTP/1.1 400 Bad\r\nContent-Length: %zu\r\n\r\n%s", strlen(refusal), refusal);
	else
		strbuf_addf(out, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"id\":\"%04d\"}", 1000 + uploads);
}

static bool on_bytes(struct peer_connection *c, struct strbuf *out)
{
	const char *end = strstr(c->in.buf, "\r\n\r\n"), *length = strcasestr(c->in.buf, "Content-Length: ");
	size_t head;

	if (!end || !length)
		return false;
	head = (size_t)(end + 4 - c->in.buf);
	if (c->in.len < head + strtoull(length + 16, NULL, 10))
		return false;
	uploads++;
	snprintf(upload_head, sizeof(upload_head), "%.*s", (int)head, c->in.buf);
	snprintf(upload_body, sizeof(upload_body), "%s", c->in.buf + head);
	strbuf_reset(&c->in);
	if (answers)
		say_answer(out);
	else
		silent = c;
	return false;
}

static void answer_now(void)
{
	struct strbuf out = STRBUF_INIT;

	say_answer(&out);
	ck_assert_int_eq(send(silent->io.fd, out.buf, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
	silent = NULL;
	strbuf_release(&out);
}

static struct account *account_of(const struct process *p)
{
	return conf_tenant(p->conf, "t")->accounts[0];
}

static void start(struct process *p, int graph_port)
{
	struct tenant *t = tenant_new("t", "t");
	struct account *a = tenant_add_account(t);
	char url[64];
	bool changed;

	*p = (struct process){ .conf = conf_defaults() };
	a->id = mem_strdup("a");
	a->phone_number_id = mem_strdup("1");
	a->waba_id = mem_strdup("2");
	a->token = mem_strdup("secret");
	a->rate = 1;
	tenant_set_put(p->conf->tenants, t, &changed);
	free(p->conf->state_dir);
	p->conf->state_dir = mem_strdup(dir);
	free(p->conf->redis_prefix);
	p->conf->redis_prefix = mem_strdup(strrchr(dir, '.'));	/* of each test its own */
	free(p->conf->graph_url);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", graph_port);
	p->conf->graph_url = mem_strdup(url);
	p->conf->media_lease = 1000;
	p->spool = spool_new(p->conf);
	p->store = store_new(loop, &(struct store_options){ .url = getenv("REDIS_URL"), .connection_name = "test" }, &(struct store_callbacks){ 0 }, NULL);
	p->http = http_client_new(loop, &(struct http_client_options){ .http_version = 11, .window = 8, .allow_plain = true });
	p->media = media_new(loop, p->conf, p->store, p->http, p->spool, &p->slot);
}

static void stop(struct process *p)
{
	http_client_free(&p->http);
	store_free(&p->store);
	media_free(&p->media);
	spool_free(&p->spool);
	conf_free(&p->conf);
}

static void put_file(const char *bytes)
{
	struct strbuf why = STRBUF_INIT;
	enum spool_word word;
	struct spool_writer *w = spool_begin(one.spool, "t", "a \"b\".txt", NULL, (int64_t)strlen(bytes), &word, &why);

	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(spool_write(w, bytes, strlen(bytes), &why), SPOOL_OK);
	ck_assert_int_eq(spool_commit(&w, &file, &why), SPOOL_OK);
	snprintf(sha_ref, sizeof(sha_ref), "sha256:%s", file.sha);
	strbuf_release(&why);
}

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	io_setup();
	http_global_setup();
	snprintf(dir, sizeof(dir), "%s/media.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	uploads = 0;
	refusal = NULL;
	answers = true;
	silent = NULL;
	memset(wants, 0, sizeof(wants));
	peer_start(&graph, on_bytes);
	start(&one, graph.port);
	start(&two, graph.port);
	put_file("hello");
	wait_for(stores_are_up);
}

static void teardown(void)
{
	stop(&one);
	stop(&two);
	peer_stop(&graph);
	io_teardown();
}

static void on_ready(void *arg, const struct media_result *r)
{
	struct want *w = arg;

	w->told++;
	w->word = r->word;
	snprintf(w->id, sizeof(w->id), "%s", r->id ? r->id : "-");
	snprintf(w->text, sizeof(w->text), "%s", r->text);
	w->code = r->code;
	w->retry_ms = r->retry_ms;
	w->has_answer = r->answer != NULL;
}

static void want(struct process *p, int i, const char *ref)
{
	wants[i] = (struct want){ .w = { .ready = on_ready, .arg = &wants[i] } };
	media_want(p->media, account_of(p), ref, &wants[i].w);
	ck_assert_int_eq(wants[i].told, 0);
}

static int answered;
static char value[256];
static bool is_answered(void) { return answered; }

static void on_value(void *arg UNUSED, const struct store_reply *r)
{
	ck_assert(r && !r->error);
	answered = 1;
	snprintf(value, sizeof(value), "%s", r->n && r->v[0].kind != STORE_NIL ? r->v[0].s : "");
}

static const char *redis_says(const char *verb, const char *name, const char *a, const char *b, const char *c)
{
	char key[300];
	struct store_arg args[5] = { STORE_ARG(verb) };
	int n = 2;

	snprintf(key, sizeof(key), "%s%s", one.conf->redis_prefix, name);
	args[1] = (struct store_arg){ key, strlen(key) };
	for (const char *const *p = (const char *const[]){ a, b, c, NULL }; *p; p++)
		args[n++] = (struct store_arg){ *p, strlen(*p) };
	answered = 0;
	ck_assert_int_eq(store_command(one.store, args, n, on_value, NULL), 0);
	wait_for(is_answered);
	return value;
}

static const char *of_sha(const char *kind)
{
	static char name[200];

	snprintf(name, sizeof(name), "%s:{t}:1:%s", kind, file.sha);
	return name;
}

START_TEST(uploaded_once_then_known)
{
	ck_assert_ptr_null(media_find(one.media, account_of(&one), sha_ref));
	for (int i = 0; i < (int)ARRAY_LEN(wants); i++)
		want(i % 2 ? &one : &two, i, sha_ref);
	wait_for(all_told);
	ck_assert_int_eq(uploads, 1);
	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		ck_assert_int_eq(wants[i].word, MEDIA_READY);
		ck_assert_str_eq(wants[i].id, "1001");
		ck_assert_int_eq(wants[i].told, 1);
	}
	ck_assert_str_eq(media_find(one.media, account_of(&one), sha_ref), "1001");
	ck_assert_str_eq(redis_says("GET", of_sha("d"), NULL, NULL, NULL), "1001");
	ck_assert_str_eq(redis_says("GET", of_sha("dl"), NULL, NULL, NULL), "");
	ck_assert_uint_eq(one.slot.counters[COUNT_MEDIA_UPLOADS] + two.slot.counters[COUNT_MEDIA_UPLOADS], 1);
}
END_TEST

START_TEST(an_upload_is_what_meta_wants)
{
	want(&one, 0, sha_ref);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_READY);
	ck_assert(str_starts(upload_head, "POST /v25.0/1/media HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(upload_head, "Authorization: Bearer secret\r\n"));
	ck_assert_ptr_nonnull(strstr(upload_head, "Content-Type: multipart/form-data; boundary="));
	ck_assert_ptr_nonnull(strstr(upload_body, "name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--"));
	ck_assert_ptr_nonnull(strstr(upload_body, "name=\"type\"\r\n\r\ntext/plain\r\n--"));
	ck_assert_ptr_nonnull(strstr(upload_body, "name=\"file\"; filename=\"a %22b%22.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--"));
	ck_assert_str_eq(upload_body + strlen(upload_body) - 4, "--\r\n");
}
END_TEST

START_TEST(a_handle_is_as_good)
{
	char handle[MEDIA_HANDLE_LEN + 1], name[80];
	struct strbuf text = STRBUF_INIT;

	media_handle_new(handle);
	ck_assert_int_eq(media_ref_kind(handle), MEDIA_REF_HANDLE);
	want(&one, 0, handle);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_NOT_HERE);
	media_handle_write(&file, &text);
	snprintf(name, sizeof(name), "mh:{t}:%s", handle);
	redis_says("SET", name, text.buf, NULL, NULL);
	strbuf_release(&text);
	want(&two, 0, handle);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_READY);
	ck_assert_str_eq(wants[0].id, "1001");
	ck_assert_str_ne(redis_says("PTTL", name, NULL, NULL, NULL), "-1");
	want(&two, 0, sha_ref);			/* the same bytes */
	wait_for(first_told);
	ck_assert_int_eq(uploads, 1);
	media_forget(two.media, account_of(&two), handle, "1001");
	ck_assert_ptr_null(media_find(two.media, account_of(&two), handle));
	ck_assert_ptr_null(media_find(two.media, account_of(&two), sha_ref));
	want(&two, 0, sha_ref);
	wait_for(first_told);
	ck_assert_int_eq(uploads, 1 + (strcmp(wants[0].id, "1001") != 0));
}
END_TEST

START_TEST(what_is_gone_at_graph_is_uploaded_again)
{
	want(&one, 0, sha_ref);
	wait_for(first_told);
	media_forget(one.media, account_of(&one), sha_ref, "999");	/* another one: ours is good */
	ck_assert_str_eq(redis_says("GET", of_sha("d"), NULL, NULL, NULL), "1001");
	media_forget(one.media, account_of(&one), sha_ref, "1001");
	ck_assert_str_eq(redis_says("GET", of_sha("d"), NULL, NULL, NULL), "");
	want(&one, 0, sha_ref);
	wait_for(first_told);
	ck_assert_str_eq(wants[0].id, "1002");
}
END_TEST

/* As a sender asks: it wants again until the process knows the id; between answer and use a retry may look again. */
static int asked_again;

static void on_ready_but_forgotten(void *arg, const struct media_result *r)
{
	struct want *w = arg;

	ck_assert_int_eq(r->word, MEDIA_READY);
	ck_assert_int_lt(++asked_again, 10);
	if (asked_again == 1)
		media_look_again(one.media, account_of(&one), sha_ref);
	if (media_find(one.media, account_of(&one), sha_ref))
		w->told++;
	else
		media_want(one.media, account_of(&one), sha_ref, &w->w);
}

static bool is_told(void) { return wants[0].told; }

START_TEST(an_id_forgotten_before_it_was_used_is_looked_for_again)
{
	asked_again = 0;
	wants[0] = (struct want){ .w = { .ready = on_ready_but_forgotten, .arg = &wants[0] } };
	media_want(one.media, account_of(&one), sha_ref, &wants[0].w);
	wait_for(is_told);
	ck_assert_int_eq(asked_again, 2);
	ck_assert_int_eq(uploads, 1);
}
END_TEST

START_TEST(bytes_that_are_nowhere)
{
	static const char *const refs[] = { "sha256:0", "x", "m.short", "sha256:" "00000000000000000000000000000000000000000000000000000000000000ab" };

	want(&one, 0, refs[_i]);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_NOT_HERE);
	ck_assert_str_ne(wants[0].text, "");
	ck_assert_int_eq(uploads, 0);
}
END_TEST

START_TEST(a_refusal_is_told_and_not_tried_at_once)
{
	refusal = "{\"error\":{\"message\":\"no\",\"code\":131053,\"error_data\":{\"details\":\"Media upload error\"}}}";
	want(&one, 0, sha_ref);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_REFUSED);
	ck_assert_int_eq(wants[0].code, 131053);
	ck_assert_ptr_nonnull(strstr(wants[0].text, "Media upload error"));
	ck_assert(wants[0].has_answer);
	want(&one, 1, sha_ref);
	wait_for(second_told);
	ck_assert_int_eq(wants[1].word, MEDIA_REFUSED);
	ck_assert_int_eq(uploads, 1);
	ck_assert_str_eq(redis_says("GET", of_sha("dl"), NULL, NULL, NULL), "");
	ck_assert_uint_eq(one.slot.counters[COUNT_MEDIA_FAILED], 1);
}
END_TEST

START_TEST(a_token_in_trouble_is_no_refusal_of_the_bytes)
{
	refusal = "{\"error\":{\"message\":\"expired\",\"code\":190}}";
	want(&one, 0, sha_ref);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_AWAY);
	ck_assert_int_eq(wants[0].code, 190);
}
END_TEST

START_TEST(a_lease_is_renewed_and_waited_for)
{
	answers = false;
	want(&one, 0, sha_ref);
	wait_for(is_uploading);
	want(&two, 1, sha_ref);
	ck_assert(!loop_until(second_told, 2500));	/* more than two leases */
	ck_assert_int_eq(uploads, 1);
	answer_now();
	wait_for(second_told);
	ck_assert_str_eq(wants[0].id, "1001");
	ck_assert_str_eq(wants[1].id, "1001");
	ck_assert_int_eq(uploads, 1);
}
END_TEST

START_TEST(a_dead_uploader_is_replaced)
{
	redis_says("SET", of_sha("dl"), "dead", "PX", "700");
	want(&one, 0, sha_ref);
	want(&one, 1, sha_ref);
	wait_for(first_told);
	ck_assert_int_eq(wants[0].word, MEDIA_READY);
	ck_assert_int_eq(uploads, 1);
}
END_TEST

START_TEST(many_files_take_turns)
{
	char refs[ARRAY_LEN(wants)][MEDIA_REF_MAX + 1], bytes[16];

	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		snprintf(bytes, sizeof(bytes), "file %zu", i);
		put_file(bytes);
		snprintf(refs[i], sizeof(refs[i]), "%s", sha_ref);
		if (i % 3 == 0)			/* another process has uploaded it by the time its turn comes */
			redis_says("SET", of_sha("d"), "77", NULL, NULL);
		want(&one, (int)i, refs[i]);
	}
	wait_for(all_told);
	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		ck_assert_int_eq(wants[i].word, MEDIA_READY);
		ck_assert_int_eq(strcmp(wants[i].id, "77") == 0, i % 3 == 0);
	}
	ck_assert_int_le(graph.accepted, 8);
}
END_TEST

static bool last_told(void) { return wants[ARRAY_LEN(wants) - 1].told; }

/* It was looked for, and was not there; then another process uploaded it and gave its lease back. */
START_TEST(an_id_that_came_while_its_upload_waited_its_turn)
{
	char bytes[16];

	answers = false;
	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		snprintf(bytes, sizeof(bytes), "file %zu", i);
		put_file(bytes);
		want(&one, (int)i, sha_ref);
	}
	wait_for(is_uploading);
	redis_says("SET", of_sha("d"), "77", NULL, NULL);
	answers = true;
	answer_now();
	wait_for(last_told);
	ck_assert_str_eq(wants[ARRAY_LEN(wants) - 1].id, "77");
}
END_TEST

START_TEST(freed_while_all_kinds_wait)
{
	answers = false;
	want(&one, 0, sha_ref);
	wait_for(is_uploading);
	want(&one, 1, sha_ref);
	want(&two, 2, sha_ref);
	stop(&one);
	stop(&two);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(wants[i].told, 1);
		ck_assert_int_eq(wants[i].word, MEDIA_AWAY);
	}
	start(&one, graph.port);
	start(&two, graph.port);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("media");
	TCase *c = tcase_create("media");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	tcase_add_test(c, uploaded_once_then_known);
	tcase_add_test(c, an_upload_is_what_meta_wants);
	tcase_add_test(c, a_handle_is_as_good);
	tcase_add_test(c, what_is_gone_at_graph_is_uploaded_again);
	tcase_add_test(c, an_id_forgotten_before_it_was_used_is_looked_for_again);
	tcase_add_loop_test(c, bytes_that_are_nowhere, 0, 4);
	tcase_add_test(c, a_refusal_is_told_and_not_tried_at_once);
	tcase_add_test(c, a_token_in_trouble_is_no_refusal_of_the_bytes);
	tcase_add_test(c, a_lease_is_renewed_and_waited_for);
	tcase_add_test(c, a_dead_uploader_is_replaced);
	tcase_add_test(c, many_files_take_turns);
	tcase_add_test(c, an_id_that_came_while_its_upload_waited_its_turn);
	tcase_add_test(c, freed_while_all_kinds_wait);
	return io_run(s);
}
