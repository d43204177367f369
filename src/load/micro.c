/* micro - what the pure parts of the hot path cost by themselves: nanoseconds of CPU a call, median of several rounds. */
#include <jansson.h>
#include <sysexits.h>
#include <time.h>

#include "base/mem.h"
#include "base/names.h"
#include "load/commands.h"
#include "load/options.h"
#include "msg/answer.h"
#include "msg/identity.h"
#include "msg/message.h"
#include "msg/template.h"

enum { ROUNDS = 9, CALLS = 20000, TEMPLATES = 6000 };

static const char body[] = "{\"id\":\"order-4711\",\"tenant_id\":\"acme\",\"account_id\":\"support\",\"to\":\"+491511234567\",\"type\":\"text\","
			   "\"text\":{\"body\":\"Hello Ann, your parcel is on its way and will be with you tomorrow.\"},"
			   "\"correlation_id\":\"c-4711\",\"priority\":3,\"metadata\":{\"campaign\":\"autumn\"}}";

static const struct message_rules rules;

static void do_recipient(void)
{
	struct recipient r;

	if (recipient_from_phone(&r, "+49 151 123-45-67", NULL) < 0)
		BUG("recipient");
}

static void do_decode(void)
{
	struct message m;
	struct strbuf why = STRBUF_INIT;

	if (message_decode(&m, &rules, body, sizeof(body) - 1, &why) != REASON_NONE)
		BUG("decode: %s", why.buf);
	message_release(&m);
}

static void do_post(void)
{
	static struct message m;
	static struct identity *identity;
	struct strbuf out = STRBUF_INIT;
	char token[TOKEN_LEN + 1];
	uint8_t key[KEY_LEN];

	if (!identity) {
		identity = identity_from_key((const uint8_t[SHA256_LEN]){ 1 });
		if (message_decode(&m, &rules, body, sizeof(body) - 1, NULL) != REASON_NONE)
			BUG("decode");
	}
	identity_record_key(identity, &m, key);
	identity_token(identity, key, 1, token);
	message_graph_body(&m, token, &out);
	strbuf_release(&out);
}

static void do_answer(void)
{
	static const char text[] = "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+491511234567\",\"wa_id\":\"491511234567\"}],"
				   "\"messages\":[{\"id\":\"wamid.HBgNNDkxNTExMjM0NTY3FQIAERgSNDRBNkM1\"}]}";
	struct answer a;

	answer_read(&a, NULL, 200, text, sizeof(text) - 1, -1, NULL);
}

/* ---- templates ---- */

static const char definition_text[] = "{\"id\":\"1\",\"name\":\"order_update\",\"language\":\"en_US\",\"status\":\"APPROVED\",\"category\":\"UTILITY\","
	"\"parameter_format\":\"POSITIONAL\",\"components\":[{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Order {{1}}\"},"
	"{\"type\":\"BODY\",\"text\":\"Hi {{1}}, your order of {{2}} will be with you on {{3}}.\"},"
	"{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"text\":\"Track\",\"url\":\"https://x.example/t/{{1}}\"}]}]}";
static const char short_text[] = "{\"name\":\"order_update\",\"language\":\"en_US\",\"header\":\"A1\","
	"\"body\":[\"Ann\",\"three books\",\"Tuesday\"],\"buttons\":[\"9\"]}";

static json_t *definition, *short_form, *full_form;
static struct template_def *compiled;
static struct names catalogue;

static json_t *parse(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	if (!o)
		BUG("%s", text);
	return o;
}

/* What is to be sent in place of payload; NULL: that is fine as it is. */
static json_t *make(const json_t *payload)
{
	json_t *out;

	if (template_make(compiled, payload, NULL, &out, NULL, NULL) != REASON_NONE)
		BUG("template");
	return out;
}

static void prepare_templates(void)
{
	definition = parse(definition_text);
	short_form = parse(short_text);
	compiled = template_compile(definition, NULL);
	full_form = make(short_form);
	for (int i = 0; i < TEMPLATES; i++) {
		struct name *n = mem_alloc(sizeof(*n));
		char key[32];

		snprintf(key, sizeof(key), "tpl_%d/en_US", i);
		n->text = mem_strdup(key);
		names_add(&catalogue, n);
	}
}

static void do_template_compile(void)
{
	struct template_def *t = template_compile(definition, NULL);

	template_free(&t);
}

static void do_template_make(void)
{
	json_decref(make(short_form));
}

static void do_template_check(void)
{
	json_decref(make(full_form));
}

/* As a sender finds one of many: by "name/language" among all of a business account. */
static void do_template_find(void)
{
	static unsigned at;
	char key[32];

	at = (at + 2791) % TEMPLATES;
	snprintf(key, sizeof(key), "tpl_%u/en_US", at);
	if (!names_find(&catalogue, key))
		BUG("%s", key);
}

/* ---- time ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double median_ns(void (*f)(void))
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		double began = cpu_ns();

		for (int i = 0; i < CALLS; i++)
			f();
		rounds[r] = (cpu_ns() - began) / CALLS;
	}
	qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
	return rounds[ROUNDS / 2];
}

int micro_main(int argc, char **argv)
{
	static const struct { const char *name; void (*f)(void); } parts[] = {
		{ "recipient_ns", do_recipient }, { "decode_ns", do_decode }, { "post_body_ns", do_post }, { "answer_ns", do_answer },
		{ "template_compile_ns", do_template_compile }, { "template_check_ns", do_template_check },
		{ "template_make_ns", do_template_make }, { "template_find_ns", do_template_find },
	};
	json_t *o = json_object();

	options_parse("micro", MICRO_HELP, NULL, 0, NULL, NULL, argc, argv);
	prepare_templates();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		json_object_set_new(o, parts[i].name, json_real(median_ns(parts[i].f)));
	json_dumpf(o, stdout, JSON_REAL_PRECISION(5));
	putchar('\n');
	json_decref(o);
	return EX_OK;
}
