/* Sealed texts, and the form in which a sent message waits: what comes out is what went in, and nothing else ever does. */
#include "unit.h"

#include "base/rand.h"
#include "base/seal.h"
#include "flow/copy.h"

static const uint8_t key[SEAL_KEY_LEN] = { 1, 2, 3 };
static struct seal *ours;

static void start(void)
{
	ours = seal_new(key);
}

static void stop(void)
{
	seal_free(&ours);
	seal_free(&ours);
}

static bool opens(struct seal *s, const char *aad, const void *sealed, size_t len, const char *want)
{
	struct strbuf out = STRBUF_INIT;
	bool ok;

	strbuf_adds(&out, "before");
	ok = seal_open(s, aad, strlen(aad), sealed, len, &out) == 0;
	ck_assert_uint_eq(out.buf[out.len], 0);
	if (ok)
		ck_assert_str_eq(out.buf + 6, want);
	else
		ck_assert_str_eq(out.buf, "before");
	strbuf_release(&out);
	return ok;
}

START_TEST(what_is_closed_opens_again_whatever_its_size)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, 1 << 20 };
	struct strbuf text = STRBUF_INIT, sealed = STRBUF_INIT, out = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		strbuf_reset(&text);
		strbuf_reset(&sealed);
		strbuf_reset(&out);
		strbuf_reserve(&text, sizes[i]);
		rand_bytes(text.buf, sizes[i]);
		text.len = sizes[i];
		seal_close(ours, "place", 5, text.buf, text.len, &sealed);
		ck_assert_uint_eq(sealed.len, text.len + SEAL_EXTRA);
		ck_assert(!memmem(sealed.buf, sealed.len, text.buf, text.len) || text.len < 8);
		ck_assert_int_eq(seal_open(ours, "place", 5, sealed.buf, sealed.len, &out), 0);
		ck_assert_uint_eq(out.len, text.len);
		ck_assert(!memcmp(out.buf, text.buf, text.len));
	}
	strbuf_release(&text);
	strbuf_release(&sealed);
	strbuf_release(&out);
}
END_TEST

START_TEST(nothing_else_opens)
{
	static const char text[] = "Your code is 123456";
	struct strbuf sealed = STRBUF_INIT, again = STRBUF_INIT;
	struct seal *other = seal_new((const uint8_t[SEAL_KEY_LEN]){ 1, 2, 4 });

	seal_close(ours, "place", 5, text, strlen(text), &sealed);
	ck_assert(opens(ours, "place", sealed.buf, sealed.len, text));
	ck_assert(!opens(other, "place", sealed.buf, sealed.len, text));
	ck_assert(!opens(ours, "plaice", sealed.buf, sealed.len, text));
	ck_assert(!opens(ours, "", sealed.buf, sealed.len, text));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.buf[i] ^= 1;
		ck_assert_msg(!opens(ours, "place", sealed.buf, sealed.len, text), "byte %zu", i);
		sealed.buf[i] ^= 1;
		ck_assert_msg(!opens(ours, "place", sealed.buf, i, text), "%zu bytes of it", i);
	}
	ck_assert(opens(ours, "place", sealed.buf, sealed.len, text));
	seal_close(ours, "place", 5, text, strlen(text), &again);	/* never the same twice */
	ck_assert_uint_eq(again.len, sealed.len);
	ck_assert(memcmp(again.buf, sealed.buf, sealed.len) != 0);
	seal_free(&other);
	strbuf_release(&sealed);
	strbuf_release(&again);
}
END_TEST

/* ---- the form ---- */

static bool is_text(struct broker_text t, const char *want)
{
	return want ? t.p && t.len == strlen(want) && !strcmp(t.p, want) : !t.p;
}

static void make(struct copy *c)
{
	*c = (struct copy){ .priority = 7, .first_seen_ms = 1764000000123, .hops = 3, .body = "{\"id\":\"m1\"}", .len = 11 };
	c->props = (struct broker_properties){ .content_type = BROKER_TEXT("application/json"), .correlation_id = BROKER_TEXT(""),
					       .timestamp_s = 1764000000, .n_headers = 2 };
	c->props.headers[0] = (struct broker_header){ BROKER_TEXT("X-Mine"), { "a\0b", 3 } };
	c->props.headers[1] = (struct broker_header){ BROKER_TEXT(REPLAY_HEADER), BROKER_TEXT("v=1 t=1 n=6 d=0") };
}

