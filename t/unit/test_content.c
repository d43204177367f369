/*
 * What a message may say, by type: one row, one payload, and the exact words of a refusal.
 *
 * Written with ' for ", and @N@ for N characters of two bytes (limits count characters).  What passes here is shown to the sandbox, too,
 * which reads the documentation by itself; OURS marks what only wamd takes, or hands on without a look.
 */
#include "unit.h"

#include "base/str.h"
#include "conf/tenants.h"
#include "msg/content.h"
#include "sandbox/validate.h"

#define OURS "ours"
#define HASH "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HANDLE "m.0123456789abcdefghIJ-_"
#define B "'body':{'text':'b'}"
#define REPLY(id, title) "{'type':'reply','reply':{'id':'" id "','title':'" title "'}}"
#define BUTTONS(more, list) "{'type':'button'," more "'action':{'buttons':[" list "]}}"
#define ROW(id) "{'id':'" id "','title':'t'}"
#define ROWS5(a) ROW(a "1") "," ROW(a "2") "," ROW(a "3") "," ROW(a "4") "," ROW(a "5")
#define LIST(more, sections) "{'type':'list'," more "'action':{'button':'Go','sections':[" sections "]}}"
#define CTA(more, parameters) "{'type':'cta_url'," more "'action':{'name':'cta_url','parameters':{" parameters "}}}"
#define URL "'display_text':'Open','url':'https://example.com/x'"
#define FLOW(parameters) "{'type':'flow'," B ",'action':{'name':'flow','parameters':{'flow_message_version':'3','flow_cta':'Go'" parameters "}}}"
#define ITEM "{'product_retailer_id':'p'}"
#define ITEMS10 ITEM "," ITEM "," ITEM "," ITEM "," ITEM "," ITEM "," ITEM "," ITEM "," ITEM "," ITEM
#define PRODUCTS(more, sections) "{'type':'product_list'," B more ",'action':{'catalog_id':'1','sections':[" sections "]}}"
#define HEADER_TEXT ",'header':{'type':'text','text':'h'}"
#define ADDRESS(parameters) "{'type':'address_message'," B ",'action':{'name':'address_message','parameters':{" parameters "}}}"
#define CAROUSEL(cards) "{'type':'carousel'," B ",'action':{'cards':[" cards "]}}"
#define IMAGE "'header':{'type':'image','image':{'link':'https://a.b/c'}}"
#define URL_ACTION "'action':{'name':'cta_url','parameters':{" URL "}}"
#define CARD(i, more) "{'card_index':" i ",'type':'cta_url'," more "}"
#define QUICK(id, title) "{'type':'quick_reply','quick_reply':{'id':'" id "','title':'" title "'}}"
#define PRODUCT_CARD(i, catalog) "{'card_index':" i ",'type':'product','action':{'product_retailer_id':'p','catalog_id':'" catalog "'}}"
#define CONTACT(more) "[{'name':{'formatted_name':'A B','first_name':'A'}" more "}]"
#define PARAMETER(kind, file) "{'type':'" kind "','" kind "':{" file "}}"
#define TEMPLATE(more) "{'name':'order_update','language':{'code':'en_US'}" more "}"

static const char one_of[] = "allowed exactly one of id, link and media";

