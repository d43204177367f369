/* A dead letter with another message in it: what is taken, what is refused, what stays. */
#include "unit.h"

#include "api/letter_edit.h"

#define NOW_MS 1764000010001
#define CONTENT "\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"new\"}"
#define FIRST "{\"v\":1,\"id\":\"m1\",\"tenant_id\":\"t1\",\"account_id\":\"a\",\"correlation_id\":\"c\",\"reason\":\"refused\",\"code\":131026," \
	      "\"attempts\":6,\"history\":[{\"n\":6}],\"first_seen\":\"2025-11-24T15:00:00.000Z\",\"died_at\":\"2025-11-24T16:00:00.001Z\"," \
	      "\"message\":{\"id\":\"m1\",\"tenant_id\":\"t1\",\"account_id\":\"a\",\"to\":\"+491511234567\",\"type\":\"text\"," \
	      "\"text\":{\"body\":\"old\",\"preview_url\":true},\"metadata\":{\"list\":[1,{\"x\":2}]}}}"
#define SECOND "{\"v\":1,\"id\":\"m2\",\"tenant_id\":\"t1\",\"reason\":\"bad_recipient\",\"attempts\":0,\"died_at\":\"2025-11-24T16:00:00.001Z\"," \
	       "\"message\":{\"metadata\":{\"internalId\":\"m2\",\"tenantId\":\"t1\"}," \
	       "\"wabaPayload\":{\"to\":\"5\",\"type\":\"text\",\"text\":{\"body\":\"old\"}}}}"
#define WITHOUT "{\"v\":1,\"id\":\"m1\",\"tenant_id\":\"t1\",\"reason\":\"too_large\",\"message_size\":99,\"message_b64\":\"eA==\"}"

static struct conf *conf;

static json_t *json_of(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);

	ck_assert_msg(o != NULL, "%s", text);
	return o;
}

/* Changes stand in one text, with ; between.  NULL: edited. */
static const char *edit(const char *letter_text, const char *message, const char *changes, json_t **out, struct strbuf *why)
{
	struct letter_edit e = { NULL };
	const char *refusal = message ? letter_edit_read(&e, message, strlen(message), why) : NULL;
	json_t *letter = json_of(letter_text), *before = json_deep_copy(letter);

	*out = NULL;
	while (changes && *changes) {
		char one[512];
		size_t len = strcspn(changes, ";");

		snprintf(one, sizeof(one), "%.*s", (int)len, changes);
		ck_assert_msg(letter_edit_add(&e, one, why) == 0, "%s", one);
		changes += len + (changes[len] == ';');
	}
	if (!refusal)
		refusal = letter_edit_make(&e, letter, conf, NOW_MS, out, why);
	ck_assert_msg(json_equal(letter, before), "the old letter was changed");
	ck_assert(!refusal == !!*out);
	letter_edit_release(&e);
	json_decref(before);
	json_decref(letter);
	return refusal;
}

START_TEST(the_envelope_stays)
{
	struct strbuf why = STRBUF_INIT;
	json_t *old = json_of(FIRST), *o, *v;
	const char *key;

	ck_assert_ptr_null(edit(FIRST, "{\"id\":\"m1\",\"tenant_id\":\"t1\",\"account_id\":\"a\"," CONTENT "}", NULL, &o, &why));
	json_object_foreach(old, key, v)
		ck_assert_msg(!strcmp(key, "message") || json_equal(v, json_object_get(o, key)), "%s", key);
	ck_assert_uint_eq(json_object_size(o), json_object_size(old) + 1);
	ck_assert_str_eq(json_text(o, "edited_at"), "2025-11-24T16:00:10.001Z");
	ck_assert_str_eq(json_text(json_object_get(json_object_get(o, "message"), "text"), "body"), "new");
	json_decref(o);
	json_decref(old);
	strbuf_release(&why);
}
END_TEST