START_TEST(a_copy_is_read_as_it_was_written_and_no_part_of_it_is)
{
	struct strbuf out = STRBUF_INIT;
	struct copy c, r;

	make(&c);
	copy_write(&c, &out);
	ck_assert_int_eq(copy_read(&r, out.buf, out.len), 0);
	ck_assert_int_eq(r.priority, 7);
	ck_assert_int_eq(r.props.priority, 7);
	ck_assert_int_eq(r.first_seen_ms, 1764000000123);
	ck_assert_int_eq(r.hops, 3);
	ck_assert_int_eq(r.props.timestamp_s, 1764000000);
	ck_assert(r.props.persistent);
	ck_assert(is_text(r.props.content_type, "application/json") && is_text(r.props.correlation_id, "") && is_text(r.props.message_id, NULL));
	ck_assert(is_text(r.props.type, NULL) && is_text(r.props.app_id, NULL) && is_text(r.props.user_id, NULL));
	ck_assert_int_eq(r.props.n_headers, 2);
	ck_assert(r.props.headers[0].value.len == 3 && !memcmp(r.props.headers[0].value.p, "a\0b", 3));
	ck_assert(is_text(r.props.headers[1].name, REPLAY_HEADER));
	ck_assert_uint_eq(r.len, 11);
	ck_assert(!memcmp(r.body, c.body, 11));
	for (size_t n = 0; n < out.len - c.len; n++)
		ck_assert_msg(copy_read(&r, out.buf, n) < 0, "%zu bytes of it", n);
	out.buf[0]++;
	ck_assert_int_lt(copy_read(&r, out.buf, out.len), 0);	/* of a later version */
	strbuf_release(&out);
}
END_TEST

START_TEST(a_copy_carries_its_own_headers_and_our_hop)
{
	struct hop hop = { .kind = HOP_RETRY, .attempt = 3, .first_seen_ms = 1764000000123, .hops = 4 };
	struct broker_properties in = { .priority = -1, .n_headers = 4 }, out;
	char text[HOP_TEXT_MAX];

	in.headers[0] = (struct broker_header){ BROKER_TEXT("X-Mine"), BROKER_TEXT("a") };
	in.headers[1] = (struct broker_header){ BROKER_TEXT(HOP_HEADER), BROKER_TEXT("v=1 k=retry n=2 t=1764000000123 h=3 b=0") };
	in.headers[2] = (struct broker_header){ BROKER_TEXT("x-death"), BROKER_TEXT("1") };
	in.headers[3] = (struct broker_header){ BROKER_TEXT("x-first-death-queue"), BROKER_TEXT("q") };
	copy_properties(&in, 5, &hop, text, &out);
	ck_assert_int_eq(out.priority, 5);
	ck_assert_int_eq(out.n_headers, 2);
	ck_assert(is_text(out.headers[0].name, "X-Mine") && is_text(out.headers[1].name, HOP_HEADER));
	ck_assert(is_text(out.headers[1].value, "v=1 k=retry n=3 t=1764000000123 h=4 b=0"));
	hop.kind = HOP_NONE;
	copy_properties(&in, 5, &hop, text, &out);
	ck_assert_int_eq(out.n_headers, 2);
	ck_assert(is_text(out.headers[1].value, "v=1 k=retry n=2 t=1764000000123 h=3 b=0"));
}
END_TEST

START_TEST(a_header_is_found_by_its_whole_name)
{
	struct broker_properties p = { .n_headers = 3 };

	p.headers[0] = (struct broker_header){ BROKER_TEXT(HOP_HEADER "s"), BROKER_TEXT("longer") };
	p.headers[1] = (struct broker_header){ { NULL, 0 }, BROKER_TEXT("no name") };
	p.headers[2] = (struct broker_header){ BROKER_TEXT(HOP_HEADER), { NULL, 0 } };
	ck_assert_int_eq(broker_find_header(&p, HOP_HEADER), 2);
	ck_assert_int_eq(broker_find_header(&p, REPLAY_HEADER), -1);
	ck_assert_int_eq(broker_find_header(&p, ""), -1);
	p.n_headers = 2;
	ck_assert_int_eq(broker_find_header(&p, HOP_HEADER), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("seal");
	TCase *tc = unit_case(s, "seal");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, what_is_closed_opens_again_whatever_its_size);
	tcase_add_test(tc, nothing_else_opens);
	tcase_add_test(tc, a_copy_is_read_as_it_was_written_and_no_part_of_it_is);
	tcase_add_test(tc, a_copy_carries_its_own_headers_and_our_hop);
	tcase_add_test(tc, a_header_is_found_by_its_whole_name);
	return unit_run(s);
}
