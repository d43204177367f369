/*
 * Every message type, what it may hold and what it may not: one row, one body.
 *
 * Written with ' for ", and @N@ for a text of N characters (the two-byte one: limits count characters).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/validate.h"

#define TO "{'messaging_product':'whatsapp','to':'+16505551234',"
#define INTERACTIVE TO "'type':'interactive','interactive':"
#define TEMPLATE TO "'type':'template','template':{'name':'order_update','language':{'code':'en_US'},'components':"

/* code 0: fine; says: what the details must name */
static const struct { const char *body; int code; const char *says; } cases[] = {
	/* frame and recipient */
	{ TO "'type':'text','text':{'body':'hi'}}", 0, NULL },
	{ "{'messaging_product':'whatsapp','to':'16505551234','text':{'body':'without a type it is text'}}", 0, NULL },
	{ "{'messaging_product':'whatsapp','recipient_type':'group','to':'Y2FwaV9ncm91cDox','type':'text',"
	  "'text':{'body':'hi'}}", 0, NULL },
	{ "{'messaging_product':'whatsapp','recipient':'US.13491208655302741918','type':'text',"
	  "'text':{'body':'hi'}}", 0, NULL },
	{ "{'messaging_product':'whatsapp','to':'+49 (170) 123-4567','type':'text','text':{'body':'hi'}}", 0, NULL },
	{ "{'to':'+16505551234','type':'text','text':{'body':'hi'}}", 100, "messaging_product" },
	{ "{'messaging_product':'sms','to':'+16505551234','type':'text','text':{'body':'hi'}}", 100, "messaging_product" },
	{ "{'messaging_product':'whatsapp','type':'text','text':{'body':'hi'}}", 100, "to" },
	{ "{'messaging_product':'whatsapp','to':16505551234,'type':'text','text':{'body':'hi'}}", 100, "to" },
	{ "{'messaging_product':'whatsapp','to':'call me','type':'text','text':{'body':'hi'}}", 131009, "to" },
	{ "{'messaging_product':'whatsapp','to':'+1234567890123456','type':'text','text':{'body':'hi'}}", 131009, "to" },
	{ "{'messaging_product':'whatsapp','to':'+123456','type':'text','text':{'body':'hi'}}", 131009, "to" },
	{ "{'messaging_product':'whatsapp','recipient':'usa.1','type':'text','text':{'body':'hi'}}", 131009, "recipient" },
	{ "{'messaging_product':'whatsapp','recipient_type':'crowd','to':'+16505551234','type':'text',"
	  "'text':{'body':'hi'}}", 100, "recipient_type" },
	{ TO "'type':'telegram','telegram':{}}", 100, "telegram" },
	{ TO "'type':'fax'}", 100, "type" },
	{ TO "'type':'text'}", 131008, "text" },
	{ TO "'type':'image','text':{'body':'hi'}}", 131008, "image" },
	{ "[]", 100, "JSON object" },
	{ TO "'ttl_seconds':60,'type':'text','text':{'body':'hi'}}", 100, "ttl_seconds" },
	{ TO "'correlation_id':'x','type':'text','text':{'body':'hi'}}", 100, "correlation_id" },
	{ TO "'context':{'message_id':'wamid.HBgLMTY1'},'type':'text','text':{'body':'hi'}}", 0, NULL },
	{ TO "'context':{'message_id':'4711'},'type':'text','text':{'body':'hi'}}", 131009, "context['message_id']" },
	{ TO "'context':{},'type':'text','text':{'body':'hi'}}", 131008, "context['message_id']" },
	{ TO "'biz_opaque_callback_data':'@512@','type':'text','text':{'body':'hi'}}", 0, NULL },
	{ TO "'biz_opaque_callback_data':'@513@','type':'text','text':{'body':'hi'}}", 100, "biz_opaque_callback_data" },
	/* text */
	{ TO "'type':'text','text':{'body':'@4096@','preview_url':true}}", 0, NULL },
	{ TO "'type':'text','text':{'body':'@4097@'}}", 100, "text['body']" },
	{ TO "'type':'text','text':{'body':''}}", 100, "text['body']" },
	{ TO "'type':'text','text':{}}", 131008, "text['body']" },
	{ TO "'type':'text','text':{'body':7}}", 100, "text['body']" },
	{ TO "'type':'text','text':{'body':'hi','preview_url':'yes'}}", 100, "text['preview_url']" },
	{ TO "'type':'text','text':{'body':'hi','colour':'red'}}", 100, "colour" },
	{ TO "'type':'text','text':'hi'}", 100, "text" },
	/* media */
	{ TO "'type':'image','image':{'id':'1013859600285441'}}", 0, NULL },
	{ TO "'type':'image','image':{'link':'https://example.com/a.bin'}}", 0, NULL },
	{ TO "'type':'image','image':{}}", 131008, "image" },
	{ TO "'type':'image','image':{'id':'1','link':'https://example.com/a'}}", 100, "image" },
	{ TO "'type':'image','image':{'link':'ftp://example.com/a'}}", 131009, "image['link']" },
	{ TO "'type':'video','video':{'id':'1013859600285441'}}", 0, NULL },
	{ TO "'type':'video','video':{'link':'https://example.com/a.bin'}}", 0, NULL },
	{ TO "'type':'video','video':{}}", 131008, "video" },
	{ TO "'type':'video','video':{'id':'1','link':'https://example.com/a'}}", 100, "video" },
	{ TO "'type':'video','video':{'link':'ftp://example.com/a'}}", 131009, "video['link']" },
	{ TO "'type':'audio','audio':{'id':'1013859600285441'}}", 0, NULL },
	{ TO "'type':'audio','audio':{'link':'https://example.com/a.bin'}}", 0, NULL },
	{ TO "'type':'audio','audio':{}}", 131008, "audio" },
	{ TO "'type':'audio','audio':{'id':'1','link':'https://example.com/a'}}", 100, "audio" },
	{ TO "'type':'audio','audio':{'link':'ftp://example.com/a'}}", 131009, "audio['link']" },
	{ TO "'type':'document','document':{'id':'1013859600285441'}}", 0, NULL },
	{ TO "'type':'document','document':{'link':'https://example.com/a.bin'}}", 0, NULL },
	{ TO "'type':'document','document':{}}", 131008, "document" },
	{ TO "'type':'document','document':{'id':'1','link':'https://example.com/a'}}", 100, "document" },
	{ TO "'type':'document','document':{'link':'ftp://example.com/a'}}", 131009, "document['link']" },
	{ TO "'type':'sticker','sticker':{'id':'1013859600285441'}}", 0, NULL },
	{ TO "'type':'sticker','sticker':{'link':'https://example.com/a.bin'}}", 0, NULL },
	{ TO "'type':'sticker','sticker':{}}", 131008, "sticker" },
	{ TO "'type':'sticker','sticker':{'id':'1','link':'https://example.com/a'}}", 100, "sticker" },
	{ TO "'type':'sticker','sticker':{'link':'ftp://example.com/a'}}", 131009, "sticker['link']" },
	{ TO "'type':'image','image':{'id':'1','caption':'@1024@'}}", 0, NULL },
	{ TO "'type':'image','image':{'id':'1','caption':'@1025@'}}", 100, "image['caption']" },
	{ TO "'type':'image','image':{'id':'media-1'}}", 131009, "image['id']" },
	{ TO "'type':'audio','audio':{'id':'1','caption':'no'}}", 100, "caption" },
	{ TO "'type':'audio','audio':{'id':'1','voice':true}}", 0, NULL },
	{ TO "'type':'document','document':{'id':'1','filename':'a.pdf','caption':'c'}}", 0, NULL },
	{ TO "'type':'sticker','sticker':{'id':'1','caption':'no'}}", 100, "caption" },
	/* location */
	{ TO "'type':'location','location':{'latitude':37.4,'longitude':'-122.1','name':'HQ','address':'1 Way'}}", 0, NULL },
	{ TO "'type':'location','location':{'latitude':37.4}}", 131008, "location['longitude']" },
	{ TO "'type':'location','location':{'latitude':97.4,'longitude':1}}", 131009, "location['latitude']" },
	{ TO "'type':'location','location':{'latitude':'north','longitude':1}}", 100, "location['latitude']" },
	/* contacts */
	{ TO "'type':'contacts','contacts':[{'name':{'formatted_name':'A B','first_name':'A'},"
	  "'phones':[{'phone':'+1650','type':'WORK','wa_id':'1650'}],'emails':[{'email':'a@b.c'}],"
	  "'urls':[{'url':'https://a.b'}],'addresses':[{'city':'X','country_code':'us'}],'org':{'company':'C'},"
	  "'birthday':'2000-01-31'}]}", 0, NULL },
	{ TO "'type':'contacts','contacts':[]}", 100, "contacts" },
	{ TO "'type':'contacts','contacts':{'name':{}}}", 100, "contacts" },
	{ TO "'type':'contacts','contacts':[{'name':{'first_name':'A'}}]}", 131008, "contacts[0]['name']['formatted_name']" },
	{ TO "'type':'contacts','contacts':[{'name':{'formatted_name':'A'}}]}", 131008, "contacts[0]['name']" },
	{ TO "'type':'contacts','contacts':[{'name':{'formatted_name':'A','first_name':'A'},"
	  "'birthday':'31.1.2000'}]}", 131009, "birthday" },
	{ TO "'type':'contacts','contacts':[{'phones':[]}]}", 131008, "contacts[0]['name']" },
	/* reaction */
	{ TO "'type':'reaction','reaction':{'message_id':'wamid.HBgLMTY1','emoji':'\\uD83D\\uDE00'}}", 0, NULL },
	{ TO "'type':'reaction','reaction':{'message_id':'wamid.HBgLMTY1','emoji':''}}", 0, NULL },
	{ TO "'type':'reaction','reaction':{'message_id':'wamid.HBgLMTY1','emoji':'ok'}}", 131009, "reaction['emoji']" },
	{ TO "'type':'reaction','reaction':{'message_id':'wamid.HBgLMTY1'}}", 131008, "reaction['emoji']" },
	{ TO "'type':'reaction','reaction':{'emoji':''}}", 131008, "reaction['message_id']" },
	{ TO "'context':{'message_id':'wamid.HBgLMTY1'},'type':'reaction',"
	  "'reaction':{'message_id':'wamid.HBgLMTY1','emoji':''}}", 131009, "context" },
	/* receipts */
	{ "{'messaging_product':'whatsapp','status':'read','message_id':'wamid.HBgLMTY1'}", 0, NULL },
	{ "{'messaging_product':'whatsapp','status':'read','message_id':'wamid.HBgLMTY1',"
	  "'typing_indicator':{'type':'text'}}", 0, NULL },
	{ "{'messaging_product':'whatsapp','status':'seen','message_id':'wamid.HBgLMTY1'}", 100, "status" },
	{ "{'messaging_product':'whatsapp','status':'read'}", 100, "message_id" },
	{ "{'messaging_product':'whatsapp','status':'read','message_id':'wamid.HBgLMTY1',"
	  "'typing_indicator':{'type':'voice'}}", 100, "typing_indicator['type']" },
	/* interactive */
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'header':{'type':'image','image':{'id':'1'}},"
	  "'footer':{'text':'f'},'action':{'buttons':[{'type':'reply','reply':{'id':'a','title':'A'}},"
	  "{'type':'reply','reply':{'id':'b','title':'B'}}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'action':{'buttons':[{'type':'reply','reply':{'id':'a',"
	  "'title':'a'}},{'type':'reply','reply':{'id':'b','title':'b'}},{'type':'reply','reply':{'id':'c',"
	  "'title':'c'}},{'type':'reply','reply':{'id':'d','title':'d'}}]}}}", 131009, "interactive['action']['buttons']" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'action':{'buttons':[{'type':'reply','reply':{'id':'a',"
	  "'title':'A'}},{'type':'reply','reply':{'id':'a','title':'B'}}]}}}", 131009, "duplicated id" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'action':{'buttons':[{'type':'reply','reply':{'id':'a',"
	  "'title':'A'}},{'type':'reply','reply':{'id':'b','title':'A'}}]}}}", 131009, "duplicated title" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'action':{'buttons':[{'type':'reply','reply':{'id':'a',"
	  "'title':'A title of 21 letters'}}]}}}", 131009, "interactive['action']['buttons'][0]['reply']['title']" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'action':{'buttons':[{'type':'reply',"
	  "'reply':{'id':' a','title':'A'}}]}}}", 131009, "['id']" },
	{ INTERACTIVE "{'type':'button','action':{'buttons':[{'type':'reply','reply':{'id':'a','title':'A'}}]}}}", 131008, "interactive['body']" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'}}}", 131008, "interactive['action']" },
	{ INTERACTIVE "{'type':'button','body':{'text':'@1025@'},'action':{'buttons':[{'type':'reply',"
	  "'reply':{'id':'a','title':'A'}}]}}}", 131009, "body" },
	{ INTERACTIVE "{'type':'button','body':{'text':'b'},'header':{'type':'text'},"
	  "'action':{'buttons':[{'type':'reply','reply':{'id':'a','title':'A'}}]}}}", 131008, "interactive['header']['text']" },
	{ INTERACTIVE "{'type':'list','body':{'text':'@4096@'},'header':{'type':'text','text':'h'},"
	  "'action':{'button':'Go','sections':[{'rows':[{'id':'1','title':'t'}]}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'list','body':{'text':'b'},'header':{'type':'image','image':{'id':'1'}},"
	  "'action':{'button':'Go','sections':[{'rows':[{'id':'1','title':'t'}]}]}}}", 131009, "header" },
	{ INTERACTIVE "{'type':'list','body':{'text':'b'},'action':{'button':'Go','sections':[{'rows':[{'id':'1',"
	  "'title':'t'}]},{'rows':[{'id':'2','title':'t'}]}]}}}", 131008, "title" },
	{ INTERACTIVE "{'type':'list','body':{'text':'b'},'action':{'button':'Go','sections':[{'title':'a',"
	  "'rows':[{'id':'1','title':'t'}]},{'title':'b','rows':[{'id':'1','title':'t'}]}]}}}", 131009, "duplicated row id" },
	{ INTERACTIVE "{'type':'list','body':{'text':'b'},'action':{'button':'Go','sections':[{'title':'a',"
	  "'rows':[{'id':'0','title':'t'},{'id':'1','title':'t'},{'id':'2','title':'t'},{'id':'3','title':'t'},"
	  "{'id':'4','title':'t'},{'id':'5','title':'t'}]},{'title':'b','rows':[{'id':'6','title':'t'},{'id':'7',"
	  "'title':'t'},{'id':'8','title':'t'},{'id':'9','title':'t'},{'id':'10','title':'t'}]}]}}}", 131009, "more than 10 rows" },
	{ INTERACTIVE "{'type':'list','body':{'text':'b'},'action':{'sections':[{'rows':[{'id':'1',"
	  "'title':'t'}]}]}}}", 131008, "interactive['action']['button']" },
	{ INTERACTIVE "{'type':'cta_url','body':{'text':'b'},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'cta_url','body':{'text':'b'},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'example'}}}}", 131009, "['url']" },
	{ INTERACTIVE "{'type':'cta_url','body':{'text':'b'},'action':{'name':'cta',"
	  "'parameters':{'display_text':'Open','url':'https://example.com'}}}}", 100, "['name']" },
	{ INTERACTIVE "{'type':'flow','body':{'text':'b'},'action':{'name':'flow',"
	  "'parameters':{'flow_message_version':'3','flow_cta':'Go','flow_id':'1',"
	  "'flow_action_payload':{'screen':'S','data':{'a':1}}}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'flow','body':{'text':'b'},'action':{'name':'flow',"
	  "'parameters':{'flow_message_version':'3','flow_cta':'Go','flow_id':'1','flow_name':'n'}}}}", 100, "flow_name" },
	{ INTERACTIVE "{'type':'flow','body':{'text':'b'},'action':{'name':'flow',"
	  "'parameters':{'flow_message_version':'3','flow_cta':'Go'}}}}", 131008, "flow_id" },
	{ INTERACTIVE "{'type':'flow','body':{'text':'b'},'action':{'name':'flow',"
	  "'parameters':{'flow_message_version':'3','flow_cta':'Go','flow_id':'1','flow_action':'data_exchange',"
	  "'flow_action_payload':{'screen':'S'}}}}}", 131009, "flow_action_payload" },
	{ INTERACTIVE "{'type':'flow','body':{'text':'b'},'action':{'name':'flow',"
	  "'parameters':{'flow_message_version':'3','flow_cta':'Go','flow_id':'1',"
	  "'flow_action_payload':{'screen':'S','data':{}}}}}}", 131009, "['data']" },
	{ INTERACTIVE "{'type':'product','action':{'catalog_id':'1','product_retailer_id':'p'}}}", 0, NULL },
	{ INTERACTIVE "{'type':'product','header':{'type':'text','text':'h'},'action':{'catalog_id':'1',"
	  "'product_retailer_id':'p'}}}", 131009, "header" },
	{ INTERACTIVE "{'type':'product_list','header':{'type':'text','text':'h'},'body':{'text':'b'},"
	  "'action':{'catalog_id':'1','sections':[{'title':'s','product_items':[{'product_retailer_id':'p'}]}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'product_list','body':{'text':'b'},'action':{'catalog_id':'1',"
	  "'sections':[{'title':'s','product_items':[{'product_retailer_id':'p'}]}]}}}", 131008, "header" },
	{ INTERACTIVE "{'type':'catalog_message','body':{'text':'b'},'action':{'name':'catalog_message'}}}", 0, NULL },
	{ INTERACTIVE "{'type':'location_request_message','body':{'text':'b'},'action':{'name':'send_location'}}}", 0, NULL },
	{ INTERACTIVE "{'type':'location_request_message','body':{'text':'b'},'footer':{'text':'f'},"
	  "'action':{'name':'send_location'}}}", 131009, "footer" },
	{ INTERACTIVE "{'type':'address_message','body':{'text':'b'},'action':{'name':'address_message',"
	  "'parameters':{'country':'IN','values':{'name':'n','in_pin_code':'400063'}}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'address_message','body':{'text':'b'},'action':{'name':'address_message',"
	  "'parameters':{'values':{}}}}}", 131008, "country" },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}},{'card_index':1,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}}]}}}", 131009, "cards" },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}},{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'name':'cta_url',"
	  "'parameters':{'display_text':'Open','url':'https://example.com/x'}}}]}}}", 131009, "card_index" },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'buttons':[{'type':'quick_reply',"
	  "'quick_reply':{'id':'a','title':'A'}}]}},{'card_index':1,'type':'cta_url','header':{'type':'image',"
	  "'image':{'link':'https://a.b/c'}},'action':{'buttons':[{'type':'quick_reply','quick_reply':{'id':'a',"
	  "'title':'A'}}]}}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'cta_url',"
	  "'header':{'type':'image','image':{'link':'https://a.b/c'}},'action':{'buttons':[{'type':'quick_reply',"
	  "'quick_reply':{'id':'a','title':'A'}}]}},{'card_index':1,'type':'cta_url','header':{'type':'image',"
	  "'image':{'link':'https://a.b/c'}},'action':{'name':'cta_url','parameters':{'display_text':'Open',"
	  "'url':'https://example.com/x'}}}]}}}", 131009, "same type and buttons" },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'product',"
	  "'action':{'product_retailer_id':'p','catalog_id':'1'}},{'card_index':1,'type':'product',"
	  "'action':{'product_retailer_id':'p','catalog_id':'1'}}]}}}", 0, NULL },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0,'type':'product',"
	  "'action':{'product_retailer_id':'p','catalog_id':'1'}},{'card_index':1,'type':'product',"
	  "'action':{'product_retailer_id':'p','catalog_id':'2'}}]}}}", 131009, "catalog" },
	{ INTERACTIVE "{'type':'carousel','body':{'text':'b'},'action':{'cards':[{'card_index':0.5,"
	  "'type':'product','action':{}},{'card_index':1,'type':'product','action':{'product_retailer_id':'p',"
	  "'catalog_id':'1'}}]}}}", 100, "card_index" },
	{ INTERACTIVE "{'type':'order_details','body':{'text':'b'},'action':{'name':'review_and_pay',"
	  "'parameters':{'reference_id':'r'}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'order_status','body':{'text':'b'},'action':{'name':'review_order',"
	  "'parameters':{'reference_id':'r'}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'call_permission_request','action':{'name':'call_permission_request'}}}", 0, NULL },
	{ INTERACTIVE "{'type':'voice_call','body':{'text':'b'},'action':{'name':'voice_call',"
	  "'parameters':{'display_text':'Call','ttl_minutes':100}}}}", 0, NULL },
	{ INTERACTIVE "{'type':'request_contact_info','body':{'text':'b'},"
	  "'action':{'name':'request_contact_info'}}}", 0, NULL },
	{ INTERACTIVE "{'type':'telepathy','body':{'text':'b'},'action':{}}}", 100, "interactive['type']" },
	/* template */
	{ TO "'type':'template','template':{'name':'order_update','language':{'code':'en_US'}}}", 0, NULL },
	{ TO "'type':'template','template':{'name':'n'}}", 131008, "template['language']" },
	{ TO "'type':'template','template':{'name':'n','language':'en'}}", 100, "template['language']" },
	{ TO "'type':'template','template':{'name':'n','language':{}}}", 131008, "template['language']['code']" },
	{ TO "'type':'template','template':{'language':{'code':'en'}}}", 131008, "template['name']" },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'text','text':'A1','parameter_name':'n'}]},"
	  "{'type':'body','parameters':[{'type':'text','text':'x'},{'type':'currency',"
	  "'currency':{'fallback_value':'$1','code':'USD','amount_1000':1000}},{'type':'date_time',"
	  "'date_time':{'fallback_value':'Monday','day_of_week':1}}]},{'type':'button','sub_type':'url',"
	  "'index':'0','parameters':[{'type':'text','text':'9'}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'image','image':{'id':'1'}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'video','video':{'link':'https://a.b/c'}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'document','document':{'id':'1',"
	  "'filename':'f.pdf'}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'location','location':{'latitude':1,"
	  "'longitude':2}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'header','parameters':[{'type':'product','product':{'product_retailer_id':'p',"
	  "'catalog_id':'c'}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'HEADER','parameters':[{'type':'text','text':'a'},{'type':'text','text':'b'}]}]}}", 132000, "parameters" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'image','image':{'id':'1'}}]}]}}", 132012, "parameters" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'text','text':'a\\nb'}]}]}}", 132018, "new-line" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'text','text':'a     b'}]}]}}", 132018, "spaces" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'text','text':''}]}]}}", 100, "['text']" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'text'}]}]}}", 131008, "['parameters'][0]['text']" },
	{ TEMPLATE "[{'type':'body','parameters':[{'type':'music','music':'a'}]}]}}", 100, "['type']" },
	{ TEMPLATE "[{'type':'button','sub_type':'quick_reply','index':0,'parameters':[{'type':'payload',"
	  "'payload':'p'}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'button','sub_type':'copy_code','index':1,'parameters':[{'type':'coupon_code',"
	  "'coupon_code':'SAVE20'}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'button','sub_type':'flow','index':1,'parameters':[{'type':'action',"
	  "'action':{'flow_token':'t','flow_action_data':{'a':1}}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'button','sub_type':'CATALOG','index':1,'parameters':[{'type':'action',"
	  "'action':{'thumbnail_product_retailer_id':'p'}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'button','sub_type':'mpm','index':1,'parameters':[{'type':'action',"
	  "'action':{'thumbnail_product_retailer_id':'p','sections':[{'title':'s',"
	  "'product_items':[{'product_retailer_id':'p'}]}]}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'button','index':'0','parameters':[]}]}}", 131008, "sub_type" },
	{ TEMPLATE "[{'type':'button','sub_type':'url','parameters':[]}]}}", 131008, "index" },
	{ TEMPLATE "[{'type':'button','sub_type':'url','index':'10','parameters':[]}]}}", 131009, "index" },
	{ TEMPLATE "[{'type':'limited_time_offer','parameters':[{'type':'limited_time_offer',"
	  "'limited_time_offer':{'expiration_time_ms':1700000000000}}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'carousel','cards':[{'card_index':0,'components':[{'type':'header',"
	  "'parameters':[{'type':'image','image':{'id':'1'}}]}]},{'card_index':1,'components':[{'type':'header',"
	  "'parameters':[{'type':'image','image':{'id':'2'}}]}]}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'carousel'}]}}", 131008, "cards" },
	{ TEMPLATE "[{'type':'tap_target_configuration','parameters':[{'type':'tap_target_configuration',"
	  "'tap_target_configuration':[{'url':'https://a.b','title':'t'}]}]}]}}", 0, NULL },
	{ TEMPLATE "[{'type':'footer'}]}}", 100, "['type']" },
};

