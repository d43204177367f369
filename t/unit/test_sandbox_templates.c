/*
 * Templates: a definition, what a message gives it, what Graph says of that and what the recipient sees.
 *
 * Written with ' for ", and @N@ for a text of N characters (the two-byte one: limits count characters).
 */
#include "unit.h"

#include "base/mem.h"
#include "sandbox/blueprint.h"
#include "sandbox/catalogue.h"
#include "sandbox/ids.h"

#define DEF(format, list) "{'name':'t','language':'en_US','category':'UTILITY','parameter_format':'" format "','components':[" list "]}"
#define AUTH(list) "{'name':'t','language':'en_US','category':'AUTHENTICATION','components':[" list "]}"
#define POS(list) DEF("POSITIONAL", list)
#define NAMED(list) DEF("named", list)
#define HEADER(format) "{'type':'HEADER','format':'" format "'}"
#define HEADER_TEXT(text) "{'type':'HEADER','format':'TEXT','text':'" text "'}"
#define BODY(text) "{'type':'BODY','text':'" text "'}"
#define FOOTER(text) "{'type':'FOOTER','text':'" text "'}"
#define BUTTONS(list) "{'type':'BUTTONS','buttons':[" list "]}"
#define QUICK "{'type':'QUICK_REPLY','text':'Stop'}"
#define URL "{'type':'URL','text':'Track','url':'https://x.example/t/{{1}}'}"
#define FIXED_URL "{'type':'URL','text':'Shop','url':'https://x.example/'}"
#define PHONE "{'type':'PHONE_NUMBER','text':'Call','phone_number':'+15550001'}"
#define COPY "{'type':'COPY_CODE','example':'A1'}"
#define FLOW "{'type':'FLOW','text':'Book','flow_id':'1'}"
#define CATALOG "{'type':'CATALOG','text':'View'}"
#define MPM "{'type':'MPM','text':'View'}"
#define OTP "{'type':'OTP','otp_type':'COPY_CODE','text':'Copy'}"
#define CARD(header) "{'components':[" HEADER(header) "," BODY("Card {{1}}.") "," BUTTONS(QUICK "," URL) "]}"
#define PLAIN_CARD "{'components':[" HEADER("PRODUCT") "," BUTTONS("{'type':'SPM','text':'View'}") "]}"
#define CAROUSEL(cards) "{'type':'CAROUSEL','cards':[" cards "]}"
#define OFFER(expires) "{'type':'LIMITED_TIME_OFFER','limited_time_offer':{'text':'Now!','has_expiration':" expires "}}"

#define TEXT(t) "{'type':'text','text':'" t "'}"
#define TEXT_OF(name, t) "{'type':'text','parameter_name':'" name "','text':'" t "'}"
#define S_HEADER(list) "{'type':'header','parameters':[" list "]}"
#define S_BODY(list) "{'type':'body','parameters':[" list "]}"
#define S_BUTTON(sub, index, list) "{'type':'button','sub_type':'" sub "','index':" index ",'parameters':[" list "]}"
#define IMAGE "{'type':'image','image':{'id':'7'}}"
#define VIDEO "{'type':'video','video':{'link':'https://x.example/v.mp4'}}"
#define DOCUMENT "{'type':'document','document':{'id':'7','filename':'a.pdf'}}"
#define LOCATION "{'type':'location','location':{'latitude':1,'longitude':2}}"
#define PRODUCT "{'type':'product','product':{'product_retailer_id':'p','catalog_id':'c'}}"
#define CURRENCY "{'type':'currency','currency':{'fallback_value':'$1','code':'USD','amount_1000':1000}}"
#define DATE "{'type':'date_time','date_time':{'fallback_value':'May 1'}}"
#define PAYLOAD "{'type':'payload','payload':'P'}"
#define COUPON(code) "{'type':'coupon_code','coupon_code':'" code "'}"
#define ACTION(members) "{'type':'action','action':{" members "}}"
#define SECTIONS "'sections':[{'title':'s','product_items':[{'product_retailer_id':'p'}]}]"
#define S_OFFER "{'type':'limited_time_offer','parameters':[{'type':'limited_time_offer','limited_time_offer':{'expiration_time_ms':1900000000000}}]}"
#define S_CARD(index, list) "{'card_index':" index ",'components':[" list "]}"
#define S_CAROUSEL(cards) "{'type':'carousel','cards':[" cards "]}"
#define GOOD_CARD(i) S_CARD(i, S_HEADER(IMAGE) "," S_BODY(TEXT("a")) "," S_BUTTON("url", "1", TEXT("u")))
#define GOOD_PRODUCT(i) S_CARD(i, S_HEADER(PRODUCT))

