/* The words of "wamctl send", and the message they make. */
#include "unit.h"

#include "ctl/command.h"
#include "ctl/send_message.h"

enum { WORDS_MAX = 16 };

/* Words stand in one text, with | between.  The command's options are those of its line in the table. */
static int parse(const char *line, char *words[WORDS_MAX], char *memory, size_t size, struct ctl_params *p)
{
	char *rest = memory, *word;
	int n = 0, took;
	const struct ctl_command *c;

	snprintf(memory, size, "send|t1|%s", line);
	while ((word = strsep(&rest, "|")) != NULL && n < WORDS_MAX)
		words[n++] = word;
	c = ctl_command_find(n, words, &took);
	ck_assert_ptr_nonnull(c);
	return ctl_params_read(c, n - took, words + took, p);
}

static json_t *make(const char *line, const char *file_kind, const char *whole, struct strbuf *why)
{
	struct sent_file file = { "sha256:ab", file_kind, "a.pdf" };
	struct strbuf text = STRBUF_INIT;
	char memory[512], *words[WORDS_MAX];
	struct ctl_params p;
	json_t *o = NULL;

	ck_assert_msg(parse(line, words, memory, sizeof(memory), &p) == 0, "%s", line);
	strbuf_adds(&text, whole ? whole : "");
	if (send_message_check(&p, why) == 0)
		o = send_message(&p, file_kind ? &file : NULL, whole ? &text : NULL, why);
	strbuf_release(&text);
	return o;
}

#define TO "\"to\":\"+491\""