/* says: the refusal; NULL: it passes; a + at its end stands for one_of. */
static const struct { const char *type, *payload, *says, *whose; } rows[] = {
	/* text */
	{ "text", "{'body':'@4096@','preview_url':true}", NULL, NULL },
	{ "text", "{'body':'b','preview_url':null,'colour':'red'}", NULL, OURS },
	{ "text", "{'body':'@4097@'}", "text.body: found 4097 characters, allowed 1 to 4096", NULL },
	{ "text", "{'body':''}", "text.body: found 0 characters, allowed 1 to 4096", NULL },
	{ "text", "{'body':5}", "text.body: found a number, allowed a string", NULL },
	{ "text", "{'body':null}", "text.body: found null, allowed a string", NULL },
	{ "text", "{}", "text.body: found nothing, allowed a string", NULL },
	{ "text", "'hi'", "text: found a string, allowed an object", NULL },
	{ "text", "{'body':'b','preview_url':'yes'}", "text.preview_url: found a string, allowed a boolean", NULL },
	/* media */
	{ "image", "{'id':'1013859600285441','caption':'@1024@'}", NULL, NULL },
	{ "image", "{'id':1013859600285441}", NULL, NULL },
	{ "image", "{'link':'https://example.com/a.jpg','id':null}", NULL, NULL },
	{ "image", "{'link':'HTTP://example.com:8080/a.jpg'}", NULL, NULL },
	{ "image", "{'media':'" HASH "','caption':'c'}", NULL, OURS },
	{ "image", "{'media':'" HANDLE "'}", NULL, OURS },
	{ "image", "{}", "image: found none, +", NULL },
	{ "image", "[]", "image: found an array, allowed an object", NULL },
	{ "image", "{'id':'1','link':'https://a.b'}", "image: found several, +", NULL },
	{ "image", "{'id':'1','media':'" HASH "'}", "image: found several, +", NULL },
	{ "image", "{'link':'https://a.b','media':'" HASH "'}", "image: found several, +", NULL },
	{ "image", "{'id':'media-1'}", "image.id: found another text, allowed digits", NULL },
	{ "image", "{'id':''}", "image.id: found another text, allowed digits", NULL },
	{ "image", "{'id':-1}", "image.id: found a number, allowed digits in a string", NULL },
	{ "image", "{'link':'ftp://a.b'}", "image.link: found another text, allowed an address with http:// or https:// and a host", NULL },
	{ "image", "{'link':'https:///a'}", "image.link: found another text, allowed an address with http:// or https:// and a host", NULL },
	{ "image", "{'link':'https://a b'}", "image.link: found another text, allowed an address with http:// or https:// and a host", NULL },
	{ "image", "{'link':7}", "image.link: found a number, allowed a string", NULL },
	{ "image", "{'media':7}", "image.media: found a number, allowed a string", NULL },
	{ "image", "{'media':'sha256:0123'}", "image.media: found another text, allowed sha256: with 64 hex digits, or the handle of an upload", NULL },
	{ "image", "{'media':'sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef'}",
	  "image.media: found another text, allowed sha256: with 64 hex digits, or the handle of an upload", NULL },
	{ "image", "{'media':'" HASH "0'}", "image.media: found another text, allowed sha256: with 64 hex digits, or the handle of an upload", NULL },
	{ "image", "{'media':'m.0123456789abcdefghIJ-'}", "image.media: found another text, allowed sha256: with 64 hex digits, or the handle of an upload", NULL },
	{ "image", "{'media':'m.0123456789abcdefghIJ-+'}", "image.media: found another text, allowed sha256: with 64 hex digits, or the handle of an upload", NULL },
	{ "image", "{'id':'1','caption':'@1025@'}", "image.caption: found 1025 characters, allowed 0 to 1024", NULL },
	{ "image", "{'id':'1','caption':1}", "image.caption: found a number, allowed a string", NULL },
	{ "video", "{'id':'1','caption':'@1024@'}", NULL, NULL },
	{ "video", "{'id':'1','caption':'@1025@'}", "video.caption: found 1025 characters, allowed 0 to 1024", NULL },
	{ "video", "{'caption':'c'}", "video: found none, +", NULL },
	{ "audio", "{'id':'1','voice':true}", NULL, NULL },
	{ "audio", "{'link':'https://a.b/c','caption':null}", NULL, OURS },
	{ "audio", "{'id':'1','caption':'c'}", "audio.caption: found a string, allowed nothing", NULL },
	{ "audio", "{'id':'1','voice':'yes'}", "audio.voice: found a string, allowed a boolean", NULL },
	{ "audio", "{'voice':true}", "audio: found none, +", NULL },
	{ "document", "{'id':'1','caption':'@1024@','filename':'@240@'}", NULL, NULL },
	{ "document", "{'media':'" HANDLE "','filename':'a.pdf'}", NULL, OURS },
	{ "document", "{'id':'1','filename':'@241@'}", "document.filename: found 241 characters, allowed 1 to 240", NULL },
	{ "document", "{'id':'1','filename':''}", "document.filename: found 0 characters, allowed 1 to 240", NULL },
	{ "document", "{'id':'1','caption':'@1025@'}", "document.caption: found 1025 characters, allowed 0 to 1024", NULL },
	{ "document", "{'filename':'a.pdf'}", "document: found none, +", NULL },
	{ "sticker", "{'id':'1'}", NULL, NULL },
	{ "sticker", "{'id':'1','caption':'c'}", "sticker.caption: found a string, allowed nothing", NULL },
	{ "sticker", "{'id':'1','link':'https://a.b'}", "sticker: found several, +", NULL },
	/* location */
	{ "location", "{'latitude':37.44,'longitude':-122.16,'name':'HQ','address':'1 Way'}", NULL, NULL },
	{ "location", "{'latitude':'37.44','longitude':'-122.16'}", NULL, NULL },
	{ "location", "{'latitude':-90,'longitude':180}", NULL, NULL },
	{ "location", "{'latitude':37.44}", "location.longitude: found nothing, allowed a number, also as a string", NULL },
	{ "location", "{'longitude':37.44}", "location.latitude: found nothing, allowed a number, also as a string", NULL },
	{ "location", "{'latitude':90.1,'longitude':0}", "location.latitude: found a number out of range, allowed -90 to 90", NULL },
	{ "location", "{'latitude':0,'longitude':'-180.1'}", "location.longitude: found a number out of range, allowed -180 to 180", NULL },
	{ "location", "{'latitude':'north','longitude':0}", "location.latitude: found a string, allowed a number, also as a string", NULL },
	{ "location", "{'latitude':'','longitude':0}", "location.latitude: found a string, allowed a number, also as a string", NULL },
	{ "location", "{'latitude':'1e999','longitude':0}", "location.latitude: found a string, allowed a number, also as a string", NULL },
	{ "location", "{'latitude':0,'longitude':0,'name':1}", "location.name: found a number, allowed a string", NULL },
	/* contacts */
	{ "contacts", CONTACT(",'phones':[{'phone':'+1650','type':'WORK','wa_id':'1650'}],'emails':[{'email':'a@b.c','type':'WORK'}],"
			      "'urls':[{'url':'https://a.b','type':'WORK'}],'addresses':[{'street':'s','city':'c','state':'CA','zip':'1','country':'US',"
			      "'country_code':'us','type':'HOME'}],'org':{'company':'C','department':'d','title':'t'},'birthday':'2000-01-31'"), NULL, NULL },
	{ "contacts", "[{'name':{'formatted_name':'A','suffix':'Jr'}}]", NULL, NULL },
	{ "contacts", "[]", "contacts: found 0 items, allowed 1 to 257", NULL },
	{ "contacts", "{}", "contacts: found an object, allowed an array", NULL },
	{ "contacts", "[7]", "contacts[0]: found a number, allowed an object", NULL },
	{ "contacts", "[{}]", "contacts[0].name: found nothing, allowed an object", NULL },
	{ "contacts", "[{'name':{'first_name':'A'}}]", "contacts[0].name.formatted_name: found nothing, allowed a string", NULL },
	{ "contacts", "[{'name':{'formatted_name':'','first_name':'A'}}]", "contacts[0].name.formatted_name: found 0 characters, allowed 1 or more", NULL },
	{ "contacts", "[{'name':{'formatted_name':'A'}}]",
	  "contacts[0].name: found formatted_name alone, allowed with first_name, last_name, middle_name, suffix or prefix", NULL },
	{ "contacts", CONTACT(",'birthday':'31.1.2000'"), "contacts[0].birthday: found another text, allowed a date such as 2026-11-23", NULL },
	{ "contacts", CONTACT(",'birthday':'2000-01-311'"), "contacts[0].birthday: found another text, allowed a date such as 2026-11-23", NULL },
	{ "contacts", CONTACT(",'birthday':2000"), "contacts[0].birthday: found a number, allowed a string", NULL },
	{ "contacts", CONTACT(",'phones':{}"), "contacts[0].phones: found an object, allowed an array", NULL },
	{ "contacts", CONTACT(",'phones':[{},{'phone':1}]"), "contacts[0].phones[1].phone: found a number, allowed a string", NULL },
	{ "contacts", CONTACT(",'emails':[{'email':1}]"), "contacts[0].emails[0].email: found a number, allowed a string", NULL },
	{ "contacts", CONTACT(",'org':[]"), "contacts[0].org: found an array, allowed an object", NULL },
	/* reaction */
	{ "reaction", "{'message_id':'wamid.1','emoji':'\\uD83D\\uDE00'}", NULL, NULL },
	{ "reaction", "{'message_id':'wamid.1','emoji':'\\u2705'}", NULL, NULL },
	{ "reaction", "{'message_id':'wamid.1','emoji':''}", NULL, NULL },
	{ "reaction", "{'message_id':'wamid.1'}", "reaction.emoji: found nothing, allowed a string", NULL },
	{ "reaction", "{'message_id':'wamid.1','emoji':'ok'}", "reaction.emoji: found another text, allowed one emoji, or an empty text", NULL },
	{ "reaction", "{'message_id':'wamid.1','emoji':'@33@'}", "reaction.emoji: found 33 characters, allowed 0 to 32", NULL },
	{ "reaction", "{'emoji':''}", "reaction.message_id: found nothing, allowed a string", NULL },
	{ "reaction", "{'message_id':'','emoji':''}", "reaction.message_id: found 0 characters, allowed 1 to 512", NULL },
	/* interactive: what stands around the action */
	{ "interactive", "{}", "interactive.type: found nothing, allowed a string", NULL },
	{ "interactive", "[]", "interactive: found an array, allowed an object", NULL },
	{ "interactive", "{'type':'telepathy','action':{}}", NULL, OURS },
	{ "interactive", "{'type':'telepathy','action':7}", "interactive.action: found a number, allowed an object", NULL },
	{ "interactive", "{'type':'telepathy','header':{'type':'image','image':{}}}", "interactive.header.image: found none, +", NULL },
	{ "interactive", "{'type':'order_details'," B ",'action':{'name':'review_and_pay','parameters':{'reference_id':'r'}}}", NULL, NULL },
	{ "interactive", "{'type':'order_status'," B ",'action':{'name':'review_order','parameters':{'reference_id':'r'}}}", NULL, NULL },
	{ "interactive", "{'type':'call_permission_request','action':{'name':'call_permission_request'}}", NULL, NULL },
	{ "interactive", "{'type':'voice_call'," B ",'action':{'name':'voice_call','parameters':{'display_text':'Call','ttl_minutes':100}}}", NULL, NULL },
	{ "interactive", "{'type':'request_contact_info'," B ",'action':{'name':'request_contact_info'}}", NULL, NULL },
	{ "interactive", BUTTONS("'header':{'type':'document','document':{'id':'1','filename':'f.pdf'}}," B ",'footer':{'text':'@60@'},", REPLY("a", "A")), NULL, NULL },
	{ "interactive", BUTTONS("'header':{'type':'video','video':{'media':'" HANDLE "'}}," B ",", REPLY("a", "A")), NULL, OURS },
	{ "interactive", BUTTONS("'header':{'type':'text','text':'@60@'}," B ",", REPLY("a", "A")), NULL, NULL },
	{ "interactive", BUTTONS("'header':{'type':'text','text':'@61@'}," B ",", REPLY("a", "A")), "interactive.header.text: found 61 characters, allowed 1 to 60", NULL },
	{ "interactive", BUTTONS("'header':{'type':'text'}," B ",", REPLY("a", "A")), "interactive.header.text: found nothing, allowed what type says", NULL },
	{ "interactive", BUTTONS("'header':{'type':'sound'}," B ",", REPLY("a", "A")), "interactive.header.type: found another text, allowed text|image|video|document", NULL },
	{ "interactive", BUTTONS("'header':{}," B ",", REPLY("a", "A")), "interactive.header.type: found nothing, allowed a string", NULL },
	{ "interactive", BUTTONS("'header':7," B ",", REPLY("a", "A")), "interactive.header: found a number, allowed an object", NULL },
	{ "interactive", BUTTONS("'header':{'type':'image'}," B ",", REPLY("a", "A")), "interactive.header.image: found nothing, allowed what type says", NULL },
	{ "interactive", BUTTONS("'header':{'type':'image','image':{}}," B ",", REPLY("a", "A")), "interactive.header.image: found none, +", NULL },
	{ "interactive", BUTTONS("'header':{'type':'image','image':{'id':'1','media':'" HASH "'}}," B ",", REPLY("a", "A")), "interactive.header.image: found several, +", NULL },
	{ "interactive", BUTTONS("'header':{'type':'document','document':{'id':'1','filename':'@241@'}}," B ",", REPLY("a", "A")),
	  "interactive.header.document.filename: found 241 characters, allowed 1 to 240", NULL },
	{ "interactive", BUTTONS("", REPLY("a", "A")), "interactive.body: found nothing, allowed an object", NULL },
	{ "interactive", BUTTONS("'body':{},", REPLY("a", "A")), "interactive.body.text: found nothing, allowed a string", NULL },
	{ "interactive", BUTTONS("'body':{'text':''},", REPLY("a", "A")), "interactive.body.text: found 0 characters, allowed 1 or more", NULL },
	{ "interactive", BUTTONS("'body':{'text':'@1024@'},", REPLY("a", "A")), NULL, NULL },
	{ "interactive", BUTTONS("'body':{'text':'@1025@'},", REPLY("a", "A")), "interactive.body.text: found 1025 characters, allowed 1 to 1024", NULL },
	{ "interactive", BUTTONS(B ",'footer':{'text':'@61@'},", REPLY("a", "A")), "interactive.footer.text: found 61 characters, allowed 1 to 60", NULL },
	{ "interactive", BUTTONS(B ",'footer':{},", REPLY("a", "A")), "interactive.footer.text: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'button'," B "}", "interactive.action: found nothing, allowed an object", NULL },
	/* buttons */
	{ "interactive", BUTTONS(B ",", REPLY("a", "A") "," REPLY("b", "B") "," REPLY("c", "@20@")), NULL, NULL },
	{ "interactive", BUTTONS(B ",", REPLY("@256@", "A")), NULL, NULL },
	{ "interactive", BUTTONS(B ",", ""), "interactive.action.buttons: found 0 items, allowed 1 to 3", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("a", "A") "," REPLY("b", "B") "," REPLY("c", "C") "," REPLY("d", "D")),
	  "interactive.action.buttons[3]: found 4 items, allowed 1 to 3", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("a", "@21@")), "interactive.action.buttons[0].reply.title: found 21 characters, allowed 1 to 20", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("@257@", "A")), "interactive.action.buttons[0].reply.id: found 257 characters, allowed 1 to 256", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("", "A")), "interactive.action.buttons[0].reply.id: found 0 characters, allowed 1 to 256", NULL },
	{ "interactive", BUTTONS(B ",", REPLY(" a", "A")), "interactive.action.buttons[0].reply.id: found a blank at an end, allowed none there", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("a ", "A")), "interactive.action.buttons[0].reply.id: found a blank at an end, allowed none there", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("a", "A") "," REPLY("a", "B")),
	  "interactive.action.buttons[1].reply.id: found the same as in buttons[0], allowed another", NULL },
	{ "interactive", BUTTONS(B ",", REPLY("a", "A") "," REPLY("b", "A")),
	  "interactive.action.buttons[1].reply.title: found the same as in buttons[0], allowed another", NULL },
	{ "interactive", BUTTONS(B ",", "{'type':'url','reply':{'id':'a','title':'A'}}"), "interactive.action.buttons[0].type: found another text, allowed reply", NULL },
	{ "interactive", BUTTONS(B ",", "{'type':'reply'}"), "interactive.action.buttons[0].reply: found nothing, allowed an object", NULL },
	/* lists */
	{ "interactive", LIST("'body':{'text':'@4096@'}" HEADER_TEXT ",", "{'rows':[" ROWS5("a") "," ROWS5("b") "]}"), NULL, NULL },
	{ "interactive", LIST(B ",", "{'title':'@24@','rows':[{'id':'@200@','title':'@24@','description':'@72@'}]},{'title':'b','rows':[" ROW("1") "]}"), NULL, NULL },
	{ "interactive", LIST("'body':{'text':'@4097@'},", "{'rows':[" ROW("1") "]}"), "interactive.body.text: found 4097 characters, allowed 1 to 4096", NULL },
	{ "interactive", LIST("'header':{'type':'image','image':{'id':'1'}}," B ",", "{'rows':[" ROW("1") "]}"),
	  "interactive.header.type: found another kind, allowed text with this type", NULL },
	{ "interactive", LIST(B ",", ""), "interactive.action.sections: found 0 items, allowed 1 to 10", NULL },
	{ "interactive", LIST(B ",", "{'rows':[]}"), "interactive.action.sections[0].rows: found 0 items, allowed 1 to 10", NULL },
	{ "interactive", LIST(B ",", "{'rows':[" ROWS5("a") "," ROWS5("b") "," ROW("c") "]}"),
	  "interactive.action.sections[0].rows[10]: found 11 items, allowed 1 to 10", NULL },
	{ "interactive", LIST(B ",", "{'title':'a','rows':[" ROWS5("a") "," ROW("x") "]},{'title':'b','rows':[" ROWS5("b") "]}"),
	  "interactive.action.sections[1].rows: found more than 10 items in all sections, allowed 1 to 10", NULL },
	{ "interactive", LIST(B ",", "{'title':'a','rows':[" ROW("1") "]},{'rows':[" ROW("2") "]}"),
	  "interactive.action.sections[1].title: found nothing, allowed a title where there are several sections", NULL },
	{ "interactive", LIST(B ",", "{'title':'a','rows':[" ROW("1") "]},{'title':'b','rows':[" ROW("1") "]}"),
	  "interactive.action.sections[1].rows[0].id: found the same as in another row, allowed another", NULL },
	{ "interactive", LIST(B ",", "{'title':'@25@','rows':[" ROW("1") "]}"), "interactive.action.sections[0].title: found 25 characters, allowed 0 to 24", NULL },
	{ "interactive", LIST(B ",", "{'rows':[{'id':'@201@','title':'t'}]}"), "interactive.action.sections[0].rows[0].id: found 201 characters, allowed 1 to 200", NULL },
	{ "interactive", LIST(B ",", "{'rows':[{'id':'1','title':'@25@'}]}"), "interactive.action.sections[0].rows[0].title: found 25 characters, allowed 1 to 24", NULL },
	{ "interactive", LIST(B ",", "{'rows':[{'id':'1','title':'t','description':'@73@'}]}"),
	  "interactive.action.sections[0].rows[0].description: found 73 characters, allowed 0 to 72", NULL },
	{ "interactive", "{'type':'list'," B ",'action':{'sections':[{'rows':[" ROW("1") "]}]}}", "interactive.action.button: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'list'," B ",'action':{'button':'@21@','sections':[{'rows':[" ROW("1") "]}]}}",
	  "interactive.action.button: found 21 characters, allowed 1 to 20", NULL },
	/* a button with an address */
	{ "interactive", CTA("'header':{'type':'video','video':{'link':'https://a.b/c'}}," B ",'footer':{'text':'f'},", "'display_text':'@20@','url':'http://a.b'"), NULL, NULL },
	{ "interactive", CTA(B ",", "'display_text':'@21@','url':'http://a.b'"), "interactive.action.parameters.display_text: found 21 characters, allowed 1 to 20", NULL },
	{ "interactive", CTA(B ",", "'display_text':'t','url':'example'"),
	  "interactive.action.parameters.url: found another text, allowed an address with http:// or https:// and a host", NULL },
	{ "interactive", CTA(B ",", "'url':'http://a.b'"), "interactive.action.parameters.display_text: found nothing, allowed a string", NULL },
	{ "interactive", CTA(B ",", "'display_text':'t'"), "interactive.action.parameters.url: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'cta_url'," B ",'action':{'name':'cta'}}", "interactive.action.name: found another text, allowed cta_url", NULL },
	{ "interactive", "{'type':'cta_url'," B ",'action':{'name':'cta_url'}}", "interactive.action.parameters: found nothing, allowed an object", NULL },
	/* flows */
	{ "interactive", FLOW(",'flow_id':'1','mode':'draft','flow_token':'t','flow_action':'navigate','flow_action_payload':{'screen':'S','data':{'a':1}}"), NULL, NULL },
	{ "interactive", FLOW(",'flow_name':'n','flow_action':'data_exchange'"), NULL, NULL },
	{ "interactive", FLOW(",'flow_id':'1','flow_name':'n'"), "interactive.action.parameters: found both, allowed exactly one of flow_id and flow_name", NULL },
	{ "interactive", FLOW(""), "interactive.action.parameters: found none, allowed exactly one of flow_id and flow_name", NULL },
	{ "interactive", FLOW(",'flow_id':'1','mode':'trial'"), "interactive.action.parameters.mode: found another text, allowed published|draft", NULL },
	{ "interactive", FLOW(",'flow_id':'1','flow_action':'jump'"), "interactive.action.parameters.flow_action: found another text, allowed navigate|data_exchange", NULL },
	{ "interactive", FLOW(",'flow_id':'1','flow_action':'data_exchange','flow_action_payload':{'screen':'S'}"),
	  "interactive.action.parameters.flow_action_payload: found an object, allowed nothing with data_exchange", NULL },
	{ "interactive", FLOW(",'flow_id':'1','flow_action_payload':{'screen':'S','data':{}}"),
	  "interactive.action.parameters.flow_action_payload.data: found an empty object, allowed one with members", NULL },
	{ "interactive", FLOW(",'flow_id':'1','flow_action_payload':{}"),
	  "interactive.action.parameters.flow_action_payload.screen: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'flow'," B ",'action':{'name':'flow','parameters':{'flow_message_version':'3','flow_id':'1','flow_cta':'Go \\uD83D\\uDE00'}}}",
	  "interactive.action.parameters.flow_cta: found an emoji, allowed none", NULL },
	{ "interactive", "{'type':'flow'," B ",'action':{'name':'flow','parameters':{'flow_message_version':'3','flow_id':'1','flow_cta':'@31@'}}}",
	  "interactive.action.parameters.flow_cta: found 31 characters, allowed 1 to 30", NULL },
	{ "interactive", "{'type':'flow'," B ",'action':{'name':'flow','parameters':{'flow_id':'1','flow_cta':'Go'}}}",
	  "interactive.action.parameters.flow_message_version: found nothing, allowed a string", NULL },
	/* products */
	{ "interactive", "{'type':'product'," B ",'footer':{'text':'f'},'action':{'catalog_id':'1','product_retailer_id':'p'}}", NULL, NULL },
	{ "interactive", "{'type':'product','action':{'catalog_id':'1','product_retailer_id':'p'}}", NULL, NULL },
	{ "interactive", "{'type':'product'" HEADER_TEXT ",'action':{'catalog_id':'1','product_retailer_id':'p'}}",
	  "interactive.header: found an object, allowed nothing with this type", NULL },
	{ "interactive", "{'type':'product','action':{'product_retailer_id':'p'}}", "interactive.action.catalog_id: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'product','action':{'catalog_id':'1'}}", "interactive.action.product_retailer_id: found nothing, allowed a string", NULL },
	{ "interactive", PRODUCTS(HEADER_TEXT, "{'title':'a','product_items':[" ITEMS10 "]},{'title':'b','product_items':[" ITEMS10 "," ITEMS10 "]}"), NULL, NULL },
	{ "interactive", PRODUCTS("", "{'product_items':[" ITEM "]}"), "interactive.header: found nothing, allowed an object", NULL },
	{ "interactive", PRODUCTS(",'header':{'type':'image','image':{'id':'1'}}", "{'product_items':[" ITEM "]}"),
	  "interactive.header.type: found another kind, allowed text with this type", NULL },
	{ "interactive", PRODUCTS(HEADER_TEXT, "{'title':'a','product_items':[" ITEMS10 "," ITEMS10 "]},{'title':'b','product_items':[" ITEMS10 "," ITEM "]}"),
	  "interactive.action.sections[1].product_items: found more than 30 items in all sections, allowed 1 to 30", NULL },
	{ "interactive", PRODUCTS(HEADER_TEXT, "{'product_items':[" ITEM "]},{'title':'b','product_items':[" ITEM "]}"),
	  "interactive.action.sections[0].title: found nothing, allowed a title where there are several sections", NULL },
	{ "interactive", PRODUCTS(HEADER_TEXT, "{'product_items':[{}]}"),
	  "interactive.action.sections[0].product_items[0].product_retailer_id: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'catalog_message'," B ",'action':{'name':'catalog_message','parameters':{'thumbnail_product_retailer_id':'p'}}}", NULL, NULL },
	{ "interactive", "{'type':'catalog_message'," B ",'action':{'name':'catalog_message'}}", NULL, NULL },
	{ "interactive", "{'type':'catalog_message'," B ",'action':{'name':'catalogue'}}", "interactive.action.name: found another text, allowed catalog_message", NULL },
	/* places and addresses */
	{ "interactive", "{'type':'location_request_message','body':{'text':'@1024@'},'action':{'name':'send_location'}}", NULL, NULL },
	{ "interactive", "{'type':'location_request_message'," B ",'footer':{'text':'f'},'action':{'name':'send_location'}}",
	  "interactive.footer: found an object, allowed nothing with this type", NULL },
	{ "interactive", "{'type':'location_request_message'," B ",'action':{'name':'send'}}", "interactive.action.name: found another text, allowed send_location", NULL },
	{ "interactive", ADDRESS("'country':'IN','values':{'name':'n','in_pin_code':'400063','city':'c'},'saved_addresses':[{'id':'a','value':{'city':'c'}}],"
				 "'validation_errors':{'in_pin_code':'no'}"), NULL, NULL },
	{ "interactive", ADDRESS("'values':{}"), "interactive.action.parameters.country: found nothing, allowed a string", NULL },
	{ "interactive", ADDRESS("'country':'India'"), "interactive.action.parameters.country: found 5 characters, allowed 2 to 2", NULL },
	{ "interactive", ADDRESS("'country':'IN','values':{'in_pin_code':'4000631'}"),
	  "interactive.action.parameters.values.in_pin_code: found 7 characters, allowed 0 to 6", NULL },
	{ "interactive", ADDRESS("'country':'IN','saved_addresses':[{'id':'a'}]"),
	  "interactive.action.parameters.saved_addresses[0].value: found nothing, allowed an object", NULL },
	/* carousels */
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'body':{'text':'@160@'}," URL_ACTION) "," CARD("1", IMAGE "," URL_ACTION)), NULL, NULL },
	{ "interactive", CAROUSEL(CARD("'0'", IMAGE "," URL_ACTION) "," CARD("'1'", IMAGE "," URL_ACTION)), NULL, NULL },
	{ "interactive", CAROUSEL(CARD("0", "'header':{'type':'video','video':{'media':'" HASH "'}}," URL_ACTION) "," CARD("1", IMAGE "," URL_ACTION)), NULL, OURS },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'action':{'buttons':[" QUICK("@20@", "A") "," QUICK("b", "@20@") "]}") ","
				  CARD("1", IMAGE ",'action':{'buttons':[" QUICK("a", "A") "," QUICK("b", "B") "]}")), NULL, NULL },
	{ "interactive", CAROUSEL(PRODUCT_CARD("0", "1") "," PRODUCT_CARD("1", "1")), NULL, NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION)), "interactive.action.cards: found 1 item, allowed 2 to 10", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("10", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[1].card_index: found 10, allowed 0 to 9", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("0.5", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[1].card_index: found a number, allowed a whole number, also as a string", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("'0'", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[1].card_index: found the same as in another card, allowed another", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("1", URL_ACTION)),
	  "interactive.action.cards[1].header: found nothing, allowed an object", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("1", "'header':{'type':'image','image':{}}," URL_ACTION)),
	  "interactive.action.cards[1].header.image: found none, +", NULL },
	{ "interactive", CAROUSEL(CARD("0", "'header':{'type':'text','text':'h'}," URL_ACTION) "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].header.type: found another kind, allowed image|video in a card", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'body':{'text':'@161@'}," URL_ACTION) "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].body.text: found 161 characters, allowed 1 to 160", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'body':{'text':'a\\nb\\nc\\nd'}," URL_ACTION) "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].body.text: found 3 line breaks, allowed 0 to 2", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'action':{}") "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].action: found none, allowed exactly one of parameters and buttons", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'action':{'parameters':{" URL "},'buttons':[" QUICK("a", "A") "]}") "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].action: found both, allowed exactly one of parameters and buttons", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE ",'action':{'buttons':[" QUICK("a", "@21@") "]}") "," CARD("1", IMAGE "," URL_ACTION)),
	  "interactive.action.cards[0].action.buttons[0].quick_reply.title: found 21 characters, allowed 1 to 20", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," CARD("1", IMAGE ",'action':{'buttons':[" QUICK("a", "A") "]}")),
	  "interactive.action.cards[1]: found other buttons than in cards[0], allowed the same kind and number", NULL },
	{ "interactive", CAROUSEL(CARD("0", IMAGE "," URL_ACTION) "," PRODUCT_CARD("1", "1")),
	  "interactive.action.cards[1]: found another type than in cards[0], allowed the same", NULL },
	{ "interactive", CAROUSEL(PRODUCT_CARD("0", "1") "," PRODUCT_CARD("1", "2")),
	  "interactive.action.cards[1]: found another catalog_id than in cards[0], allowed the same", NULL },
	{ "interactive", CAROUSEL("{'card_index':0,'type':'product','action':{'catalog_id':'1'}}," PRODUCT_CARD("1", "1")),
	  "interactive.action.cards[0].action.product_retailer_id: found nothing, allowed a string", NULL },
	{ "interactive", "{'type':'carousel'," B HEADER_TEXT ",'action':{'cards':[]}}", "interactive.header: found an object, allowed nothing with this type", NULL },
	/* templates: the frame, and files in it */
	{ "template", TEMPLATE(""), NULL, NULL },
	{ "template", "{'name':'order_update','language':{'code':'en_US','policy':'deterministic'},'components':[]}", NULL, NULL },
	{ "template", "{'name':'order_update','language':'en_US'}", NULL, OURS },
	{ "template", TEMPLATE(",'components':[{'type':'header','parameters':[" PARAMETER("document", "'id':'1','filename':'f.pdf'") "]}]"), NULL, NULL },
	{ "template", TEMPLATE(",'components':[{'type':'header','parameters':[" PARAMETER("image", "'media':'" HASH "'") "]}]"), NULL, OURS },
	{ "template", TEMPLATE(",'header':{'image':{'media':'" HANDLE "'}},'body':['Ann']"), NULL, OURS },
	{ "template", TEMPLATE(",'header':'A1'"), NULL, OURS },
	{ "template", "{'language':'en'}", "template.name: found nothing, allowed a string", NULL },
	{ "template", "{'name':'Order','language':'en'}", "template.name: found another character, allowed a-z 0-9 _", NULL },
	{ "template", "{'name':'','language':'en'}", "template.name: found 0 characters, allowed 1 to 512", NULL },
	{ "template", "{'name':'n'}", "template.language: found nothing, allowed a string, or an object with code", NULL },
	{ "template", "{'name':'n','language':{}}", "template.language.code: found nothing, allowed a string", NULL },
	{ "template", "{'name':'n','language':''}", "template.language: found 0 characters, allowed 1 or more", NULL },
	{ "template", TEMPLATE(",'components':[{'type':'body'},{'type':'header','parameters':[" PARAMETER("image", "") "]}]"),
	  "template.components[1].parameters[0].image: found none, +", NULL },
	{ "template", TEMPLATE(",'components':[{'type':'header','parameters':[" PARAMETER("video", "'id':'1','media':'" HASH "'") "]}]"),
	  "template.components[0].parameters[0].video: found several, +", NULL },
	{ "template", TEMPLATE(",'components':[{'type':'carousel','cards':[{'card_index':0,'components':[{'type':'header','parameters':["
			       PARAMETER("image", "'media':'no'") "]}]}]}]"),
	  "template.components[0].cards[0].components[0].parameters[0].image.media: found another text, allowed sha256: with 64 hex digits, or the "
	  "handle of an upload", NULL },
	{ "template", TEMPLATE(",'header':{'document':{'filename':'f'}}"), "template.header.document: found none, +", NULL },
};

