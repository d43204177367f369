/* Our reader takes what jansson takes, refuses what it refuses, and makes the same values of it; our writer writes the same. */
#include "unit.h"

#include "msg/json.h"

enum { ROUNDS = 100000, LONG_ROUNDS = 2000000, TEXT_MAX = 2048 };

static const char *const texts[] = {
	"{}", "[]", " [ ] ", "{\"a\":1}", "[1,2]", "[1,]", "[,1]", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "[[1],{\"b\":[]}]",
	"1", "\"x\"", "null", "", " ", "[", "{", "]", "[]]", "[] x", "{}{}", "[tru]", "[true,false,null]", "[nulll]", "[True]",
	"[0,-0,1,-1,10]", "[01]", "[-]", "[+1]", "[.5]", "[1.]", "[1.5,-1.5e3,1E+2,1e-2,0.0]", "[1e]", "[1e+]", "[1e400]", "[1e-400]", "[-1e400]",
	"[9223372036854775807,-9223372036854775808]", "[9223372036854775808]", "[-9223372036854775809]", "[NaN]", "[0x1]", "[1-1]",
	"[\"\"]", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\x\"]", "[\"\\\"]", "[\"\\", "[\"\\u\"]", "[\"\\u00\"]", "[\"\\u00e9\\u20ac\"]", "[\"\\u00E9x\"]",
	"[\"\\u0000\"]", "[\"\\u0001\"]", "[\"\\ud83d\\ude00\"]", "[\"\\ud83d\"]", "[\"\\ud83dx\"]", "[\"\\ud83d\\u0041\"]", "[\"\\ude00\"]",
	"[\"\\ud83d\\ud83d\"]", "[\"\\uD83D\\uDE00 and \\u0041\"]", "[\"\\u12g4\"]", "[\"\\uffff\"]", "[\"gr\303\274n\"]", "[\"\342\202\254\360\237\230\200\"]",
	"[\"\303\"]", "[\"\303x\"]", "[\"\355\240\200\"]", "[\"\300\200\"]", "[\"\364\220\200\200\"]", "[\"\377\"]", "[\"\303\\u0041\"]", "[\"a\nb\"]", "[\"a\tb\"]", "[\"\177\"]",
	"{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"\":1}", "{\"\":1,\"\":2}", "{\"a\":{\"a\":{\"a\":1}}}", "{\"\\u0000\":1}", "\xef\xbb\xbf[]", "[1]\n\n", "\t[\r\n1 ,\t2 ]",
	"{\"0123456789012345678901234567890123456789012345678901234567890123456789\":[1],\"0123456789012345678901234567890123456789012345678901234567890123456789x\":2}",
	"{\"012345678901234567890123456789012345678901234567890123456789012\":1,\"0123456789012345678901234567890123456789012345678901234567890123\":2}",
};

static void dumps_agree(const json_t *v, size_t flags)
{
	struct strbuf ours = STRBUF_INIT;
	char *theirs = json_dumps(v, flags);

	json_dump_to(v, flags, &ours);
	ck_assert_str_eq(ours.buf, theirs);
	free(theirs);
	strbuf_release(&ours);
}

static void agree(const char *text, size_t len)
{
	json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *ours = NULL;
	struct strbuf why = STRBUF_INIT;
	enum json_verdict v = json_parse_large(text, len, 100000, &ours, &why);

	/* jansson goes deeper than we let anybody, and reads over some NUL bytes. */
	if (memchr(text, 0, len)) {
		ck_assert_int_ne(v, JSON_OK);
	} else if (v != JSON_TOO_DEEP) {
		ck_assert_msg((v == JSON_OK) == (theirs != NULL), "verdict %d: %.*s", (int)v, (int)len, text);
		ck_assert_msg((ours != NULL) == (theirs != NULL), "%.*s", (int)len, text);
		ck_assert_msg(!ours || json_equal(ours, theirs), "%.*s", (int)len, text);
	}
	if (theirs) {
		dumps_agree(theirs, JSON_COMPACT);
		dumps_agree(theirs, JSON_COMPACT | JSON_SORT_KEYS);
	}
	ck_assert_msg((v == JSON_OK) == (why.len == 0), "%.*s: %s", (int)len, text, why.buf);
	json_decref(theirs);
	json_decref(ours);
	strbuf_release(&why);
}

START_TEST(every_text)
{
	agree(texts[_i], strlen(texts[_i]));
}
END_TEST

START_TEST(a_nul_byte_is_no_json)
{
	agree("[\"a\0b\"]", 7);
	agree("[1\0]", 4);
	agree("[]\0", 3);
	agree("[t\0]", 4);
	agree("[\"\\\0\"]", 6);
}
END_TEST

START_TEST(verdicts)
{
	static const struct { const char *text; int nodes; enum json_verdict v; const char *why; } cases[] = {
		{ "{\"a\":1,\"a\":2}", 9, JSON_DUPLICATE_KEY, "line 1 column 13" }, { "[\n1,\n x]", 9, JSON_NOT_JSON, "line 3 column 2" },
		{ "[1,2,3]", 4, JSON_OK, "" }, { "[1,2,3]", 3, JSON_TOO_LARGE, "more than 3 values" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 99, JSON_OK, "" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 99, JSON_TOO_DEEP, "nested deeper than 32 levels" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf why = STRBUF_INIT;
		json_t *out = NULL;

		ck_assert_msg(json_parse_large(cases[i].text, strlen(cases[i].text), cases[i].nodes, &out, &why) == cases[i].v, "%s", cases[i].text);
		ck_assert_str_eq(why.buf, cases[i].why);
		json_decref(out);
		strbuf_release(&why);
	}
}
END_TEST

static uint32_t dice = 7;

static unsigned roll(unsigned n)
{
	dice = dice * 1664525 + 1013904223;	/* the same rolls in every run */
	return (dice >> 8) % n;
}

/* A piece of one text into another, or a byte that means something. */
static size_t damage(char *to, size_t len)
{
	static const char bytes[] = "{}[]\",:\\u0189aetfn. -+\303\274\355\240\377\n\001";
	const char *other = texts[roll(ARRAY_LEN(texts))];
	size_t at = roll((unsigned)len + 1), n = strlen(other), from = n ? roll((unsigned)n) : 0;

	n = n ? 1 + roll((unsigned)(n - from)) : 0;
	if (roll(2) && len) {
		to[at < len ? at : 0] = bytes[roll(sizeof(bytes))];
	} else if (roll(3) && len + n < TEXT_MAX) {
		memmove(to + at + n, to + at, len - at);
		memcpy(to + at, other + from, n);
		len += n;
	} else if (at < len) {
		n = 1 + roll((unsigned)(len - at));
		memmove(to + at, to + at + n, len - at - n);
		len -= n;
	}
	return len;
}

START_TEST(damaged_texts)
{
	int rounds = getenv("WAMD_LONG") ? LONG_ROUNDS : ROUNDS;
	char text[TEXT_MAX];

	for (int i = 0; i < rounds; i++) {
		const char *first = texts[roll(ARRAY_LEN(texts))];
		size_t len = strlen(first);

		memcpy(text, first, len);
		for (unsigned n = 1 + roll(4); n; n--)
			len = damage(text, len);
		agree(text, len);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json_read");
	TCase *t = unit_case(s, "beside jansson");

	tcase_add_loop_test(t, every_text, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(t, a_nul_byte_is_no_json);
	tcase_add_test(t, verdicts);
	tcase_add_test(t, damaged_texts);
	return unit_run(s);
}
