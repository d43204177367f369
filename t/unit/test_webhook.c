/* What a webhook says: every field, bodies that are none, large ones, and how long that takes. */
#include "unit.h"

#include "msg/webhook.h"
#include "webhook_cases.h"

static struct strbuf body, told, why;
static int visits;

/* ---- what the visitors were told, in words ---- */

static void say(const char *name, const char *value)
{
	if (value)
		strbuf_addf(&told, " %s=%s", name, value);
}

static void say_time(const char *name, int64_t ms)
{
	if (ms)
		strbuf_addf(&told, " %s=%lld", name, (long long)ms);
}

static void on_status(void *arg, const struct webhook_status *s)
{
	const char *word = message_status_word(s->status);

	(void)arg;
	ck_assert(!word || strcmp(word, s->status_text) == 0);
	strbuf_addf(&told, "status %s %s(%d) at=%lld", s->wamid, s->status_text, (int)s->status, (long long)s->at_ms);
	say("waba", s->waba);
	say("pnid", s->phone_number_id);
	say("token", s->token);
	say("to", s->recipient);
	say("user", s->recipient_user_id);
	say("participant", s->participant);
	say("template", s->template_id);
	strbuf_addf(&told, "%s%s%s", s->pricing ? " pricing" : "", s->conversation ? " conversation" : "", s->errors ? " errors" : "");
	if (s->code)
		strbuf_addf(&told, " code=%d", s->code);
	say("text", s->error_text);
	strbuf_addc(&told, '\n');
}

static void on_message(void *arg, const struct webhook_message *m)
{
	const char *wa_id = json_text(m->contact, "wa_id");

	(void)arg;
	ck_assert_str_eq(json_text(m->message, "id"), m->id);
	strbuf_addf(&told, "message %s %s at=%lld", m->id, m->type, (long long)m->at_ms);
	say("waba", m->waba);
	say("pnid", m->phone_number_id);
	say("from", m->from);
	say("user", m->from_user_id);
	say("group", m->group);
	say("answers", m->answers);
	say("contact", wa_id ? wa_id : json_text(m->contact, "user_id"));
	strbuf_addc(&told, '\n');
}

static void on_error(void *arg, const struct webhook_error *e)
{
	(void)arg;
	ck_assert(json_is_object(e->error));
	strbuf_addf(&told, "error code=%d", e->code);
	say("text", e->text);
	say("waba", e->waba);
	say("pnid", e->phone_number_id);
	strbuf_addc(&told, '\n');
}

static void tell_template(const struct webhook_template *t)
{
	say("id", t->id);
	say("name", t->name);
	say("language", t->language);
	say("event", t->event);
	say("reason", t->reason);
	say("title", t->title);
	say("description", t->description);
	say("quality", t->quality);
	say("was", t->old_quality);
	say("category", t->category);
	say("category_was", t->old_category);
	say("correct", t->correct_category);
	say_time("change", t->change_ms);
}

static void tell_number(const struct webhook_number *n)
{
	say("display", n->display);
	say("event", n->event);
	say("limit", n->limit);
	say("was", n->old_limit);
	say("decision", n->decision);
	say("name", n->name);
	say("reason", n->reason);
}

static void tell_account(const struct webhook_account *a)
{
	static const char *const effects[] = { "", " stops", " goes", " maybe" };

	strbuf_addf(&told, " %s%s", account_turn_name(a->turn) ? account_turn_name(a->turn) : "-", effects[a->effect]);
	say_time("for", a->until_ms);
	say("event", a->event);
	say("violation", a->violation);
	say("ban", a->ban_state);
	if (a->ban_date)
		strbuf_addf(&told, " of %s", a->ban_date);
	for (int i = 0; i < a->n_restrictions; i++) {
		strbuf_addf(&told, " %s", a->restrictions[i].type);
		say_time("until", a->restrictions[i].until_ms);
		say("remediation", a->restrictions[i].remediation);
	}
}

static void tell_alert(const struct webhook_alert *a)
{
	strbuf_addf(&told, " of=%s/%s", a->entity_type, a->entity_id);
	say("severity", a->severity);
	say("status", a->status);
	say("type", a->type);
	strbuf_addf(&told, " %s", a->description);
}

static void tell_preference(const struct webhook_preference *p)
{
	say("wa_id", p->wa_id);
	say("user", p->user_id);
	say("category", p->category);
	say("value", p->value);
	strbuf_adds(&told, p->stop ? " stop" : "");
	say("detail", p->detail);
	say_time("at", p->at_ms);
}