/* ' becomes ", @N@ N characters. */
static json_t *parse(const char *text)
{
	struct strbuf sb = STRBUF_INIT;
	json_error_t err;
	json_t *o;

	for (const char *p = text; *p; p++) {
		if (*p == '@' && p[1] >= '0' && p[1] <= '9') {
			char *end;

			for (long n = strtol(p + 1, &end, 10); n > 0; n--)
				strbuf_adds(&sb, "\xc3\xa9");
			p = end;
		} else {
			strbuf_addc(&sb, *p == '\'' ? '"' : *p);
		}
	}
	o = json_loadb(sb.buf, sb.len, JSON_DECODE_ANY, &err);
	ck_assert_msg(o != NULL, "%s: %s", sb.buf, err.text);
	strbuf_release(&sb);
	return o;
}

static void sandbox_takes(const char *type, json_t *payload, const char *text)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct message_facts facts;
	json_t *o = json_pack("{ss ss ss sO}", "messaging_product", "whatsapp", "to", "+491511234567", "type", type, type, payload);

	ck_assert_msg(validate_message(o, &facts, &e) == 0, "%s %s\nthe sandbox: %d %s", type, text, e.code, e.details.buf);
	json_decref(o);
	strbuf_release(&e.details);
}

static void expected(const char *says, struct strbuf *out)
{
	size_t n = strlen(says);

	strbuf_setf(out, "%s", says);
	if (says[n - 1] == '+')
		strbuf_setf(out, "%.*s%s", (int)n - 1, says, one_of);
}