static json_t *parse(const char *body)
{
	struct strbuf sb = STRBUF_INIT;
	json_error_t err;
	json_t *o;

	for (const char *p = body; *p; p++) {
		if (*p == '@' && p[1] >= '0' && p[1] <= '9') {
			char *end;
			for (long n = strtol(p + 1, &end, 10); n > 0; n--)
				strbuf_adds(&sb, "\xc3\xa9");
			p = end;
		} else {
			strbuf_addc(&sb, *p == '\'' ? '"' : *p);
		}
	}
	o = json_loadb(sb.buf, sb.len, 0, &err);
	ck_assert_msg(o != NULL, "%s: %s", sb.buf, err.text);
	strbuf_release(&sb);
	return o;
}

START_TEST(judges_as_graph_does)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct message_facts facts;
	json_t *o = parse(cases[_i].body);
	int result = validate_message(o, &facts, &e);

	ck_assert_msg((result == 0) == (cases[_i].code == 0) && e.code == cases[_i].code, "%s\n%d: %s", cases[_i].body, e.code,
		      e.details.buf);
	if (cases[_i].says)
		ck_assert_msg(strstr(e.details.buf, cases[_i].says) != NULL, "%s\nsays: %s\nnot: %s", cases[_i].body, e.details.buf,
			      cases[_i].says);
	json_decref(o);
	strbuf_release(&e.details);
}
END_TEST