static const char *const kinds[] = {
#define WEBHOOK_FIELD(ident, field, member, alone) #ident,
#include "tbl/webhook_fields.h"
#undef WEBHOOK_FIELD
	"-"
};

static void tell_kind(enum webhook_field kind)
{
	for (const char *p = kinds[kind]; *p; p++)
		strbuf_addc(&told, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
}

static void on_change(void *arg, const struct webhook_change *c)
{
	(void)arg;
	tell_kind(c->kind);
	say("field", c->field);
	ck_assert(strcmp(c->waba, "9001") == 0 && c->at_ms == 1750000000000);
	switch (c->kind) {
	case WEBHOOK_TEMPLATE_STATUS:
	case WEBHOOK_TEMPLATE_QUALITY:
	case WEBHOOK_TEMPLATE_COMPONENTS:
	case WEBHOOK_TEMPLATE_CATEGORY:
	case WEBHOOK_TEMPLATE_CORRECT:
		tell_template(&c->template);
		break;
	case WEBHOOK_NUMBER_QUALITY:
	case WEBHOOK_NUMBER_NAME:
		tell_number(&c->number);
		break;
	case WEBHOOK_ACCOUNT:
		tell_account(&c->account);
		break;
	case WEBHOOK_ACCOUNT_ALERT:
		tell_alert(&c->alert);
		break;
	case WEBHOOK_ACCOUNT_REVIEW:
		strbuf_addf(&told, " %s", c->review);
		break;
	case WEBHOOK_CAPABILITY:
		say("tier", c->capability.tier);
		strbuf_addf(&told, " a_day=%lld numbers=%lld/%lld", (long long)c->capability.recipients_a_day,
			    (long long)c->capability.numbers_a_business, (long long)c->capability.numbers_a_waba);
		break;
	case WEBHOOK_SECURITY:
		say("display", c->security.display);
		say("event", c->security.event);
		say("requester", c->security.requester);
		break;
	case WEBHOOK_PREFERENCE:
		tell_preference(&c->preference);
		break;
	case WEBHOOK_OTHER:
		strbuf_addc(&told, ' ');
		json_dump_to(c->value, JSON_COMPACT, &told);
		break;
	}
	strbuf_addc(&told, '\n');
}

static const struct webhook_visitor teller = { on_status, on_message, on_error, on_change };

static void setup(void)
{
	strbuf_init(&body);
	strbuf_init(&told);
	strbuf_init(&why);
	visits = 0;
}

static void teardown(void)
{
	strbuf_release(&body);
	strbuf_release(&told);
	strbuf_release(&why);
}

static void add_quoted(const char *text)
{
	for (; *text; text++)
		strbuf_addc(&body, *text == '\'' ? '"' : *text);
}

/* ---- tests ---- */

START_TEST(every_field)
{
	const struct webhook_case *c = &webhook_cases[_i];
	struct webhook_visitor deaf = { 0 };
	int left_out;

	add_quoted("{'object':'whatsapp_business_account','entry':[{'id':'9001','time':1750000000,'changes':[{'field':'");
	add_quoted(c->field);
	add_quoted("','value':");
	add_quoted(c->value);
	add_quoted("}]}]}");
	left_out = webhook_read(body.buf, body.len, &teller, NULL, &why);
	ck_assert_msg(left_out == c->left_out, "%s: left out %d %s", c->name, left_out, why.buf);
	ck_assert_msg(strcmp(told.buf, c->want) == 0, "%s:\n%swanted:\n%s", c->name, told.buf, c->want);
	ck_assert_int_eq(webhook_read(body.buf, body.len, &deaf, NULL, &why), c->left_out);
}
END_TEST

START_TEST(entries_and_changes_are_many)
{
	add_quoted("{'object':'whatsapp_business_account','entry':["
		   "{'id':'1','changes':[{'field':'messages','value':{'metadata':{'phone_number_id':'11'},'statuses':[{'id':'a','status':'sent'}]}},"
		   "{'field':'messages','value':{'statuses':[{'id':'b','status':'sent'}]}},{'value':{}},{'field':'flows'},7]},"
		   "{'id':'2'},8,{'changes':[{'field':'messages','value':{'statuses':[{'id':'c','status':'sent'}]}}]}]}");
	ck_assert_int_eq(webhook_read(body.buf, body.len, &teller, NULL, &why), 5);
	ck_assert_str_eq(told.buf, "status a sent(1) at=0 waba=1 pnid=11\nstatus b sent(1) at=0 waba=1\nstatus c sent(1) at=0\n");
}
END_TEST

START_TEST(what_is_none)
{
	static const char *const bodies[] = {
		"", "{", "[]", "7", "null", "{}", "{'object':'page','entry':[]}", "{'object':7,'entry':[]}", "{'object':'whatsapp_business_account'}",
		"{'object':'whatsapp_business_account','entry':{}}", "{'object':'whatsapp_business_account','entry':[]} x",
		"{'object':'whatsapp_business_account','object':'whatsapp_business_account','entry':[]}",
		"{'object':'whatsapp_business_account','entry':[{'id':'1','id':'2'}]}",
		"{'object':'whatsapp_business_account','entry':[{'id':'\\u0000'}]}", "{'object':'whatsapp_business_account','entry':[{'id':'\xff'}]}",
		"{'object':'whatsapp_business_account','entry':[1e999]}", "{'object':'whatsapp_business_account','entry':[99999999999999999999]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		strbuf_reset(&body);
		strbuf_reset(&why);
		add_quoted(bodies[i]);
		ck_assert_msg(webhook_read(body.buf, body.len, &teller, NULL, &why) == -1, "%s", body.buf);
		ck_assert_msg(why.len > 0, "%s: no reason", body.buf);
	}
	ck_assert_uint_eq(told.len, 0);
	strbuf_reset(&body);
	add_quoted("{'object':'whatsapp_business_account','entry':[]}");
	ck_assert_int_eq(webhook_read(body.buf, body.len, &teller, NULL, &why), 0);
}
END_TEST

static void repeat(const char *text, int n)
{
	while (n-- > 0)
		add_quoted(text);
}

static int read_within(const char *before, const char *piece, int n, const char *after)
{
	strbuf_reset(&body);
	strbuf_reset(&why);
	add_quoted("{'object':'whatsapp_business_account','entry':[");
	add_quoted(before);
	repeat(piece, n);
	add_quoted(after);
	add_quoted("]}");
	return webhook_read(body.buf, body.len, &teller, NULL, &why);
}

START_TEST(caps)
{
	ck_assert_int_eq(read_within("", "[", 30, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), 1);
	ck_assert_int_eq(read_within("", "[", 31, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), -1);
	ck_assert_int_eq(read_within("", "[", 1000000, ""), -1);
	ck_assert_int_eq(read_within("", "1,", 199000, "1"), 199001);
	ck_assert_int_eq(read_within("", "1,", 201000, "1"), -1);
	ck_assert_int_eq(read_within("'", "x", 4000000, "'"), 1);
	ck_assert_int_eq(read_within("'", "x", WEBHOOK_BODY_MAX, "'"), -1);
	ck_assert_ptr_nonnull(strstr(why.buf, "4194304"));
}
END_TEST

START_TEST(long_wamids_are_left_out)
{
	char id[300];

	for (int n = 255; n <= 258; n++) {
		memset(id, 'w', sizeof(id));
		id[n] = 0;
		strbuf_reset(&body);
		add_quoted("{'object':'whatsapp_business_account','entry':[{'id':'1','changes':[{'field':'messages','value':{'statuses':[{'status':'sent','id':'");
		add_quoted(id);
		add_quoted("'}]}}]}]}");
		ck_assert_int_eq(webhook_read(body.buf, body.len, &teller, NULL, &why), n > 256);
	}
}
END_TEST

/* ---- large ones ---- */

enum { STATUSES = 1000, LARGE = 3000000, TURNS = 5 };

static void on_any_status(void *arg, const struct webhook_status *s)
{
	(void)arg;
	visits += s->status == MESSAGE_STATUS_SENT && s->at_ms == 1750030073000 && s->token;
}

static void make_large(void)
{
	char filler[2700];

	memset(filler, 'x', sizeof(filler));
	filler[sizeof(filler) - 1] = 0;
	strbuf_reset(&body);
	add_quoted("{'object':'whatsapp_business_account','entry':[{'id':'9001','changes':[{'field':'messages','value':{'messaging_product':'whatsapp',"
		   "'metadata':{'display_phone_number':'1','phone_number_id':'106540352242922'},'statuses':[");
	for (int i = 0; i < STATUSES; i++) {
		char id[32];

		snprintf(id, sizeof(id), "wamid.%d", i);
		add_quoted(i ? ",{'id':'" : "{'id':'");
		add_quoted(id);
		add_quoted("','status':'sent','timestamp':'1750030073','recipient_id':'16505551234','recipient_user_id':'US.1349120865530274',"
			   "'biz_opaque_callback_data':'w1.0123456789abcdef','pricing':{'billable':true,'pricing_model':'PMP','type':'regular',"
			   "'category':'utility'},'conversation':{'id':'0123456789','expiration_timestamp':'1750116480','origin':{'type':'utility'}},"
			   "'filler':'");
		strbuf_adds(&body, filler);
		add_quoted("'}");
	}
	add_quoted("]}}]}]}");
}

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

START_TEST(a_thousand_in_3_mb_are_read_within_50_ms)
{
	const struct webhook_visitor counter = { .on_status = on_any_status };
	int64_t best = INT64_MAX, limit = getenv("WAMD_BUILD") && strstr(getenv("WAMD_BUILD"), "san") ? 1000000 : 50000;

	make_large();
	ck_assert_uint_ge(body.len, LARGE);
	ck_assert_uint_lt(body.len, WEBHOOK_BODY_MAX);
	for (int i = 0; i < TURNS; i++) {
		int64_t from = cpu_us();

		visits = 0;
		ck_assert_int_eq(webhook_read(body.buf, body.len, &counter, NULL, &why), 0);
		ck_assert_int_eq(visits, STATUSES);
		if (cpu_us() - from < best)
			best = cpu_us() - from;
	}
	ck_assert_msg(best < limit, "%lld us", (long long)best);
	if (getenv("V"))
		fprintf(stderr, "3 MB in %lld us\n", (long long)best);
}
END_TEST

/* ---- small parts ---- */

START_TEST(times)
{
	static const struct { const char *json; int64_t ms; } cases[] = {
		{ "\"1750030073\"", 1750030073000 }, { "1750030073", 1750030073000 }, { "\"1750030073123\"", 1750030073123 },
		{ "1750030073123", 1750030073123 }, { "\"\"", 0 }, { "\"x\"", 0 }, { "\"1.5\"", 0 }, { "1.5", 0 }, { "0", 0 }, { "-5", 0 },
		{ "null", 0 }, { "{}", 0 }, { "100000000000", 100000000000000 }, { "100000000001", 100000000001 },
		{ "9223372036854775807", INT64_MAX }, { "\"99999999999999999999\"", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *v = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);

		ck_assert_msg(webhook_time_ms(v) == cases[i].ms, "%s: %lld", cases[i].json, (long long)webhook_time_ms(v));
		json_decref(v);
	}
	ck_assert_int_eq(webhook_time_ms(NULL), 0);
}
END_TEST

START_TEST(tiers)
{
	static const struct { const char *tier; int64_t n; } cases[] = {
		{ "TIER_50", 50 }, { "TIER_250", 250 }, { "TIER_1K", 1000 }, { "TIER_2K", 2000 }, { "TIER_10K", 10000 }, { "TIER_100K", 100000 },
		{ "TIER_UNLIMITED", WEBHOOK_UNLIMITED }, { "TIER_NOT_SET", WEBHOOK_NOT_SAID }, { "TIER_", WEBHOOK_NOT_SAID }, { "2K", WEBHOOK_NOT_SAID },
		{ "TIER_K", WEBHOOK_NOT_SAID }, { "TIER_2KK", WEBHOOK_NOT_SAID }, { "TIER_99999999999", WEBHOOK_NOT_SAID }, { NULL, WEBHOOK_NOT_SAID },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(webhook_tier(cases[i].tier) == cases[i].n, "%s", cases[i].tier);
}
END_TEST

START_TEST(ranks_only_rise)
{
	static const char *const order[] = { "accepted", "sent", "delivered", "read", "played" };

	for (int i = 0; i < (int)ARRAY_LEN(order); i++)
		ck_assert_int_eq(message_status_rank(message_status_of(order[i])), i + 1);
	ck_assert_int_eq(message_status_rank(message_status_of("failed")), 0);
	ck_assert_int_eq(message_status_of("failed"), MESSAGE_STATUS_FAILED);
	ck_assert_int_eq(message_status_of("warning"), MESSAGE_STATUS_OTHER);
	ck_assert_int_eq(message_status_of(NULL), MESSAGE_STATUS_OTHER);
	ck_assert_ptr_null(message_status_word(MESSAGE_STATUS_OTHER));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("webhook");
	TCase *t = unit_case(s, "reading");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, every_field, 0, webhook_cases_n);
	tcase_add_test(t, entries_and_changes_are_many);
	tcase_add_test(t, what_is_none);
	tcase_add_test(t, caps);
	tcase_add_test(t, long_wamids_are_left_out);
	tcase_add_test(t, a_thousand_in_3_mb_are_read_within_50_ms);
	tcase_add_test(t, times);
	tcase_add_test(t, tiers);
	tcase_add_test(t, ranks_only_rise);
	return unit_run(s);
}