START_TEST(a_payload_passes_or_is_refused_in_these_words)
{
	struct strbuf why = STRBUF_INIT, want = STRBUF_INIT;
	json_t *payload = parse(rows[_i].payload);
	enum reason r = content_check(rows[_i].type, payload, false, &why);

	if (!rows[_i].says) {
		ck_assert_msg(r == REASON_NONE && !why.len, "%s %s\nis %s: %s", rows[_i].type, rows[_i].payload, reason_code(r), why.buf);
		if (!rows[_i].whose)
			sandbox_takes(rows[_i].type, payload, rows[_i].payload);
	} else {
		expected(rows[_i].says, &want);
		ck_assert_msg(r != REASON_NONE, "%s %s\npasses", rows[_i].type, rows[_i].payload);
		ck_assert_msg(!strcmp(why.buf, want.buf), "%s %s\nsays   %s\nwanted %s", rows[_i].type, rows[_i].payload, why.buf, want.buf);
		ck_assert_msg(strcmp(rows[_i].type, "text") ? r == REASON_BAD_CONTENT :
			      r == REASON_BAD_FIELD || r == REASON_TEXT_EMPTY || r == REASON_TEXT_TOO_LONG, "%s", reason_code(r));
		ck_assert_int_eq(content_check(rows[_i].type, payload, false, NULL), r);
	}
	json_decref(payload);
	strbuf_release(&why);
	strbuf_release(&want);
}
END_TEST

