/* Templates: what is compiled, which sends fit, what the short form becomes, what is warned of and what is seen. */
#include "template_words.h"

#include "base/clock.h"
#include "msg/template.h"

enum def {
#define DEF(ident, members) DEF_##ident,
#include "template_defs.h"
#undef DEF
	DEFS
};

static const char *const members[DEFS] = {
#define DEF(ident, members) [DEF_##ident] = members,
#include "template_defs.h"
#undef DEF
};

static struct template_def *compiled_as(enum def d, const char *status)
{
	json_t *definition = quoted_f("{'id':'1','name':'t','language':'en_US','status':'%s',%s}", status, members[d]);
	struct strbuf why = STRBUF_INIT;
	struct template_def *t = template_compile(definition, &why);

	ck_assert_msg(t != NULL, "%s", why.buf);
	json_decref(definition);
	strbuf_release(&why);
	return t;
}

static struct template_def *compiled(enum def d)
{
	return compiled_as(d, "APPROVED");
}

static json_t *payload_of(const char *text)
{
	return quoted_f("{'name':'t','language':{'code':'en_US'}%s%s}", *text ? "," : "", text);
}

/* ---- sends ------------------------------------------------------------------------------------------------------------- */

static const struct row { int line; enum def def; const char *payload, *why; } cases[] = {
#define CASE(def, payload, why) { __LINE__, DEF_##def, payload, why },
#include "template_cases.h"
#undef CASE
};

static int check_case(const struct row *c)
{
	struct strbuf why = STRBUF_INIT, again = STRBUF_INIT;
	struct template_rules rules = { .flatten = false };
	struct template_def *t = compiled(c->def);
	json_t *payload = payload_of(c->payload), *before = json_deep_copy(payload), *out, *none;
	enum reason r = template_make(t, payload, &rules, &out, &why, NULL);
	int bad = r != (*c->why ? REASON_TEMPLATE_PARAMETERS : REASON_NONE) || strcmp(why.buf, c->why) != 0;

	if (bad)
		printf("template_cases.h:%d: %s\n  found  %s\n  wanted %s\n", c->line, c->payload, why.buf, c->why);
	ck_assert_msg((out != NULL) == (r == REASON_NONE && template_is_short(payload)), "line %d", c->line);
	ck_assert_msg(json_equal(payload, before), "line %d", c->line);
	if (out) {	/* what the short form became fits in the other form, too */
		ck_assert_msg(template_make(t, out, &rules, &none, &again, NULL) == REASON_NONE && !none, "line %d: %s", c->line, again.buf);
		json_decref(out);
	}
	json_decref(payload);
	json_decref(before);
	template_free(&t);
	strbuf_release(&why);
	strbuf_release(&again);
	return bad;
}

START_TEST(sends_that_fit_and_sends_that_do_not)
{
	int bad = 0;

	ck_assert_uint_ge(ARRAY_LEN(cases), 250);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		bad += check_case(&cases[i]);
	ck_assert_int_eq(bad, 0);
}
END_TEST

/* ---- names and status ---------------------------------------------------------------------------------------------------- */

static const struct { const char *payload; enum reason reason; const char *why; } names[] = {
	{ "{'name':'t','language':{'code':'en_US','policy':'deterministic'}}", REASON_NONE, "" },
	{ "{'name':'t','language':'en_US'}", REASON_NONE, "" },
	{ "{'name':'t','language':'en_US','components':[]}", REASON_NONE, "" },
	{ "{}", REASON_BAD_FIELD, "name: found nothing, expected a string" },
	{ "{'name':7}", REASON_BAD_FIELD, "name: found a number, expected a string" },
	{ "{'name':'t'}", REASON_BAD_FIELD, "language: found nothing, expected an object with code" },
	{ "{'name':'t','language':7}", REASON_BAD_FIELD, "language: found a number, expected an object with code" },
	{ "{'name':'t','language':{'code':7}}", REASON_BAD_FIELD, "language: found an object, expected an object with code" },
	{ "{'name':'u','language':'en_US'}", REASON_TEMPLATE_UNKNOWN, "name: found u, expected t" },
	{ "{'name':'t','language':'en'}", REASON_TEMPLATE_UNKNOWN, "language: found en, expected en_US" },
	{ "{'name':'t','language':{'code':'en-US'}}", REASON_TEMPLATE_UNKNOWN, "language: found en-US, expected en_US" },
	{ "{'name':'t','language':'en_US','components':[],'body':[]}", REASON_BAD_FIELD, "components: found body too, expected one of them" },
};