#define PLAIN POS(BODY("Hello."))
#define ONE POS(BODY("Hi {{1}}!"))
#define TWO POS(BODY("Hi {{1}}, {{2}}."))
#define HEAD POS(HEADER_TEXT("Order {{1}}") "," BODY("Hi."))
#define NAMES NAMED(HEADER_TEXT("Order {{order_no}}") "," BODY("Hi {{first_name}}, {{ what }} {{first_name}}."))
#define ALL_BUTTONS POS(BODY("Hi.") "," BUTTONS(QUICK "," QUICK "," URL "," PHONE "," COPY))
#define CODE_COMPONENTS AUTH("{'type':'BODY','add_security_recommendation':true}," "{'type':'FOOTER','code_expiration_minutes':10}," BUTTONS(OTP))
#define CODE_LISTED AUTH(BODY("*{{1}}* is your code.") "," BUTTONS("{'type':'URL','text':'Copy','url':'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}'}"))
#define CARDS POS(BODY("Look {{1}}.") "," CAROUSEL(CARD("IMAGE") "," CARD("IMAGE")))
#define PRODUCT_CARDS POS(BODY("Look.") "," CAROUSEL(PLAIN_CARD "," PLAIN_CARD))
#define SALE POS(HEADER("IMAGE") "," OFFER("true") "," BODY("Sale {{1}}.") "," BUTTONS(COPY "," URL))
#define S_SALE S_HEADER(IMAGE) "," S_BODY(TEXT("a")) "," S_BUTTON("copy_code", "0", COUPON("SAVE10")) "," S_BUTTON("url", "1", TEXT("u"))