START_TEST(a_direct_send_message_has_buttons_that_meta_alone_knows)
{
	json_t *mixed = parse(BUTTONS(B ",", "{'type':'cta_url','cta_url':{" URL "}}," REPLY("a", "A") "," REPLY("b", "B") "," REPLY("c", "C")));
	json_t *file = parse(BUTTONS("'header':{'type':'image','image':{}}," B ",", REPLY("a", "A")));

	ck_assert_int_eq(content_check("interactive", mixed, true, NULL), REASON_NONE);
	ck_assert_int_eq(content_check("interactive", mixed, false, NULL), REASON_BAD_CONTENT);
	ck_assert_int_eq(content_check("interactive", file, true, NULL), REASON_BAD_CONTENT);
	json_decref(mixed);
	json_decref(file);
}
END_TEST

START_TEST(every_type_has_a_feature)
{
	static const char *const types[] = {
#define CONTENT_TYPE(type, object, most) type,
#include "tbl/content_types.h"
#undef CONTENT_TYPE
	};
	enum feature f;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		ck_assert_msg(content_is_known(types[i]) && feature_of_type(types[i], &f) == 0, "%s", types[i]);
	ck_assert(!content_is_known("read") && !content_is_known("hologram") && feature_of_type("read", &f) < 0);
}
END_TEST