static void check_make(struct template_def *t, json_t *payload, enum reason reason, const char *want)
{
	struct strbuf why = STRBUF_INIT;
	json_t *out;
	enum reason r = template_make(t, payload, &(struct template_rules){ .flatten = false }, &out, &why, NULL);

	ck_assert_msg(r == reason, "%s: %s", reason_code(r), why.buf);
	ck_assert_str_eq(why.buf, want);
	json_decref(out);
	json_decref(payload);
	strbuf_release(&why);
}

START_TEST(a_payload_must_name_this_template)
{
	struct template_def *t = compiled(DEF_PLAIN);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		check_make(t, quoted(names[i].payload), names[i].reason, names[i].why);
	template_free(&t);
	ck_assert_ptr_null(t);
	template_free(&t);
}
END_TEST

static const struct { const char *name; enum template_status status; enum reason reason; } statuses[] = {
	{ "APPROVED", TEMPLATE_APPROVED, REASON_NONE }, { "approved", TEMPLATE_APPROVED, REASON_NONE },
	{ "FLAGGED", TEMPLATE_FLAGGED, REASON_NONE }, { "REINSTATED", TEMPLATE_REINSTATED, REASON_NONE },
	{ "UNARCHIVED", TEMPLATE_UNARCHIVED, REASON_NONE }, { "PENDING", TEMPLATE_PENDING, REASON_TEMPLATE_NOT_APPROVED },
	{ "REJECTED", TEMPLATE_REJECTED, REASON_TEMPLATE_NOT_APPROVED }, { "PAUSED", TEMPLATE_PAUSED, REASON_TEMPLATE_PAUSED },
	{ "DISABLED", TEMPLATE_DISABLED, REASON_TEMPLATE_DISABLED }, { "IN_APPEAL", TEMPLATE_IN_APPEAL, REASON_TEMPLATE_NOT_APPROVED },
	{ "PENDING_DELETION", TEMPLATE_PENDING_DELETION, REASON_TEMPLATE_NOT_APPROVED },
	{ "DELETED", TEMPLATE_DELETED, REASON_TEMPLATE_NOT_APPROVED }, { "ARCHIVED", TEMPLATE_ARCHIVED, REASON_TEMPLATE_NOT_APPROVED },
	{ "LIMIT_EXCEEDED", TEMPLATE_LIMIT_EXCEEDED, REASON_TEMPLATE_NOT_APPROVED },
	{ "LOCKED", TEMPLATE_LOCKED, REASON_TEMPLATE_NOT_APPROVED }, { "NEWEST", TEMPLATE_STATUS_OTHER, REASON_TEMPLATE_NOT_APPROVED },
	{ "", TEMPLATE_STATUS_OTHER, REASON_TEMPLATE_NOT_APPROVED },
};

START_TEST(every_status_says_whether_it_may_be_sent)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct template_def *t = compiled_as(DEF_PLAIN, statuses[i].name);
		json_t *payload = payload_of(""), *out;
		enum reason r = template_make(t, payload, NULL, &out, NULL, NULL);

		ck_assert_int_eq(template_status(t), statuses[i].status);
		ck_assert_str_eq(template_status_text(t), statuses[i].name);
		ck_assert_msg(r == statuses[i].reason && r == template_status_reason(statuses[i].status), "%s", statuses[i].name);
		ck_assert_ptr_null(out);
		json_decref(payload);
		template_free(&t);
	}
	ck_assert_int_eq(template_status_of(NULL), TEMPLATE_STATUS_OTHER);
}
END_TEST

START_TEST(a_paused_template_is_made_so_that_it_can_be_tried)
{
	struct template_def *t = compiled_as(DEF_THREE, "Paused");
	struct strbuf why = STRBUF_INIT;
	json_t *payload = payload_of("'body':['a','b','c']"), *out;

	ck_assert_int_eq(template_make(t, payload, NULL, &out, &why, NULL), REASON_TEMPLATE_PAUSED);
	ck_assert_str_eq(why.buf, "status: found Paused, expected APPROVED: Meta has stopped it for hours, for its quality");
	ck_assert_json(out, "{'name':'t','language':{'code':'en_US'},'components':[{'type':'body','parameters':[{'type':'text','text':'a'},"
		       "{'type':'text','text':'b'},{'type':'text','text':'c'}]}]}", "paused");
	json_decref(payload);
	check_make(t, payload_of(""), REASON_TEMPLATE_PARAMETERS, "body: found 0 parameters, expected 3");
	template_free(&t);
	t = compiled_as(DEF_THREE, "DISABLED");	/* Meta may reinstate it */
	check_make(t, payload_of("'body':['a','b','c']"), REASON_TEMPLATE_DISABLED,
		   "status: found DISABLED, expected APPROVED: Meta has stopped it for good");
	check_make(t, payload_of(""), REASON_TEMPLATE_PARAMETERS, "body: found 0 parameters, expected 3");
	template_free(&t);
	t = compiled_as(DEF_THREE, "");
	check_make(t, payload_of(""), REASON_TEMPLATE_NOT_APPROVED,
		   "status: found nothing, expected APPROVED: this version does not know this status");
	template_free(&t);
	strbuf_release(&why);
}
END_TEST