/* code 0: fine; says: what the details must have */
static const struct { const char *definition, *components; int code; const char *says; } cases[] = {
	/* counts in the body */
	{ PLAIN, "", 0, NULL },
	{ PLAIN, S_BODY(""), 0, NULL },
	{ PLAIN, S_BODY(TEXT("a")), 132000, "body: number of localizable_params (1) does not match the expected number of params (0)" },
	{ ONE, S_BODY(TEXT("a")), 0, NULL },
	{ ONE, "", 132000, "body" },
	{ ONE, S_BODY(""), 132000, "body" },
	{ ONE, S_BODY(TEXT("a") "," TEXT("b")), 132000, "(2)" },
	{ TWO, S_BODY(TEXT("a") "," TEXT("b")), 0, NULL },
	{ TWO, S_BODY(TEXT("a")), 132000, "(1)" },
	{ POS(BODY("{{2}} and {{1}} and {{2}}.")), S_BODY(TEXT("a") "," TEXT("b")), 0, NULL },
	{ POS(BODY("only {{3}} here.")), S_BODY(TEXT("a") "," TEXT("b") "," TEXT("c")), 0, NULL },
	{ POS(BODY("{{ 1 }} is one, {{}} and {{-}} and {1} are none.")), S_BODY(TEXT("a")), 0, NULL },
	{ POS(BODY("{{{1}}} is one.")), S_BODY(TEXT("a")), 0, NULL },
	{ ONE, S_BODY(TEXT("a")) "," S_BODY(TEXT("a")), 132012, "more than one" },
	{ ONE, "{'type':'BODY','parameters':[" TEXT("a") "]}", 0, NULL },
	{ ONE, S_BODY(TEXT("a")) "," S_HEADER(""), 0, NULL },
	/* kinds in the body */
	{ TWO, S_BODY(CURRENCY "," DATE), 0, NULL },
	{ TWO, S_BODY(TEXT("a") "," "{'type':'DATE_TIME','date_time':{'fallback_value':'x'}}"), 0, NULL },
	/* names */
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT_OF("first_name", "Ann") "," TEXT_OF("what", "hi")), 0, NULL },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT_OF("what", "hi") "," TEXT_OF("first_name", "Ann")), 0, NULL },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT_OF("what", "hi")), 132000, "body" },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT_OF("what", "a") "," TEXT_OF("what", "b")), 132012, "twice" },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT_OF("what", "a") "," TEXT_OF("who", "b")), 132012, "who" },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "A1")) "," S_BODY(TEXT("a") "," TEXT_OF("what", "b")), 132012, "missing or empty" },
	{ NAMES, S_HEADER(TEXT("A1")) "," S_BODY(TEXT_OF("what", "a") "," TEXT_OF("first_name", "b")), 132012, "header" },
	{ NAMES, S_HEADER(TEXT_OF("what", "A1")) "," S_BODY(TEXT_OF("what", "a") "," TEXT_OF("first_name", "b")), 132012, "header" },
	{ NAMES, S_BODY(TEXT_OF("what", "a") "," TEXT_OF("first_name", "b")), 132000, "header" },
	{ ONE, S_BODY(TEXT_OF("first_name", "a")), 132012, "positional" },
	{ HEAD, S_HEADER(TEXT_OF("order_no", "a")), 132012, "positional" },
	{ NAMED(BODY("Hi {{1}}!")), S_BODY(TEXT_OF("1", "a")), 0, NULL },
	/* text headers */
	{ HEAD, S_HEADER(TEXT("A1")), 0, NULL },
	{ HEAD, "", 132000, "header" },
	{ HEAD, S_HEADER(""), 132000, "header" },
	{ HEAD, S_HEADER(TEXT("a") "," TEXT("b")), 132000, "header" },
	{ HEAD, S_HEADER(IMAGE), 132012, "expected TEXT, received image" },
	{ HEAD, S_HEADER(CURRENCY), 132012, "header" },
	{ POS(HEADER_TEXT("News") "," BODY("Hi.")), "", 0, NULL },
	{ POS(HEADER_TEXT("News") "," BODY("Hi.")), S_HEADER(TEXT("a")), 132000, "header" },
	{ PLAIN, S_HEADER(TEXT("a")), 132000, "header: number of localizable_params (1) does not match the expected number of params (0)" },
	{ PLAIN, S_HEADER(IMAGE), 132012, "expected UNKNOWN, received image" },
	/* the other headers */
	{ POS(HEADER("IMAGE") "," BODY("Hi.")), S_HEADER(IMAGE), 0, NULL },
	{ POS(HEADER("image") "," BODY("Hi.")), S_HEADER("{'type':'IMAGE','image':{'id':'7'}}"), 0, NULL },
	{ POS(HEADER("IMAGE") "," BODY("Hi.")), "", 132012, "expected IMAGE, received UNKNOWN" },
	{ POS(HEADER("IMAGE") "," BODY("Hi.")), S_HEADER(VIDEO), 132012, "received video" },
	{ POS(HEADER("IMAGE") "," BODY("Hi.")), S_HEADER(TEXT("a")), 132012, "received text" },
	{ POS(HEADER("VIDEO") "," BODY("Hi.")), S_HEADER(VIDEO), 0, NULL },
	{ POS(HEADER("VIDEO") "," BODY("Hi.")), S_HEADER(IMAGE), 132012, "expected VIDEO" },
	{ POS(HEADER("VIDEO") "," BODY("Hi.")), S_HEADER(""), 132012, "expected VIDEO" },
	{ POS(HEADER("DOCUMENT") "," BODY("Hi.")), S_HEADER(DOCUMENT), 0, NULL },
	{ POS(HEADER("DOCUMENT") "," BODY("Hi.")), S_HEADER(IMAGE), 132012, "expected DOCUMENT" },
	{ POS(HEADER("GIF") "," BODY("Hi.")), S_HEADER("{'type':'gif','gif':{'id':'7'}}"), 0, NULL },
	{ POS(HEADER("GIF") "," BODY("Hi.")), S_HEADER(VIDEO), 0, NULL },
	{ POS(HEADER("GIF") "," BODY("Hi.")), S_HEADER(IMAGE), 132012, "expected GIF" },
	{ POS(HEADER("LOCATION") "," BODY("Hi.")), S_HEADER(LOCATION), 0, NULL },
	{ POS(HEADER("LOCATION") "," BODY("Hi.")), "", 132012, "expected LOCATION" },
	{ POS(HEADER("LOCATION") "," BODY("Hi.")), S_HEADER(TEXT("here")), 132012, "received text" },
	{ POS(HEADER("PRODUCT") "," BODY("Hi.")), S_HEADER(PRODUCT), 0, NULL },
	{ POS(HEADER("PRODUCT") "," BODY("Hi.")), "", 132012, "expected PRODUCT" },
	{ POS(HEADER("HOLOGRAM") "," BODY("Hi.")), S_HEADER(IMAGE), 0, NULL },
	{ POS(HEADER("HOLOGRAM") "," BODY("Hi.")), "", 0, NULL },
	/* lengths, with the parameters in their places */
	{ ONE, S_BODY(TEXT("@1020@")), 0, NULL },
	{ ONE, S_BODY(TEXT("@1021@")), 132005, "body" },
	{ POS(BODY("{{1}} {{1}}.")), S_BODY(TEXT("@511@")), 0, NULL },
	{ POS(BODY("{{1}} {{1}}.")), S_BODY(TEXT("@512@")), 132005, "1026" },
	{ HEAD, S_HEADER(TEXT("@54@")), 0, NULL },
	{ HEAD, S_HEADER(TEXT("@55@")), 132005, "header" },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "@55@")) "," S_BODY(TEXT_OF("what", "a") "," TEXT_OF("first_name", "b")), 132005, "header" },
	{ SALE, S_SALE "," S_OFFER, 0, NULL },
	{ SALE, S_HEADER(IMAGE) "," S_BODY(TEXT("@594@")) "," S_BUTTON("copy_code", "0", COUPON("A")) "," S_BUTTON("url", "1", TEXT("u")) "," S_OFFER, 0, NULL },
	{ SALE, S_HEADER(IMAGE) "," S_BODY(TEXT("@595@")) "," S_BUTTON("copy_code", "0", COUPON("A")) "," S_BUTTON("url", "1", TEXT("u")) "," S_OFFER, 132005, "600" },
	/* buttons */
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("SAVE10")), 0, NULL },
	{ ALL_BUTTONS, S_BUTTON("quick_reply", "0", PAYLOAD) "," S_BUTTON("quick_reply", "'1'", PAYLOAD) "," S_BUTTON("URL", "'2'", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("SAVE10")), 0, NULL },
	{ ALL_BUTTONS, S_BUTTON("copy_code", "4", COUPON("SAVE10")), 131008, "index 2 of type URL" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")), 131008, "index 4 of type COPY_CODE" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", "") "," S_BUTTON("copy_code", "4", COUPON("A")), 131008, "requires a parameter" },
	{ ALL_BUTTONS, S_BUTTON("url", "1", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("A")), 132012, "index 1" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "3", COUPON("A")), 132018, "index 3 of type PHONE_NUMBER" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("url", "2", TEXT("9")), 132018, "twice" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("A")) "," S_BUTTON("url", "5", TEXT("9")), 132018, "no button at index 5" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", PAYLOAD) "," S_BUTTON("copy_code", "4", COUPON("A")), 132012, "type text" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9") "," TEXT("8")) "," S_BUTTON("copy_code", "4", COUPON("A")), 132018, "one parameter" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("10 %")), 132018, "alphanumeric" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "4", TEXT("A")), 132012, "coupon_code" },
	{ ALL_BUTTONS, S_BUTTON("quick_reply", "0", TEXT("P")) "," S_BUTTON("url", "2", TEXT("9")) "," S_BUTTON("copy_code", "4", COUPON("A")), 132012, "payload" },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("@1980@")) "," S_BUTTON("copy_code", "4", COUPON("A")), 0, NULL },
	{ ALL_BUTTONS, S_BUTTON("url", "2", TEXT("@1981@")) "," S_BUTTON("copy_code", "4", COUPON("A")), 132018, "URL" },
	{ PLAIN, S_BUTTON("url", "0", TEXT("9")), 132018, "no button at index 0" },
	{ POS(BODY("Hi.") "," BUTTONS(FIXED_URL)), "", 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(FIXED_URL)), S_BUTTON("url", "0", ""), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(FIXED_URL)), S_BUTTON("url", "0", TEXT("9")), 132018, "takes no parameters" },
	{ POS(BODY("Hi.") "," BUTTONS(FLOW)), "", 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(FLOW)), S_BUTTON("flow", "0", ""), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(FLOW)), S_BUTTON("flow", "0", ACTION("'flow_token':'t','flow_action_data':{'a':1}")), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(FLOW)), S_BUTTON("catalog", "0", ACTION("'flow_token':'t'")), 132012, "FLOW" },
	{ POS(BODY("Hi.") "," BUTTONS(CATALOG)), "", 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(CATALOG)), S_BUTTON("CATALOG", "0", ACTION("'thumbnail_product_retailer_id':'p'")), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(CATALOG)), S_BUTTON("catalog", "0", TEXT("p")), 132012, "action" },
	{ POS(BODY("Hi.") "," BUTTONS(MPM)), S_BUTTON("mpm", "0", ACTION("'thumbnail_product_retailer_id':'p'," SECTIONS)), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS(MPM)), "", 131008, "MPM" },
	{ POS(BODY("Hi.") "," BUTTONS(MPM)), S_BUTTON("mpm", "0", ACTION("'thumbnail_product_retailer_id':'p'")), 131008, "sections" },
	{ POS(BODY("Hi.") "," BUTTONS(MPM)), S_BUTTON("mpm", "0", ACTION(SECTIONS)), 131008, "thumbnail" },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'SPM','text':'View'}")), "", 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'TELEPORT','text':'Go'}")), S_BUTTON("url", "0", TEXT("x")), 0, NULL },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'TELEPORT','text':'Go'}")), "", 0, NULL },
	/* one-time codes */
	{ CODE_COMPONENTS, S_BODY(TEXT("123456")) "," S_BUTTON("url", "0", TEXT("123456")), 0, NULL },
	{ CODE_LISTED, S_BODY(TEXT("123456")) "," S_BUTTON("url", "'0'", TEXT("123456")), 0, NULL },
	{ CODE_COMPONENTS, S_BODY(TEXT("123456")), 131008, "index 0 of type OTP" },
	{ CODE_LISTED, S_BODY(TEXT("123456")), 131008, "index 0 of type URL" },
	{ CODE_COMPONENTS, S_BUTTON("url", "0", TEXT("123456")), 132000, "body" },
	{ CODE_COMPONENTS, S_BODY(TEXT("1")) "," S_BUTTON("url", "0", TEXT("123456789012345")), 0, NULL },
	{ CODE_COMPONENTS, S_BODY(TEXT("1")) "," S_BUTTON("url", "0", TEXT("1234567890123456")), 132018, "15" },
	{ CODE_LISTED, S_BODY(TEXT("1")) "," S_BUTTON("url", "0", TEXT("1234567890123456")), 132018, "15" },
	{ CODE_COMPONENTS, S_BODY(TEXT("1")) "," S_BUTTON("copy_code", "0", COUPON("1")), 132012, "OTP" },
	/* offers */
	{ SALE, S_SALE, 131008, "expiration_time_ms" },
	{ POS(OFFER("false") "," BODY("Sale.") "," BUTTONS(COPY)), S_BUTTON("copy_code", "0", COUPON("A")), 0, NULL },
	{ POS(OFFER("false") "," BODY("Sale.") "," BUTTONS(COPY)), S_BUTTON("copy_code", "0", COUPON("A")) "," S_OFFER, 132012, "offer" },
	{ PLAIN, S_OFFER, 132012, "offer" },
	/* carousels */
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("1")), 0, NULL },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("'1'") "," GOOD_CARD("0")), 0, NULL },
	{ CARDS, S_BODY(TEXT("a")), 132000, "carousel" },
	{ CARDS, S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("1")), 132000, "body" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("1") "," GOOD_CARD("2")), 132000, "carousel" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0")), 132000, "carousel" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("0")), 132012, "card_index" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("2")), 132012, "card_index" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," S_CARD("1", S_BODY(TEXT("a")) "," S_BUTTON("url", "1", TEXT("u")))), 132012, "IMAGE" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," S_CARD("1", S_HEADER(IMAGE) "," S_BUTTON("url", "1", TEXT("u")))), 132000, "body" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," S_CARD("1", S_HEADER(IMAGE) "," S_BODY(TEXT("a")))), 131008, "index 1" },
	{ CARDS, S_BODY(TEXT("a")) "," S_CAROUSEL(GOOD_CARD("0") "," S_CARD("1", S_HEADER(IMAGE) "," S_BODY(TEXT("@155@")) "," S_BUTTON("url", "1", TEXT("u")))), 132005, "160" },
	{ PLAIN, S_CAROUSEL(GOOD_CARD("0") "," GOOD_CARD("1")), 132012, "no cards" },
	{ PRODUCT_CARDS, S_CAROUSEL(GOOD_PRODUCT("0") "," GOOD_PRODUCT("1")), 0, NULL },
	{ PRODUCT_CARDS, S_CAROUSEL(GOOD_PRODUCT("0") "," GOOD_PRODUCT("1") "," GOOD_PRODUCT("2")), 0, NULL },
	{ PRODUCT_CARDS, S_CAROUSEL(GOOD_PRODUCT("0")), 132000, "carousel" },
	{ PRODUCT_CARDS, S_CAROUSEL(GOOD_PRODUCT("0") "," GOOD_CARD("1")), 132012, "PRODUCT" },
	/* component types of tomorrow */
	{ POS(BODY("Hi.") ",{'type':'SCENT','text':'rose'}"), "", 0, NULL },
	{ PLAIN, "{'type':'tap_target_configuration','parameters':[]}", 0, NULL },
};