START_TEST(learns_what_the_ledger_wants)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct message_facts f;
	json_t *o = parse("{'messaging_product':'whatsapp','to':'+49 170-1234567','type':'text','text':{'body':'@5000@'},"
			  "'biz_opaque_callback_data':'t:1'}");

	ck_assert_int_eq(validate_message(o, &f, &e), -1);
	ck_assert_str_eq(f.to, "+49 170-1234567");
	ck_assert_str_eq(f.recipient.wa_id, "491701234567");
	ck_assert_str_eq(f.type, "text");
	ck_assert_str_eq(f.callback, "t:1");
	ck_assert_uint_eq(f.text_len, 10000);
	json_decref(o);
	strbuf_release(&e.details);
}
END_TEST

START_TEST(wamids_differ_and_repeat)
{
	char a[WAMID_SIZE], b[WAMID_SIZE];

	ck_assert_uint_eq(wamid_format("16505551234", 11, 1, a), strlen(a));
	ck_assert(strncmp(a, "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI", 33) == 0);
	wamid_format("16505551234", 11, 2, b);
	ck_assert_str_ne(a, b);
	wamid_format("16505551234", 11, 1, b);
	ck_assert_str_eq(a, b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox validation");
	TCase *t = tcase_create("bodies");
	SRunner *r;
	int failed;

	validate_setup();
	tcase_add_loop_test(t, judges_as_graph_does, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, learns_what_the_ledger_wants);
	tcase_add_test(t, wamids_differ_and_repeat);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