START_TEST(which_form_a_payload_has)
{
	static const struct { const char *payload, *language; bool is_short; } rows[] = {
		{ "{'name':'t','language':{'code':'en_US'},'components':[]}", "en_US", false }, { "{'language':{'code':'de'}}", "de", false },
		{ "{'language':'de','components':[]}", "de", true }, { "{'language':{'code':'de'},'header':null}", "de", false },
		{ "{'body':[]}", NULL, true }, { "{'header':'x'}", NULL, true }, { "{'buttons':{}}", NULL, true }, { "{'cards':[]}", NULL, true },
		{ "{'code':'1'}", NULL, true }, { "{'limited_time_offer':{}}", NULL, true }, { "{'language':7}", NULL, false },
		{ "{'language':{'code':7}}", NULL, false }, { "[]", NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *payload = quoted(rows[i].payload);
		const char *language = template_language_of(payload);

		ck_assert_msg(template_is_short(payload) == rows[i].is_short, "%s", rows[i].payload);
		ck_assert_msg(!language == !rows[i].language && (!language || !strcmp(language, rows[i].language)), "%s", rows[i].payload);
		json_decref(payload);
	}
}
END_TEST

/* ---- what the short form becomes, what flattening changes, and warnings -------------------------------------------------------- */

/* A payload's members, what is sent in its place: components or other members ("": it is sent as it is), and warnings. */
static const struct { enum def def; const char *payload, *out, *warnings; } made[] = {
	{ DEF_NAMED, "'header':'A1','body':{'first':'Ann','total':{'currency':{'fallback_value':'5','code':'EUR','amount_1000':5}}}",
	  "[{'type':'header','parameters':[{'type':'text','text':'A1','parameter_name':'order_no'}]},{'type':'body','parameters':["
	  "{'type':'text','text':'Ann','parameter_name':'first'},{'type':'currency','parameter_name':'total','currency':{'fallback_value':'5',"
	  "'code':'EUR','amount_1000':5}}]}]", "" },
	{ DEF_IMAGE, "'header':{'media':'m'}", "[{'type':'header','parameters':[{'type':'image','image':{'media':'m'}}]}]", "" },
	{ DEF_DOCUMENT, "'header':{'document':{'id':'1','filename':'a.pdf'}}",
	  "[{'type':'header','parameters':[{'type':'document','document':{'id':'1','filename':'a.pdf'}}]}]", "" },
	{ DEF_GIF, "'header':{'video':{'id':'1'}}", "[{'type':'header','parameters':[{'type':'video','video':{'id':'1'}}]}]", "" },
	{ DEF_GIF, "'header':{'id':'1'}", "[{'type':'header','parameters':[{'type':'gif','gif':{'id':'1'}}]}]", "" },
	{ DEF_PLACE, "'header':{'latitude':1,'longitude':2}",
	  "[{'type':'header','parameters':[{'type':'location','location':{'latitude':1,'longitude':2}}]}]", "" },
	{ DEF_BUTTONS, "'buttons':['p','a b']", "[{'type':'button','sub_type':'quick_reply','index':'0','parameters':[{'type':'payload','payload':'p'}]},"
	  "{'type':'button','sub_type':'url','index':'1','parameters':[{'type':'text','text':'a b'}]}]",
	  "button 1: text found a blank: a part of a URL must be encoded" },
	{ DEF_BUTTONS, "'buttons':{'1':'a'}", "[{'type':'button','sub_type':'url','index':'1','parameters':[{'type':'text','text':'a'}]}]", "" },
	{ DEF_COUPON, "'buttons':['SAVE-20-PERCENT!']",
	  "[{'type':'button','sub_type':'copy_code','index':'0','parameters':[{'type':'coupon_code','coupon_code':'SAVE-20-PERCENT!'}]}]",
	  "button 0: coupon_code found 16 characters, Meta's limit is 15; button 0: coupon_code found other characters than letters and digits" },
	{ DEF_FLOW, "'buttons':[]",
	  "[{'type':'button','sub_type':'flow','index':'0','parameters':[{'type':'action','action':{'flow_token':'unused'}}]}]", "" },
	{ DEF_FLOW, "", "", "button 0: a flow without its component may be refused" },
	{ DEF_MPM, "'buttons':[{'sections':[{'title':'more than 24 characters..','product_items':[{'product_retailer_id':'p'}]}]}]",
	  "[{'type':'button','sub_type':'mpm','index':'0','parameters':[{'type':'action','action':{'sections':[{'title':'more than 24 characters..',"
	  "'product_items':[{'product_retailer_id':'p'}]}]}}]}]", "button 0: action.sections[0].title found 25 characters, Meta's limit is 24" },
	{ DEF_OTP, "'code':'123456'", "[{'type':'body','parameters':[{'type':'text','text':'123456'}]},"
	  "{'type':'button','sub_type':'url','index':'0','parameters':[{'type':'text','text':'123456'}]}]", "" },
	{ DEF_OFFER, "'header':{'id':'1'},'limited_time_offer':'2026-11-23T10:00:00Z','buttons':['A']",
	  "[{'type':'header','parameters':[{'type':'image','image':{'id':'1'}}]},{'type':'limited_time_offer','parameters':[{'type':"
	  "'limited_time_offer','limited_time_offer':{'expiration_time_ms':1795428000000}}]},{'type':'button','sub_type':'copy_code','index':'0',"
	  "'parameters':[{'type':'coupon_code','coupon_code':'A'}]}]", "" },
	{ DEF_SHELF, "'cards':[{'header':{'product_retailer_id':'p','catalog_id':'c'}},{'header':{'product_retailer_id':'q','catalog_id':'c'}}]",
	  "[{'type':'carousel','cards':[{'card_index':0,'components':[{'type':'header','parameters':[{'type':'product','product':"
	  "{'product_retailer_id':'p','catalog_id':'c'}}]}]},{'card_index':1,'components':[{'type':'header','parameters':[{'type':'product',"
	  "'product':{'product_retailer_id':'q','catalog_id':'c'}}]}]}]}]", "" },
	{ DEF_NEW_BUTTON, "'buttons':[{'type':'target'}]", "[{'type':'button','sub_type':'beam','index':'0','parameters':[{'type':'target'}]}]", "" },
	{ DEF_NEW_HEADER, "'header':{'type':'smell','smell':7}", "[{'type':'header','parameters':[{'type':'smell','smell':7}]}]", "" },
	/* line breaks and the like are allowed here */
	{ DEF_THREE, "'body':['a\\nb','\\t','c      d    e\\r\\n']", "[{'type':'body','parameters':[{'type':'text','text':'a b'},"
	  "{'type':'text','text':' '},{'type':'text','text':'c d    e '}]}]", "" },
	{ DEF_GAP, "'components':[{'type':'Body','parameters':[{'type':'text','text':'a\\n\\n  b'},{'type':'currency','currency':{'fallback_value':"
	  "'5\\t','code':'EUR','amount_1000':5}},{'type':'date_time','date_time':{'fallback_value':' \\n'}}]}]",
	  "[{'type':'Body','parameters':[{'type':'text','text':'a b'},{'type':'currency','currency':{'fallback_value':"
	  "'5 ','code':'EUR','amount_1000':5}},{'type':'date_time','date_time':{'fallback_value':' '}}]}]", "" },
	{ DEF_HEADER_TEXT, "'header':'a\\nb'", "[{'type':'header','parameters':[{'type':'text','text':'a b'}]}]", "" },
	{ DEF_CARDS, "'body':['x'],'cards':[{'header':{'id':'1'},'body':['a\\nb'],'buttons':['a']},{'header':{'id':'1'},'body':['x'],'buttons':['a']}]",
	  "[{'type':'body','parameters':[{'type':'text','text':'x'}]},{'type':'carousel','cards':[{'card_index':0,'components':[{'type':'header',"
	  "'parameters':[{'type':'image','image':{'id':'1'}}]},{'type':'body','parameters':[{'type':'text','text':'a b'}]},{'type':'button',"
	  "'sub_type':'url','index':'0','parameters':[{'type':'text','text':'a'}]}]},{'card_index':1,'components':[{'type':'header','parameters':"
	  "[{'type':'image','image':{'id':'1'}}]},{'type':'body','parameters':[{'type':'text','text':'x'}]},{'type':'button','sub_type':'url',"
	  "'index':'0','parameters':[{'type':'text','text':'a'}]}]}]}]", "" },
	{ DEF_HEADER_TEXT, "'header':'a text that makes the whole header longer than it may:.'", "[{'type':'header','parameters':[{'type':'text',"
	  "'text':'a text that makes the whole header longer than it may:.'}]}]", "header: found 61 characters when it is filled in, Meta's limit is 60" },
};

START_TEST(what_is_sent_and_what_is_warned_of)
{
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		struct strbuf why = STRBUF_INIT, warnings = STRBUF_INIT;
		struct template_def *t = compiled(made[i].def);
		json_t *payload = payload_of(made[i].payload), *before = json_deep_copy(payload), *out;
		enum reason r = template_make(t, payload, &(struct template_rules){ .flatten = true }, &out, &why, &warnings);

		ck_assert_msg(r == REASON_NONE, "%s: %s", made[i].payload, why.buf);
		ck_assert_str_eq(warnings.buf, made[i].warnings);
		ck_assert_msg((out != NULL) == !!*made[i].out, "%s", made[i].payload);
		if (out)
			ck_assert_json(json_incref(json_object_get(out, "components")), made[i].out, made[i].payload);
		ck_assert_msg(json_equal(payload, before), "%s", made[i].payload);
		json_decref(out);
		json_decref(payload);
		json_decref(before);
		template_free(&t);
		strbuf_release(&why);
		strbuf_release(&warnings);
	}
}
END_TEST