/* What a definition may not be; says: the reason. */
static const struct { const char *definition, *says; } bad_definitions[] = {
	{ "{'components':{}}", "not an array" },
	{ POS(BODY("Hi {{name}}.")), "{{name}}" },
	{ POS(BODY("Hi {{0}}.")), "{{0}}" },
	{ POS(BODY("Hi {{101}}.")), "{{101}}" },
	{ POS(BODY("Hi {{99999999999999999999999}}.")), "no position" },
	{ POS(BODY("Hi.") "," BUTTONS(QUICK) "," BUTTONS(QUICK)), "twice" },
	{ POS("{'type':'BUTTONS'}"), "BUTTONS" },
	{ POS(CAROUSEL("")), "CAROUSEL" },
};

/* What whoever creates one is told. */
static const struct { const char *definition; int code; } reviews[] = {
	{ TWO, 0 }, { PLAIN, 0 }, { NAMES, 0 }, { ALL_BUTTONS, 0 }, { CODE_COMPONENTS, 0 }, { CARDS, 0 }, { SALE, 0 },
	{ POS(FOOTER("no body")), 2388072 },
	{ POS(BODY("a {{2}} b c d e.")), 2388072 },
	{ POS(BODY("{{1}} a b c d.")), 2388299 },
	{ POS(BODY("a b c {{1}}")), 2388299 },
	{ POS(BODY("a {{1}}{{2}}{{3}} b.")), 2388293 },
	{ POS(BODY("@1025@")), 2388040 },
	{ POS(HEADER_TEXT("{{1}} {{2}}") "," BODY("Hi.")), 2388047 },
	{ POS(HEADER_TEXT("@61@") "," BODY("Hi.")), 2388040 },
	{ POS(HEADER("SONG") "," BODY("Hi.")), 2388047 },
	{ POS(BODY("Hi.") "," FOOTER("for {{1}}")), 2388073 },
	{ POS(BODY("Hi.") "," FOOTER("@61@")), 2388040 },
	{ POS(BODY("Hi.") "," BUTTONS(QUICK "," URL "," QUICK)), 100 },
	{ POS(BODY("Hi.") "," BUTTONS(URL "," URL "," URL)), 100 },
	{ POS(BODY("Hi.") "," BUTTONS(PHONE "," PHONE)), 100 },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'URL','text':'a','url':'https://{{1}}.example/'}")), 100 },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'QUICK_REPLY','text':'@26@'}")), 2388040 },
	{ POS(BODY("Hi.") "," BUTTONS("{'type':'TELEPORT','text':'a'}")), 100 },
	{ POS(BODY("Hi.") "," CAROUSEL(CARD("IMAGE"))), 100 },
	{ POS(BODY("Hi.") "," CAROUSEL(CARD("IMAGE") "," CARD("VIDEO"))), 100 },
	{ POS(OFFER("true") "," BODY("Hi.") "," FOOTER("no")), 2388073 },
};

