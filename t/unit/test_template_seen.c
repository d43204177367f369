/* Templates: what is kept of a definition, what its recipient sees, and what both cost. */
#include "template_words.h"

#include "base/clock.h"
#include "msg/template.h"

static struct template_def *compiled(const char *text)
{
	json_t *definition = quoted(text);
	struct strbuf why = STRBUF_INIT;
	struct template_def *t = template_compile(definition, &why);

	ck_assert_msg(t != NULL, "%s", why.buf);
	json_decref(definition);
	strbuf_release(&why);
	return t;
}

static const struct { const char *definition, *why; } not_compiled[] = {
	{ "{}", "name: found nothing, expected a string" },
	{ "[]", "name: found nothing, expected a string" },
	{ "{'name':7}", "name: found a number, expected a string" },
	{ "{'name':''}", "name: found an empty one, expected a string" },
	{ "{'name':'t'}", "language: found nothing, expected a string" },
	{ "{'name':'t','language':null}", "language: found null, expected a string" },
	{ "{'name':'t','language':''}", "language: found an empty one, expected a string" },
	{ "{'name':'t','language':'en'}", "components: found nothing, expected an array" },
	{ "{'name':'t','language':'en','components':{}}", "components: found an object, expected an array" },
};

START_TEST(without_name_language_or_components_there_is_no_template)
{
	for (size_t i = 0; i < ARRAY_LEN(not_compiled); i++) {
		json_t *definition = quoted(not_compiled[i].definition);
		struct strbuf why = STRBUF_INIT;

		ck_assert_ptr_null(template_compile(definition, &why));
		ck_assert_str_eq(why.buf, not_compiled[i].why);
		ck_assert_ptr_null(template_compile(definition, NULL));
		json_decref(definition);
		strbuf_release(&why);
	}
}
END_TEST

static void check_texts(struct template_def *t, const char *id, const char *language, const char *category, bool is_authentication)
{
	ck_assert_str_eq(template_name(t), "t");
	ck_assert_str_eq(template_id(t), id);
	ck_assert_str_eq(template_language(t), language);
	ck_assert_str_eq(template_category(t), category);
	ck_assert_int_eq(template_is_authentication(t), is_authentication);
	template_free(&t);
}

START_TEST(what_is_kept_of_a_definition)
{
	check_texts(compiled("{'id':'594425479261596','name':'t','language':'en_US','category':'UTILITY','components':[]}"), "594425479261596",
		    "en_US", "UTILITY", false);
	check_texts(compiled("{'id':594425479261596,'name':'t','language':'zh-Hant-TW','category':'authentication','components':[]}"),
		    "594425479261596", "zh_Hant_TW", "authentication", true);
	check_texts(compiled("{'name':'t','language':'de','components':[null,7,[],{}]}"), "", "de", "", false);
}
END_TEST

#define BODY "{'type':'BODY','text':'Hi {{1}}, {{ 2 }}, {{1}}.'}"