static void add_components(struct strbuf *sb, int n)
{
	strbuf_adds(sb, "{'name':'n','language':'en','components':[{'type':'header','parameters':[");
	for (int i = 0; i < n; i++)
		strbuf_adds(sb, i ? "," PARAMETER("image", "'media':'" HASH "'") : PARAMETER("image", "'media':'" HASH "'"));
	strbuf_adds(sb, "]}]}");
}

START_TEST(only_so_many_files_by_reference)
{
	struct strbuf why = STRBUF_INIT;

	for (int n = MEDIA_REFS_MAX; n <= MEDIA_REFS_MAX + 1; n++) {
		struct strbuf sb = STRBUF_INIT;
		json_t *o;

		add_components(&sb, n);
		o = parse(sb.buf);
		ck_assert_int_eq(content_check("template", o, false, &why), n > MEDIA_REFS_MAX ? REASON_BAD_CONTENT : REASON_NONE);
		json_decref(o);
		strbuf_release(&sb);
	}
	ck_assert_str_eq(why.buf, "template.components[0].parameters[16].image.media: found 17 files by media in one message, allowed 16");
	strbuf_release(&why);
}
END_TEST

/* ---- what is made up within the limits, too, passes here and there ---- */

static uint32_t dice = 1;

static int roll(int lo, int hi)		/* lo … hi, the same in every run */
{
	dice = dice * 1664525 + 1013904223;
	return lo + (int)((dice >> 8) % (unsigned)(hi - lo + 1));
}