/* n letters in the parameter: of the body, a card's body, a payload and a URL. */
static const struct { enum def def; const char *payload; int n; const char *warnings; } lengths[] = {
	{ DEF_GUESSED, "'body':{'first':'%s'}", 1020, "" },
	{ DEF_GUESSED, "'body':{'first':'%s'}", 1021, "body: found 1025 characters when it is filled in, Meta's limit is 1024" },
	{ DEF_CARDS, "'body':['x'],'cards':[{'header':{'id':'1'},'body':['%s'],'buttons':['a']},{'header':{'id':'1'},'body':['x'],'buttons':['a']}]",
	  156, "card 0 body: found 161 characters when it is filled in, Meta's limit is 160" },
	{ DEF_BUTTONS, "'buttons':['%s','a']", 128, "" },
	{ DEF_BUTTONS, "'buttons':['%s','a']", 129, "button 0: payload found 129 characters, Meta's limit is 128" },
	{ DEF_BUTTONS, "'buttons':[null,'%s']", 1990, "" },
	{ DEF_BUTTONS, "'buttons':[null,'%s']", 1991, "button 1: the URL has 2001 characters, Meta's limit is 2000" },
};

START_TEST(long_texts_are_warned_of_only)
{
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct strbuf letters = STRBUF_INIT, warnings = STRBUF_INIT, text = STRBUF_INIT;
		struct template_def *t = compiled(lengths[i].def);
		json_t *payload, *out;
		const char *hole = strstr(lengths[i].payload, "%s");

		for (int k = 0; k < lengths[i].n; k++)
			strbuf_adds(&letters, "\303\244");
		strbuf_add(&text, lengths[i].payload, (size_t)(hole - lengths[i].payload));
		strbuf_adds(&text, letters.buf);
		strbuf_adds(&text, hole + 2);
		payload = payload_of(text.buf);
		ck_assert_int_eq(template_make(t, payload, NULL, &out, NULL, &warnings), REASON_NONE);
		ck_assert_str_eq(warnings.buf, lengths[i].warnings);
		json_decref(out);
		json_decref(payload);
		template_free(&t);
		strbuf_release(&letters);
		strbuf_release(&warnings);
		strbuf_release(&text);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("template");
	TCase *c = unit_case(s, "template");

	tcase_add_test(c, sends_that_fit_and_sends_that_do_not);
	tcase_add_test(c, a_payload_must_name_this_template);
	tcase_add_test(c, every_status_says_whether_it_may_be_sent);
	tcase_add_test(c, a_paused_template_is_made_so_that_it_can_be_tried);
	tcase_add_test(c, which_form_a_payload_has);
	tcase_add_test(c, what_is_sent_and_what_is_warned_of);
	tcase_add_test(c, long_texts_are_warned_of_only);
	return unit_run(s);
}