/* A definition, what a message gives (components), and what is seen. */
static const struct { const char *definition, *components, *seen; } previews[] = {
	{ "'components':[]", "[]", "{}" },
	{ "'components':[" BODY ",{'type':'FOOTER','text':'Bye'}]", "[{'type':'body','parameters':[{'type':'text','text':'Ann'},{'type':'currency',"
	  "'currency':{'fallback_value':'5 EUR'}}]}]", "{'body':'Hi Ann, 5 EUR, Ann.','footer':'Bye'}" },
	{ "'components':[" BODY "]", NULL, "{'body':'Hi {{1}}, {{ 2 }}, {{1}}.'}" },
	{ "'components':[" BODY "]", "[{'type':'BODY','parameters':[{'type':'date_time','date_time':{'fallback_value':'May'}}]}]",
	  "{'body':'Hi May, {{ 2 }}, May.'}" },
	{ "'components':[" BODY "]", "7", "{'body':'Hi {{1}}, {{ 2 }}, {{1}}.'}" },
	{ "'components':[" BODY "]", "[7,{'type':'body','parameters':7}]", "{'body':'Hi {{1}}, {{ 2 }}, {{1}}.'}" },
	{ "'parameter_format':'NAMED','components':[{'type':'HEADER','format':'TEXT','text':'{{no}}!'},{'type':'BODY','text':'{{b}}{{a}}{{b}}'}]",
	  "[{'type':'body','parameters':[{'type':'text','parameter_name':'a','text':'1'},{'type':'text','parameter_name':'b','text':'{{a}}'}]},"
	  "{'type':'header','parameters':[{'type':'text','parameter_name':'no','text':'A'}]}]", "{'header':'A!','body':'{{a}}1{{a}}'}" },
	{ "'components':[{'type':'HEADER','format':'IMAGE'}]", NULL, "{'header':{'image':{}}}" },
	{ "'components':[{'type':'HEADER','format':'DOCUMENT'}]", "[{'type':'header','parameters':[{'type':'document','document':{'id':'1',"
	  "'filename':'a.pdf'}}]}]", "{'header':{'document':{'id':'1','filename':'a.pdf'}}}" },
	{ "'components':[{'type':'HEADER','format':'GIF'}]", "[{'type':'header','parameters':[{'type':'video','video':{'id':'1'}}]}]",
	  "{'header':{'video':{'id':'1'}}}" },
	{ "'components':[{'type':'HEADER','format':'SMELL'}]", "[{'type':'header','parameters':[{'type':'smell'}]}]", "{}" },
	{ "'components':[{'type':'BUTTONS','buttons':[{'type':'URL','text':'A','url':'https://x/{{1}}'},{'type':'URL','text':'B','url':'https://y'},"
	  "{'type':'PHONE_NUMBER','text':'C','phone_number':'+1'},{'type':'QUICK_REPLY','text':'D'},{'type':'COPY_CODE','text':'E'},{'type':'BEAM'}]}]",
	  "[{'type':'button','sub_type':'url','index':'0','parameters':[{'type':'text','text':'a'}]},{'type':'button','sub_type':'copy_code','index':4,"
	  "'parameters':[{'type':'coupon_code','coupon_code':'SAVE'}]}]", "{'buttons':[{'type':'URL','text':'A','url':'https://x/a'},{'type':'URL',"
	  "'text':'B','url':'https://y'},{'type':'PHONE_NUMBER','text':'C','phone_number':'+1'},{'type':'QUICK_REPLY','text':'D'},{'type':'COPY_CODE',"
	  "'text':'E','code':'SAVE'},{'type':'BEAM'}]}" },
	{ "'components':[{'type':'BUTTONS','buttons':[{'type':'URL','text':'A','url':'https://x/{{1}}?a'}]}]", "[]",
	  "{'buttons':[{'type':'URL','text':'A','url':'https://x/{{1}}?a'}]}" },
	{ "'category':'AUTHENTICATION','components':[{'type':'BODY','add_security_recommendation':true},{'type':'FOOTER','code_expiration_minutes':5},"
	  "{'type':'BUTTONS','buttons':[{'type':'URL','text':'Copy','url':'https://www.whatsapp.com/otp/code/?code=otp{{1}}'}]}]",
	  "[{'type':'body','parameters':[{'type':'text','text':'123'}]},{'type':'button','sub_type':'url','index':'0','parameters':[{'type':'text',"
	  "'text':'123'}]}]", "{'body':'*123* is your verification code. For your security, do not share this code.','footer':'This code expires in 5 "
	  "minutes.','buttons':[{'type':'URL','text':'Copy','code':'123'}]}" },
	{ "'components':[{'type':'LIMITED_TIME_OFFER','limited_time_offer':{'text':'Hurry!','has_expiration':true}}]",
	  "[{'type':'limited_time_offer','parameters':[{'type':'limited_time_offer','limited_time_offer':{'expiration_time_ms':1795428000000}}]}]",
	  "{'limited_time_offer':{'text':'Hurry!','expires_at':'2026-11-23T10:00:00.000Z'}}" },
	{ "'components':[{'type':'LIMITED_TIME_OFFER','text':'Hurry!'}]", "[]", "{'limited_time_offer':{'text':'Hurry!'}}" },
	{ "'components':[{'type':'CAROUSEL','cards':[{'components':[{'type':'BODY','text':'A {{1}}'}]},{'components':[{'type':'BODY','text':'B {{1}}'}]}]}]",
	  "[{'type':'carousel','cards':[{'card_index':1,'components':[{'type':'body','parameters':[{'type':'text','text':'b'}]}]},{'card_index':'0',"
	  "'components':[{'type':'body','parameters':[{'type':'text','text':'a'}]}]}]}]", "{'cards':[{'body':'A a'},{'body':'B b'}]}" },
	{ "'components':[{'type':'CAROUSEL','cards':[{'components':[{'type':'HEADER','format':'PRODUCT'}]}]}]",
	  "[{'type':'carousel','cards':[{'card_index':0,'components':[{'type':'header','parameters':[{'type':'product','product':{'a':1}}]}]},"
	  "{'card_index':1}]}]", "{'cards':[{'header':{'product':{'a':1}}},{'header':{'product':{}}}]}" },
};