static void maybe(struct strbuf *sb, const char *before, int lo, int hi, const char *after)
{
	if (roll(0, 1))
		strbuf_addf(sb, "%s@%d@%s", before, roll(lo, hi), after);
}

static void add_around(struct strbuf *sb, const char *type, int body_max)
{
	strbuf_addf(sb, "{'type':'%s','body':{'text':'@%d@'},", type, roll(1, body_max));
	maybe(sb, "'footer':{'text':'", 1, 60, "'},");
	maybe(sb, "'header':{'type':'text','text':'", 1, 60, "'},");
}

static void add_buttons(struct strbuf *sb)
{
	int n = roll(1, 3);

	add_around(sb, "button", 1024);
	strbuf_adds(sb, "'action':{'buttons':[");
	for (int i = 0; i < n; i++)
		strbuf_addf(sb, "%s{'type':'reply','reply':{'id':'%d@%d@','title':'%d@%d@'}}", i ? "," : "", i, roll(0, 255), i, roll(0, 19));
	strbuf_adds(sb, "]}}");
}

static void add_list(struct strbuf *sb)
{
	int sections = roll(1, 10), left = 10 - sections;

	add_around(sb, "list", 4096);
	strbuf_addf(sb, "'action':{'button':'@%d@','sections':[", roll(1, 20));
	for (int s = 0; s < sections; s++) {
		int n = roll(0, left);

		left -= n;
		strbuf_addf(sb, "%s{'title':'@%d@','rows':[", s ? "," : "", roll(1, 24));
		for (int i = 0; i <= n; i++) {
			strbuf_addf(sb, "%s{'id':'%d-%d@%d@','title':'@%d@'", i ? "," : "", s, i, roll(0, 190), roll(1, 24));
			maybe(sb, ",'description':'", 0, 72, "'");
			strbuf_adds(sb, "}");
		}
		strbuf_adds(sb, "]}");
	}
	strbuf_adds(sb, "]}}");
}