static const struct { const char *definition, *components, *seen; } renderings[] = {
	{ PLAIN, "", "{'header':null,'body':'Hello.','footer':null,'buttons':[]}" },
	{ POS(HEADER_TEXT("Order {{1}}") "," BODY("{{2}}, {{1}} and {{2}}.") "," FOOTER("Bye")),
	  S_BODY(TEXT("a") "," TEXT("b")) "," S_HEADER(TEXT("A1")),
	  "{'header':'Order A1','body':'b, a and b.','footer':'Bye','buttons':[]}" },
	{ NAMES, S_HEADER(TEXT_OF("order_no", "7")) "," S_BODY(TEXT_OF("what", "hello") "," TEXT_OF("first_name", "Ann")),
	  "{'header':'Order 7','body':'Hi Ann, hello Ann.','footer':null,'buttons':[]}" },
	{ TWO, S_BODY(CURRENCY "," DATE), "{'header':null,'body':'Hi $1, May 1.','footer':null,'buttons':[]}" },
	{ ONE, S_BODY(TEXT("{{1}} \\\" \\u00fc")), "{'header':null,'body':'Hi {{1}} \\\" \\u00fc!','footer':null,'buttons':[]}" },
	{ POS(HEADER("DOCUMENT") "," BODY("Hi.") "," BUTTONS(QUICK "," QUICK "," URL "," PHONE)),
	  S_HEADER(DOCUMENT) "," S_BUTTON("quick_reply", "1", PAYLOAD) "," S_BUTTON("url", "2", TEXT("9")),
	  "{'header':{'type':'document','document':{'id':'7','filename':'a.pdf'}},'body':'Hi.','footer':null,'buttons':["
	  "{'type':'QUICK_REPLY','text':'Stop'},{'type':'QUICK_REPLY','text':'Stop','payload':'P'},"
	  "{'type':'URL','text':'Track','url':'https://x.example/t/9'},{'type':'PHONE_NUMBER','text':'Call'}]}" },
	{ CODE_COMPONENTS, S_BODY(TEXT("123")) "," S_BUTTON("url", "0", TEXT("123")),
	  "{'header':null,'body':'*123* is your verification code. For your security, do not share this code.',"
	  "'footer':'This code expires in 10 minutes.','buttons':[{'type':'OTP','text':'Copy','code':'123'}]}" },
	{ SALE, S_SALE "," S_OFFER,
	  "{'header':{'type':'image','image':{'id':'7'}},'body':'Sale a.','footer':null,'buttons':["
	  "{'type':'COPY_CODE','text':'','coupon_code':'SAVE10'},{'type':'URL','text':'Track','url':'https://x.example/t/u'}],"
	  "'offer':{'text':'Now!','expiration_time_ms':1900000000000}}" },
	{ PRODUCT_CARDS, S_CAROUSEL(GOOD_PRODUCT("0") "," GOOD_PRODUCT("1")),
	  "{'header':null,'body':'Look.','footer':null,'buttons':[],'cards':["
	  "{'header':" PRODUCT ",'body':null,'footer':null,'buttons':[{'type':'SPM','text':'View'}]},"
	  "{'header':" PRODUCT ",'body':null,'footer':null,'buttons':[{'type':'SPM','text':'View'}]}]}" },
	{ POS(BODY("Hi.") "," BUTTONS(FLOW)), S_BUTTON("flow", "0", ACTION("'flow_token':'t'")),
	  "{'header':null,'body':'Hi.','footer':null,'buttons':[{'type':'FLOW','text':'Book','action':{'flow_token':'t'}}]}" },
};