START_TEST(what_the_recipient_sees)
{
	for (size_t i = 0; i < ARRAY_LEN(previews); i++) {
		struct strbuf text = STRBUF_INIT;
		struct template_def *t;
		json_t *payload = previews[i].components ? quoted_f("{'name':'t','components':%s}", previews[i].components) : NULL;

		strbuf_addf(&text, "{'name':'t','language':'de',%s}", previews[i].definition);
		t = compiled(text.buf);
		ck_assert_json(template_preview(t, payload), previews[i].seen, previews[i].definition);
		json_decref(payload);
		template_free(&t);
		strbuf_release(&text);
	}
}
END_TEST

/* As large as they are in practice. */
static json_t *typical(int i)
{
	struct strbuf body = STRBUF_INIT;
	json_t *v;

	while (body.len < 200)
		strbuf_adds(&body, "word and word, ");
	v = quoted_f("{'id':'59442547926%04d','name':'order_update_%d','language':'en_US','status':'APPROVED','category':'UTILITY',"
		     "'parameter_format':'POSITIONAL','quality_score':{'score':'UNKNOWN'},'components':[{'type':'HEADER','format':'TEXT',"
		     "'text':'Order {{1}}','example':{'header_text':['A1']}},{'type':'BODY','text':'Hi {{1}}, %s {{2}}, {{3}}.','example':"
		     "{'body_text':[['a','b','c']]}},{'type':'FOOTER','text':'Thank you for your order.'},{'type':'BUTTONS','buttons':["
		     "{'type':'URL','text':'Track it','url':'https://shop.example/track/{{1}}','example':['x']},{'type':'QUICK_REPLY',"
		     "'text':'Stop these'}]}]}", i, i, body.buf);
	strbuf_release(&body);
	return v;
}

enum { MANY = 6000, MANY_BYTES_MAX = 12 * 1000 * 1000 };

START_TEST(six_thousand_definitions_are_small)
{
	size_t bytes = 0;

	for (int i = 0; i < MANY; i++) {
		json_t *definition = typical(i);
		struct template_def *t = template_compile(definition, NULL);

		bytes += template_bytes(t);
		ck_assert_uint_ge(template_bytes(t), 300);
		json_decref(definition);
		template_free(&t);
	}
	ck_assert_uint_le(bytes, MANY_BYTES_MAX);
	printf("# %zu bytes each\n", bytes / MANY);
}
END_TEST

START_TEST(a_finished_payload_is_checked_quickly_and_not_copied)
{
	enum { ROUNDS = 100000 };
	json_t *definition = typical(1), *out;
	json_t *payload = quoted("{'name':'order_update_1','language':{'code':'en_US'},'components':[{'type':'header','parameters':[{'type':'text',"
				 "'text':'A1'}]},{'type':'body','parameters':[{'type':'text','text':'Ann'},{'type':'text','text':'two'},{'type':'text',"
				 "'text':'three'}]},{'type':'button','sub_type':'url','index':'0','parameters':[{'type':'text','text':'9'}]}]}");
	struct template_def *t = template_compile(definition, NULL);
	mono_t began = mono_now();
	int64_t ns;

	for (int i = 0; i < ROUNDS; i++)
		if (template_make(t, payload, NULL, &out, NULL, NULL) != REASON_NONE || out)
			ck_abort_msg("does not fit");
	ns = mono_diff_us(mono_now(), began) * 1000 / ROUNDS;
	printf("# %lld ns each\n", (long long)ns);
	ck_assert_int_lt(ns, 50000);	/* a sanitizer on a busy machine; otherwise one or two microseconds */
	template_free(&t);
	json_decref(definition);
	json_decref(payload);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("template_seen");
	TCase *c = unit_case(s, "template_seen");

	tcase_add_test(c, without_name_language_or_components_there_is_no_template);
	tcase_add_test(c, what_is_kept_of_a_definition);
	tcase_add_test(c, what_the_recipient_sees);
	tcase_add_test(c, six_thousand_definitions_are_small);
	tcase_add_test(c, a_finished_payload_is_checked_quickly_and_not_copied);
	return unit_run(s);
}