static void add_cards(struct strbuf *sb)
{
	int n = roll(2, 10), buttons = roll(0, 2);

	strbuf_addf(sb, "{'type':'carousel','body':{'text':'@%d@'},'action':{'cards':[", roll(1, 1024));
	for (int i = 0; i < n; i++) {
		strbuf_addf(sb, "%s{'card_index':%d,'type':'cta_url'," IMAGE ",", i ? "," : "", i);
		maybe(sb, "'body':{'text':'", 1, 160, "'},");
		strbuf_addf(sb, buttons ? "'action':{'buttons':[" : URL_ACTION);
		for (int b = 0; b < buttons; b++)
			strbuf_addf(sb, "%s{'type':'quick_reply','quick_reply':{'id':'%d@%d@','title':'%d@%d@'}}", b ? "," : "", b, roll(0, 19), b,
				    roll(0, 19));
		strbuf_adds(sb, buttons ? "]}}" : "}");
	}
	strbuf_adds(sb, "]}}");
}

static const char *make_up(struct strbuf *sb)
{
	static const char *const files[] = { "image", "video", "document" };
	int kind = roll(0, 6);

	strbuf_reset(sb);
	switch (kind) {
	case 0:
		strbuf_addf(sb, "{'body':'@%d@','preview_url':%s}", roll(1, 4096), roll(0, 1) ? "true" : "false");
		return "text";
	case 1:
		strbuf_addf(sb, "{'latitude':%d.%d,'longitude':'%d','name':'@%d@'}", roll(-89, 89), roll(0, 99), roll(-180, 180), roll(0, 100));
		return "location";
	case 2:
		add_buttons(sb);
		return "interactive";
	case 3:
		add_list(sb);
		return "interactive";
	case 4:
		add_cards(sb);
		return "interactive";
	default:
		strbuf_adds(sb, roll(0, 1) ? "{'id':'1234'" : "{'link':'https://example.com/a'");
		maybe(sb, ",'caption':'", 0, 1024, "'");
		strbuf_adds(sb, "}");
		return files[roll(0, 2)];
	}
}

START_TEST(made_up_payloads_pass_here_and_there)
{
	struct strbuf sb = STRBUF_INIT, why = STRBUF_INIT;

	for (int i = 0; i < 2000; i++) {
		const char *type = make_up(&sb);
		json_t *o = parse(sb.buf);

		ck_assert_msg(content_check(type, o, false, &why) == REASON_NONE, "%s %s\n%s", type, sb.buf, why.buf);
		sandbox_takes(type, o, sb.buf);
		json_decref(o);
	}
	strbuf_release(&sb);
	strbuf_release(&why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("content");
	TCase *c = unit_case(s, "content");

	validate_setup();
	tcase_add_loop_test(c, a_payload_passes_or_is_refused_in_these_words, 0, (int)ARRAY_LEN(rows));
	tcase_add_test(c, a_direct_send_message_has_buttons_that_meta_alone_knows);
	tcase_add_test(c, every_type_has_a_feature);
	tcase_add_test(c, only_so_many_files_by_reference);
	tcase_add_test(c, made_up_payloads_pass_here_and_there);
	return unit_run(s);
}