/* ' becomes ", @N@ a text of N characters of two bytes each. */
static json_t *parse(const char *text)
{
	struct strbuf sb = STRBUF_INIT;
	json_error_t err;
	json_t *o;

	for (const char *p = text; *p; p++) {
		if (*p != '@') {
			strbuf_addc(&sb, *p == '\'' ? '"' : *p);
			continue;
		}
		for (long n = strtol(p + 1, (char **)(uintptr_t)&p, 10); n > 0; n--)
			strbuf_adds(&sb, "\xc3\xa4");
	}
	o = json_loadb(sb.buf, sb.len, 0, &err);
	ck_assert_msg(o != NULL, "%s: %s", sb.buf, err.text);
	strbuf_release(&sb);
	return o;
}

static struct blueprint *blueprint_of(const char *definition)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = parse(definition);
	struct blueprint *b = blueprint_new(o, &why);

	ck_assert_msg(b != NULL, "%s: %s", definition, why.buf);
	json_decref(o);		/* the blueprint must not need it */
	return b;
}

static json_t *payload_of(const char *components)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *o;

	strbuf_addf(&sb, "{'name':'t','language':{'code':'en_US'},'components':[%s]}", components);
	o = parse(sb.buf);
	strbuf_release(&sb);
	return o;
}

START_TEST(judges_sends_by_their_definition)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct blueprint *b = blueprint_of(cases[_i].definition);
	json_t *payload = payload_of(cases[_i].components);
	int result = blueprint_check(b, payload, &e);

	ck_assert_msg((result == 0) == (cases[_i].code == 0) && e.code == cases[_i].code, "%s\n%s\n%d: %s", cases[_i].definition,
		      cases[_i].components, e.code, e.details.buf);
	if (cases[_i].says)
		ck_assert_msg(strstr(e.details.buf, cases[_i].says) != NULL, "%s\nsays: %s\nnot: %s", cases[_i].components, e.details.buf,
			      cases[_i].says);
	if (result == 0)
		json_decref(blueprint_render(b, payload));
	json_decref(payload);
	strbuf_release(&e.details);
	blueprint_free(&b);
}
END_TEST

