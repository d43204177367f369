/* micro - what the pure parts of the hot path cost by themselves: nanoseconds of CPU a call, median of several rounds. */
#include <jansson.h>
#include <sysexits.h>
#include <time.h>

#include "load/commands.h"
#include "load/options.h"
#include "msg/answer.h"
#include "msg/identity.h"
#include "msg/message.h"

enum { ROUNDS = 9, CALLS = 20000 };

static const char body[] = "{\"id\":\"order-4711\",\"tenant_id\":\"acme\",\"account_id\":\"support\",\"to\":\"+491511234567\",\"type\":\"text\","
			   "\"text\":{\"body\":\"Hello Ann, your parcel is on its way and will be with you tomorrow.\"},"
			   "\"correlation_id\":\"c-4711\",\"priority\":3,\"metadata\":{\"campaign\":\"autumn\"}}";

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

	if (message_decode(&m, body, sizeof(body) - 1, &why) != REASON_NONE)
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
		if (message_decode(&m, body, sizeof(body) - 1, NULL) != REASON_NONE)
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
	};
	json_t *o = json_object();

	options_parse("micro", MICRO_HELP, NULL, 0, NULL, NULL, argc, argv);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		json_object_set_new(o, parts[i].name, json_real(median_ns(parts[i].f)));
	json_dumpf(o, stdout, JSON_REAL_PRECISION(5));
	putchar('\n');
	json_decref(o);
	return EX_OK;
}