START_TEST(words_make_messages)
{
	static const struct { const char *line, *file_kind, *whole, *want; } cases[] = {
		{ "+491|Hello", NULL, NULL, "{\"type\":\"text\",\"text\":{\"body\":\"Hello\"}," TO "}" },
		{ "+491|--|--x", NULL, NULL, "{\"type\":\"text\",\"text\":{\"body\":\"--x\"}," TO "}" },
		{ "DE.12|Hi|--account=a|--id|i|--correlation=c|--priority=3", NULL, NULL,
		  "{\"type\":\"text\",\"text\":{\"body\":\"Hi\"},\"recipient\":\"DE.12\",\"account_id\":\"a\",\"id\":\"i\",\"correlation_id\":\"c\",\"priority\":3}" },
		{ "DE.12|Hi|--group", NULL, NULL, "{\"type\":\"text\",\"text\":{\"body\":\"Hi\"},\"to\":\"DE.12\",\"recipient_type\":\"group\"}" },
		{ "+491|Hi|--expires=2m", NULL, NULL, "{\"type\":\"text\",\"text\":{\"body\":\"Hi\"}," TO ",\"ttl_s\":120}" },
		{ "+491|Hi|--expires=2026-11-23T10:00:00Z", NULL, NULL,
		  "{\"type\":\"text\",\"text\":{\"body\":\"Hi\"}," TO ",\"expires_at\":\"2026-11-23T10:00:00Z\"}" },
		{ "+491|--template=a", NULL, NULL, "{\"type\":\"template\",\"template\":{\"name\":\"a\",\"language\":\"en_US\"}," TO "}" },
		{ "+491|--template=a|x|https://b.example/?c=d|--language=de|--header=h|--code=7", NULL, NULL,
		  "{\"type\":\"template\",\"template\":{\"name\":\"a\",\"language\":\"de\",\"header\":\"h\",\"code\":\"7\","
		  "\"body\":[\"x\",\"https://b.example/?c=d\"]}," TO "}" },
		{ "+491|--template=a|n=x|m=y=z", NULL, NULL,
		  "{\"type\":\"template\",\"template\":{\"name\":\"a\",\"language\":\"en_US\",\"body\":{\"n\":\"x\",\"m\":\"y=z\"}}," TO "}" },
		{ "+491|--template=a|--button=p|--button=3=q", NULL, NULL,
		  "{\"type\":\"template\",\"template\":{\"name\":\"a\",\"language\":\"en_US\",\"buttons\":{\"0\":\"p\",\"3\":\"q\"}}," TO "}" },
		{ "+491|--template=a|--media-file=f", "document", NULL,
		  "{\"type\":\"template\",\"template\":{\"name\":\"a\",\"language\":\"en_US\",\"header\":{\"document\":"
		  "{\"media\":\"sha256:ab\",\"filename\":\"a.pdf\"}}}," TO "}" },
		{ "+491|--media-file=f|--caption=c", "image", NULL, "{\"type\":\"image\",\"image\":{\"media\":\"sha256:ab\",\"caption\":\"c\"}," TO "}" },
		{ "-|--message-file=f", NULL, "{\"to\":\"+492\",\"type\":\"x\"}", "{\"to\":\"+492\",\"type\":\"x\"}" },
		{ "+491|--message-file=f|--id=new", NULL, "{\"recipient\":\"DE.1\",\"id\":\"old\"}", "{" TO ",\"id\":\"new\"}" },
		{ "+491|--message-file=f|--id=new|--account=9|--priority=1", NULL, "{\"metadata\":{\"internalId\":\"old\"},\"wabaPayload\":{\"type\":\"x\"}}",
		  "{\"metadata\":{\"internalId\":\"new\",\"phoneNumberId\":\"9\",\"priority\":1},\"wabaPayload\":{\"type\":\"x\"," TO "}}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf why = STRBUF_INIT;
		json_t *got = make(cases[i].line, cases[i].file_kind, cases[i].whole, &why), *want = json_loads(cases[i].want, 0, NULL);
		char *text = json_dumps(got, JSON_COMPACT);

		ck_assert_msg(want != NULL, "%s", cases[i].want);
		ck_assert_msg(json_equal(got, want), "%s: %s %s", cases[i].line, text ? text : "none", why.buf);
		free(text);
		json_decref(got);
		json_decref(want);
		strbuf_release(&why);
	}
}
END_TEST

START_TEST(what_makes_none_is_named)
{
	static const struct { const char *line, *whole, *word; } cases[] = {
		{ "+491", NULL, "text: is missing" },
		{ "+491|two|words", NULL, "text: found several words" },
		{ "+491|\xff", NULL, "word: " },
		{ "+491|Hi|--language=de", NULL, "language: " },
		{ "+491|Hi|--button=de", NULL, "button: " },
		{ "+491|Hi|--caption=c", NULL, "caption: " },
		{ "+491|Hi|--media-file=f", NULL, "text: " },
		{ "+491|--template=a|--media-file=f|--header=h", NULL, "header: " },
		{ "+491|--template=a|--media-file=f|--caption=h", NULL, "caption: " },
		{ "+491|--template=a|n=x|y", NULL, "body: " },
		{ "+491|--template=a|x|n=y", NULL, "body: " },
		{ "+491|Hi|--priority=high", NULL, "priority: found high" },
		{ "+491|Hi|--expires=10ms", NULL, "expires: found 10ms" },
		{ "+491|Hi|--message-file=f", "{}", "message-file: " },
		{ "-|--message-file=f", "[]", "message-file: found" },
		{ "-|--message-file=f", "{\"a\":1,\"a\":2}", "message-file: " },
		{ "-|--message-file=f|--expires=1m", "{\"metadata\":{},\"wabaPayload\":{}}", "expires: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf why = STRBUF_INIT;
		json_t *got = make(cases[i].line, NULL, cases[i].whole, &why);

		ck_assert_msg(got == NULL, "%s", cases[i].line);
		ck_assert_msg(strncmp(why.buf, cases[i].word, strlen(cases[i].word)) == 0, "%s: %s", cases[i].line, why.buf);
		strbuf_release(&why);
	}
}
END_TEST

START_TEST(options_with_a_value_without_one_and_either)
{
	char memory[512], *words[WORDS_MAX];
	struct ctl_params p;

	ck_assert_int_eq(parse("+491|Hi|--wait", words, memory, sizeof(memory), &p), 0);
	ck_assert_str_eq(ctl_param(&p, "wait"), "");
	ck_assert_int_eq(parse("+491|--wait=2m|Hi", words, memory, sizeof(memory), &p), 0);
	ck_assert_str_eq(ctl_param(&p, "wait"), "2m");
	ck_assert_str_eq(ctl_param(&p, "word"), "Hi");
	ck_assert_int_eq(parse("+491|--template|a|x|y", words, memory, sizeof(memory), &p), 0);
	ck_assert_str_eq(ctl_param_at(&p, "word", 1), "y");
	ck_assert_ptr_null(ctl_param_at(&p, "word", 2));
	ck_assert_int_eq(parse("+491|Hi|--template", words, memory, sizeof(memory), &p), -1);
	ck_assert_int_eq(parse("+491|Hi|--dry-run=yes", words, memory, sizeof(memory), &p), -1);
	ck_assert_int_eq(parse("+491|Hi|--wai", words, memory, sizeof(memory), &p), -1);
	ck_assert_int_eq(parse("+491|--media-file=a|--message-file=b", words, memory, sizeof(memory), &p), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("send_message");
	TCase *c = unit_case(s, "send_message");

	tcase_add_test(c, words_make_messages);
	tcase_add_test(c, what_makes_none_is_named);
	tcase_add_test(c, options_with_a_value_without_one_and_either);
	return unit_run(s);
}