START_TEST(the_message_may_say_who_it_is_and_keeps_its_id_if_not)
{
	static const struct { const char *letter, *message, *id, *account, *correlation; } rows[] = {
		{ FIRST, "{\"tenant_id\":\"t1\"," CONTENT "}", "m1", NULL, "c" },
		{ FIRST, "{\"id\":null,\"tenant_id\":\"t1\",\"idempotency_key\":\"k\"," CONTENT "}", "m1", NULL, "c" },
		{ FIRST, "{\"id\":\"m9\",\"tenant_id\":\"t1\",\"account_id\":\"b\",\"correlation_id\":\"d\"," CONTENT "}", "m9", "b", "d" },
		{ SECOND, "{\"metadata\":{\"tenantId\":\"t1\"},\"wabaPayload\":{" CONTENT "}}", "m2", NULL, NULL },
		{ WITHOUT, "{\"tenant_id\":\"t1\"," CONTENT "}", "m1", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		const json_t *m;
		json_t *o;
		const char *inside;

		ck_assert_msg(!edit(rows[i].letter, rows[i].message, NULL, &o, &why), "row %zu: %s", i, why.buf);
		m = json_object_get(o, "message");
		inside = json_object_get(m, "wabaPayload") ? json_text(json_object_get(m, "metadata"), "internalId") : json_text(m, "id");
		ck_assert_str_eq(json_text(o, "id"), rows[i].id);
		ck_assert_str_eq(inside, rows[i].id);
		ck_assert_pstr_eq(json_text(o, "account_id"), rows[i].account);
		ck_assert_pstr_eq(json_text(o, "correlation_id"), rows[i].correlation);
		ck_assert(!json_object_get(o, "message_b64") && !json_object_get(o, "message_size"));
		json_decref(o);
		strbuf_release(&why);
	}
}
END_TEST

START_TEST(single_members_are_set)
{
	static const struct { const char *letter, *changes, *message; } rows[] = {
		{ SECOND, "wabaPayload.to=+4915112345678", "{\"metadata\":{\"internalId\":\"m2\",\"tenantId\":\"t1\"},"
		  "\"wabaPayload\":{\"to\":\"+4915112345678\",\"type\":\"text\",\"text\":{\"body\":\"old\"}}}" },
		{ FIRST, "text.body=new = words;text.preview_url=false;metadata.list.1.x=[3];metadata.list.0=\"1\";"
		  "context.message_id=w;account_id=null",
		  "{\"id\":\"m1\",\"tenant_id\":\"t1\",\"to\":\"+491511234567\",\"type\":\"text\","
		  "\"text\":{\"body\":\"new = words\",\"preview_url\":false},\"metadata\":{\"list\":[\"1\",{\"x\":[3]}]},"
		  "\"context\":{\"message_id\":\"w\"}}" },
		{ FIRST, "text={\"body\":\"a\"};text.body=b;id=null;metadata=null;account_id=null;ttl_s=60",
		  "{\"id\":\"m1\",\"tenant_id\":\"t1\",\"to\":\"+491511234567\",\"type\":\"text\",\"text\":{\"body\":\"b\"},\"ttl_s\":60}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		json_t *o, *want = json_of(rows[i].message);

		ck_assert_msg(!edit(rows[i].letter, NULL, rows[i].changes, &o, &why), "row %zu: %s", i, why.buf);
		ck_assert_msg(json_equal(json_object_get(o, "message"), want), "row %zu", i);
		json_decref(want);
		json_decref(o);
		strbuf_release(&why);
	}
}
END_TEST

#define DEEP "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"

START_TEST(what_is_refused)
{
	static const struct { const char *letter, *message, *changes, *code, *why; } rows[] = {
		{ FIRST, "{", NULL, "not_json", "line 1" }, { FIRST, "[1]", NULL, "not_json", "found an array" },
		{ FIRST, "{\"id\":\"a\",\"id\":\"b\"}", NULL, "duplicate_key", "line 1" },
		{ FIRST, "{\"tenant_id\":\"t2\"," CONTENT "}", NULL, "other_tenant", "tenant_id: found t2, allowed t1" },
		{ FIRST, "{" CONTENT "}", NULL, "bad_field", "tenant_id: found nothing" },
		{ FIRST, NULL, "tenant_id=t2", "other_tenant", "tenant_id: found t2, allowed t1" },
		{ SECOND, NULL, "wabaPayload.to=+4915112345678;metadata.tenantId=t2", "other_tenant", "tenant_id: found t2" },
		{ SECOND, NULL, "metadata.internalId=m2", "bad_recipient", "to: " }, { FIRST, NULL, "text.body=", "text_empty", "text.body: " },
		{ FIRST, NULL, "text.body=5", "bad_field", "text.body: found a number, allowed a string" },
		{ FIRST, NULL, "text.body.x=5", "bad_path", "set: found text.body.x, allowed a path" },
		{ FIRST, NULL, "metadata.list.2=5", "bad_path", "metadata.list.2" }, { FIRST, NULL, "metadata.list.-1=5", "bad_path", "list.-1" },
		{ FIRST, NULL, "metadata.list.x.y=5", "bad_path", "list.x.y" }, { FIRST, NULL, "text.=5", "bad_path", "found text.," },
		{ FIRST, NULL, ".text=5", "bad_path", "found .text" }, { FIRST, NULL, DEEP "." DEEP ".a=5", "bad_path", "found a.a" },
		{ WITHOUT, NULL, "to=+4915112345678", "no_message", "give a whole one" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf why = STRBUF_INIT;
		json_t *o;

		ck_assert_pstr_eq(edit(rows[i].letter, rows[i].message, rows[i].changes, &o, &why), rows[i].code);
		ck_assert_msg(strstr(why.buf, rows[i].why) != NULL, "row %zu: %s", i, why.buf);
		strbuf_release(&why);
	}
}
END_TEST

START_TEST(what_would_die_as_too_large_is_refused)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o;

	conf->amqp_body_max = 100;
	ck_assert_pstr_eq(edit(FIRST, NULL, "text.body=new", &o, &why), "too_large");
	ck_assert_msg(strstr(why.buf, "allowed 100") != NULL, "%s", why.buf);
	strbuf_release(&why);
}
END_TEST

START_TEST(a_change_has_a_path_and_a_value)
{
	static const char *const bad[] = { "", "to", "=x", "to=\xff", "\xff=x" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct letter_edit e = { NULL };
		struct strbuf why = STRBUF_INIT;

		ck_assert_msg(letter_edit_add(&e, bad[i], &why) < 0, "%s", bad[i]);
		ck_assert_msg(!strncmp(why.buf, "set: found ", 11), "%s", why.buf);
		ck_assert_ptr_null(e.changes);
		strbuf_release(&why);
	}
}
END_TEST

static void setup(void)
{
	conf = conf_defaults();
}

static void teardown(void)
{
	conf_free(&conf);
}

int main(void)
{
	Suite *s = suite_create("letter_edit");
	TCase *c = unit_case(s, "letter_edit");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, the_envelope_stays);
	tcase_add_test(c, the_message_may_say_who_it_is_and_keeps_its_id_if_not);
	tcase_add_test(c, single_members_are_set);
	tcase_add_test(c, what_is_refused);
	tcase_add_test(c, what_would_die_as_too_large_is_refused);
	tcase_add_test(c, a_change_has_a_path_and_a_value);
	return unit_run(s);
}