START_TEST(refuses_what_is_no_definition)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = parse(bad_definitions[_i].definition);

	ck_assert_ptr_null(blueprint_new(o, &why));
	ck_assert_msg(strstr(why.buf, bad_definitions[_i].says) != NULL, "%s", why.buf);
	json_decref(o);
	strbuf_release(&why);
}
END_TEST

START_TEST(reviews_new_definitions)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	json_t *o = parse(reviews[_i].definition);
	int result = blueprint_review(o, &e);

	ck_assert_msg((result == 0) == (reviews[_i].code == 0) && e.code == reviews[_i].code, "%s\n%d: %s", reviews[_i].definition, e.code,
		      e.details.buf);
	json_decref(o);
	strbuf_release(&e.details);
}
END_TEST

START_TEST(renders_what_the_recipient_sees)
{
	struct blueprint *b = blueprint_of(renderings[_i].definition);
	json_t *payload = payload_of(renderings[_i].components), *wanted = parse(renderings[_i].seen), *seen = blueprint_render(b, payload);
	char *text = json_dumps(seen, JSON_COMPACT);

	ck_assert_msg(json_equal(seen, wanted), "%s\n%s", renderings[_i].seen, text);
	free(text);
	json_decref(seen);
	json_decref(wanted);
	json_decref(payload);
	blueprint_free(&b);
}
END_TEST

/* ---- the store ---- */

