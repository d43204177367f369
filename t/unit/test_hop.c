/* The hop header: what is written reads back, what a later version wrote is left alone, the rest is garbage. */
#include "unit.h"

#include <limits.h>

#include "base/str.h"
#include "msg/hop.h"

START_TEST(every_hop_reads_back)
{
	static const struct hop rows[] = {
		{ HOP_LANE, 0, 1764000000000, 1, 0, 0, 0, false }, { HOP_RETRY, 2, 1764000000000, 3, 1, 0, 0, true },
		{ HOP_BUSY, 255, 0, 0, 0, 0, 0, false }, { HOP_UNKNOWN, 1, 253402300799999, 1000000, 1000000, 0, 0, false },
		{ HOP_UNKNOWN, 1, 1764000000000, 7, 0, 1, 1764000000500, true },
		{ HOP_UNKNOWN, 255, 253402300799999, 1000000000, 1000000000, 0xffffffff, 253402300799999, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[HOP_TEXT_MAX];
		struct hop h;

		hop_format(&rows[i], text);
		ck_assert_int_eq(hop_parse(&h, text, strlen(text)), HOP_READ);
		ck_assert_msg(h.kind == rows[i].kind && h.attempt == rows[i].attempt && h.first_seen_ms == rows[i].first_seen_ms &&
			      h.hops == rows[i].hops && h.gave_back == rows[i].gave_back && h.nonce == rows[i].nonce &&
			      h.published_ms == rows[i].published_ms && h.again == rows[i].again, "%s", text);
	}
}
END_TEST

/* Copies written by an earlier daemon lie in the queues during an upgrade: their spelling stays readable. */
START_TEST(the_spelling_stays)
{
	struct hop h = { HOP_RETRY, 2, 1764000000000, 3, 0, 0, 0, false };
	char text[HOP_TEXT_MAX];

	hop_format(&h, text);
	ck_assert_str_eq(text, "v=1 k=retry n=2 t=1764000000000 h=3 b=0");
	h.nonce = 0x1f;
	h.published_ms = 1764000000500;
	hop_format(&h, text);
	ck_assert_str_eq(text, "v=1 k=retry n=2 t=1764000000000 h=3 b=0 c=1f p=1764000000500");
	h.again = true;
	hop_format(&h, text);
	ck_assert_str_eq(text, "v=1 k=retry n=2 t=1764000000000 h=3 b=0 c=1f p=1764000000500 r=1");
	for (int k = 0; k < HOP_KINDS; k++)
		ck_assert_str_eq(hop_kind_name((enum hop_kind)k), ((const char *[]){ "none", "lane", "retry", "busy", "unknown" })[k]);
}
END_TEST

START_TEST(later_versions_are_kept_and_garbage_is_not)
{
	static const struct { const char *text; enum hop_verdict verdict; } rows[] = {
		{ "v=2 k=retry n=2 t=1764000000000 h=3 b=0", HOP_NEWER }, { "v=2", HOP_NEWER }, { "v=17 whatever", HOP_NEWER },
		{ "", HOP_GARBAGE }, { "v=", HOP_GARBAGE }, { "v=x", HOP_GARBAGE }, { "retry", HOP_GARBAGE }, { "v=1", HOP_GARBAGE },
		{ "v=-1 k=retry n=2 t=0 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=none n=0 t=0 h=0 b=0", HOP_GARBAGE },		/* nobody writes that */
		{ "v=1 k=other n=2 t=0 h=3 b=0", HOP_GARBAGE }, { "v=1 k=RETRY n=2 t=0 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3", HOP_GARBAGE }, { "v=1 k=retry n= t=0 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=-1 t=0 h=3 b=0", HOP_GARBAGE }, { "v=1 k=retry n=256 t=0 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=-1 h=3 b=0", HOP_GARBAGE }, { "v=1 k=retry n=2 t=9223372036854775807 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=-1 b=0", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=2147483647 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=-1", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=2147483647", HOP_GARBAGE },
		{ "v=1 k=retryretryretryretryretry n=2 t=0 h=3 b=0", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 and more", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 c= p=1", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 c=1", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 c=1 p=-1", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 c=1G p=1", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 c=123456789 p=1", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 c=-1 p=1", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 c=1 p=1 d", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 r=2", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 r=1 c=1 p=1", HOP_GARBAGE },
		{ "v=1 k=retry n=2 t=0 h=3 b=0 c=1 p=1 r=", HOP_GARBAGE }, { "v=1 k=retry n=2 t=0 h=3 b=0 c=1 p=1 r=1 r=1", HOP_GARBAGE },
	};
	char text[HOP_TEXT_MAX + 1];
	struct hop h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(hop_parse(&h, rows[i].text, strlen(rows[i].text)) == rows[i].verdict, "%s", rows[i].text);
	memset(text, ' ', sizeof(text));
	memcpy(text, "v=1 k=retry n=2 t=0 h=3 b=0", 27);
	ck_assert_int_eq(hop_parse(&h, text, HOP_TEXT_MAX), HOP_GARBAGE);	/* too long */
	ck_assert_int_eq(hop_parse(&h, "v=1 k=retry n=2 t=0 h=3 b=0xx", 27), HOP_READ);	/* the length rules */
	ck_assert_int_eq(hop_parse(&h, "v=1\0k=retry n=2 t=0 h=3 b=0", 27), HOP_GARBAGE);
}
END_TEST

START_TEST(a_replay_reads_back)
{
	static const char *const garbage[] = { "", "v=1", "v=1 t=0 n=1 d=0", "v=1 t=-1 n=1 d=0", "v=1 t=5 n=256 d=0", "v=1 t=5 n=1 d=2",
					       "v=1 t=5 n=1 d=0 x", "v=1 n=1 t=5 d=0", "v=1 t=5 n=1" };
	struct replay r = { 1764000000001, 6, true };
	char text[HOP_TEXT_MAX];

	replay_format(&r, text);
	ck_assert_str_eq(text, "v=1 t=1764000000001 n=6 d=1");
	ck_assert_int_eq(replay_parse(&r, text, strlen(text)), HOP_READ);
	ck_assert(r.died_ms == 1764000000001 && r.attempts == 6 && r.may_duplicate);
	ck_assert_int_eq(replay_parse(&r, "v=2 anything", 12), HOP_NEWER);
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		ck_assert_msg(replay_parse(&r, garbage[i], strlen(garbage[i])) == HOP_GARBAGE, "%s", garbage[i]);
		ck_assert(!r.died_ms && !r.attempts && !r.may_duplicate);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hop");
	TCase *c = unit_case(s, "hop");

	tcase_add_test(c, every_hop_reads_back);
	tcase_add_test(c, the_spelling_stays);
	tcase_add_test(c, a_replay_reads_back);
	tcase_add_test(c, later_versions_are_kept_and_garbage_is_not);
	return unit_run(s);
}