static struct template *put(struct catalogue *c, const char *text)
{
	struct strbuf why = STRBUF_INIT;
	json_t *o = parse(text);
	struct template *t = catalogue_put(c, o, &why);

	json_decref(o);
	strbuf_release(&why);
	return t;
}

static int verdict(const struct catalogue *c, const char *waba, const char *name, const char *language, struct template **t)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	json_t *payload = json_pack("{s:s,s:{s:s}}", "name", name, "language", "code", language);
	int code = catalogue_check(c, waba, payload, t, &e) == 0 ? 0 : e.code;

	json_decref(payload);
	strbuf_release(&e.details);
	return code;
}

START_TEST(finds_by_account_name_and_language)
{
	struct catalogue *c = catalogue_new();
	struct template *mine, *anyones, *t;

	ck_assert_int_eq(verdict(c, "1", "a", "en", &t), 0);	/* empty: everything is fine */
	ck_assert_ptr_null(t);
	mine = put(c, "{'waba_id':'1','name':'a','language':'en'}");
	anyones = put(c, "{'name':'a','language':'en','status':'paused'}");
	ck_assert(mine && anyones && mine != anyones && strcmp(mine->id, anyones->id));
	ck_assert_int_eq(verdict(c, "1", "a", "en", &t), 0);
	ck_assert_ptr_eq(t, mine);
	ck_assert_int_eq(verdict(c, "2", "a", "en", &t), 132015);
	ck_assert_ptr_eq(t, anyones);
	ck_assert_int_eq(verdict(c, "1", "a", "en_US", &t), 132001);
	ck_assert_int_eq(verdict(c, "1", "b", "en", &t), 132001);
	ck_assert_ptr_null(t);
	ck_assert_ptr_null(put(c, "{'name':'a'}"));
	catalogue_free(&c);
}
END_TEST

START_TEST(a_template_that_is_put_again_keeps_its_id_and_one_that_went_is_gone)
{
	struct catalogue *c = catalogue_new();
	struct template *t = put(c, "{'waba_id':'1','id':'77','name':'a','language':'en'}"), *other;

	ck_assert_ptr_eq(put(c, "{'waba_id':'1','name':'a','language':'en','status':'DISABLED'}"), t);
	ck_assert_str_eq(t->id, "77");
	ck_assert_int_eq(verdict(c, "1", "a", "en", &other), 132016);
	ck_assert_ptr_null(put(c, "{'waba_id':'1','id':'77','name':'b','language':'en'}"));
	ck_assert_ptr_nonnull(put(c, "{'waba_id':'1','name':'b','language':'en'}"));
	ck_assert(!catalogue_had(c, "1", "b"));
	catalogue_remove(c, catalogue_find(c, "1", "b", "en"));
	ck_assert(catalogue_had(c, "1", "b"));
	ck_assert_int_eq(verdict(c, "1", "b", "en", &other), 132001);
	ck_assert_ptr_eq(catalogue_by_id(c, "77", 2), t);
	ck_assert_ptr_nonnull(put(c, "{'waba_id':'1','name':'b','language':'en'}"));
	ck_assert_int_eq(verdict(c, "1", "b", "en", &other), 0);
	catalogue_free(&c);
}
END_TEST

START_TEST(ten_thousand_are_as_quick_as_one)
{
	struct catalogue *c = catalogue_new();
	struct catalogue_list l;
	struct template *t;
	char text[128], name[32];

	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "{'waba_id':'1','name':'t_%d','language':'en','components':[" BODY("Hi {{1}}.") "]}", i);
		ck_assert_ptr_nonnull(put(c, text));
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "t_%d", i);
		ck_assert_int_eq(verdict(c, "1", name, "en", &t), 132000);
		ck_assert_str_eq(t->name, name);
	}
	catalogue_list(c, "1", &l);
	ck_assert_uint_eq(l.n, 10000);
	free(l.all);
	catalogue_free(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox templates");
	TCase *t = unit_case(s, "templates");

	ids_seed();
	tcase_add_loop_test(t, judges_sends_by_their_definition, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(t, refuses_what_is_no_definition, 0, (int)ARRAY_LEN(bad_definitions));
	tcase_add_loop_test(t, reviews_new_definitions, 0, (int)ARRAY_LEN(reviews));
	tcase_add_loop_test(t, renders_what_the_recipient_sees, 0, (int)ARRAY_LEN(renderings));
	tcase_add_test(t, finds_by_account_name_and_language);
	tcase_add_test(t, a_template_that_is_put_again_keeps_its_id_and_one_that_went_is_gone);
	tcase_add_test(t, ten_thousand_are_as_quick_as_one);
	return unit_run(s);
}
