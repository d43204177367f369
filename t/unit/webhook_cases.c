#include "webhook_cases.h"

#include "base/base.h"

/* ' stands for "; the envelope comes from test_webhook.c. */
#define META "'messaging_product':'whatsapp','metadata':{'display_phone_number':'15550783881','phone_number_id':'106540352242922'},"
#define NOW "'timestamp':'1750030073'"
#define AT " at=1750030073000"
#define WHO " waba=9001 pnid=106540352242922"
#define TPL "'message_template_id':1689556908129832,'message_template_name':'order','message_template_language':'en-US'"
#define TEMPLATE " id=1689556908129832 name=order language=en_US"

const struct webhook_case webhook_cases[] = {
	/* ---- statuses ---- */
	{ "sent, with all that may be there", "messages",
	  "{" META "'contacts':[{'profile':{'name':'P'},'wa_id':'16505551234'}],'statuses':[{'id':'wamid.A','status':'sent'," NOW
	  ",'recipient_id':'16505551234','recipient_user_id':'US.13','biz_opaque_callback_data':'token','template_id':'77',"
	  "'conversation':{'id':'c','origin':{'type':'utility'}},'pricing':{'billable':true,'pricing_model':'PMP','type':'regular',"
	  "'category':'utility'}}]}",
	  "status wamid.A sent(1)" AT WHO " token=token to=16505551234 user=US.13 template=77 pricing conversation\n", 0 },
	{ "delivered, read and played in one; a number for a time; no recipient", "messages",
	  "{" META "'statuses':[{'id':'wamid.A','status':'delivered'," NOW "},{'id':'wamid.A','status':'read','timestamp':1750030073},"
	  "{'id':'wamid.A','status':'played','timestamp':'1750030073999'}]}",
	  "status wamid.A delivered(2)" AT WHO "\nstatus wamid.A read(3)" AT WHO "\nstatus wamid.A played(4) at=1750030073999" WHO "\n", 0 },
	{ "failed says why", "messages",
	  "{" META "'statuses':[{'id':'wamid.A','status':'failed'," NOW ",'recipient_id':'1','errors':[{'code':131049,'title':'t','message':'m',"
	  "'error_data':{'details':'because'},'href':'https://x'},{'code':1}]}]}",
	  "status wamid.A failed(5)" AT WHO " to=1 errors code=131049 text=because\n", 0 },
	{ "errors in poorer shapes", "messages",
	  "{" META "'statuses':[{'id':'wamid.A','status':'failed'," NOW ",'errors':[{'code':131026,'title':'t'}]},"
	  "{'id':'wamid.B','status':'failed'," NOW ",'errors':[{'code':131026,'message':'m','error_data':'text'}]},"
	  "{'id':'wamid.C','status':'failed'," NOW ",'errors':[]},{'id':'wamid.D','status':'failed'," NOW ",'errors':[7]},"
	  "{'id':'wamid.E','status':'failed'," NOW ",'errors':[{'code':99999999999,'message':'m'}]}]}",
	  "status wamid.A failed(5)" AT WHO " errors code=131026 text=t\nstatus wamid.B failed(5)" AT WHO " errors code=131026 text=text\n"
	  "status wamid.C failed(5)" AT WHO " errors\nstatus wamid.D failed(5)" AT WHO " errors\nstatus wamid.E failed(5)" AT WHO " errors text=m\n", 0 },
	{ "of a group", "messages",
	  "{" META "'statuses':[{'id':'wamid.A','status':'read'," NOW ",'recipient_id':'g1','recipient_type':'group','recipient_participant_id':'1650'}]}",
	  "status wamid.A read(3)" AT WHO " to=g1 participant=1650\n", 0 },
	{ "a word nobody knows stays one", "messages",
	  "{" META "'statuses':[{'id':'wamid.A','status':'warning'," NOW "},{'id':'wamid.B','status':'DELIVERED'}]}",
	  "status wamid.A warning(6)" AT WHO "\nstatus wamid.B DELIVERED(6) at=0" WHO "\n", 0 },
	{ "statuses that are none are left out, the others are not", "messages",
	  "{" META "'statuses':[7,{'status':'sent'},{'id':'','status':'sent'},{'id':'wamid.A'},{'id':'wamid.A','status':''},{'id':7,'status':'sent'},"
	  "{'id':'wamid.B','status':'sent','timestamp':'yesterday'},{'id':'wamid.C','status':'sent','timestamp':-1}]}",
	  "status wamid.B sent(1) at=0" WHO "\nstatus wamid.C sent(1) at=0" WHO "\n", 6 },
	{ "no metadata", "messages", "{'statuses':[{'id':'wamid.A','status':'sent'," NOW "}]}", "status wamid.A sent(1)" AT " waba=9001\n", 0 },

	/* ---- inbound ---- */
	{ "a text", "messages",
	  "{" META "'contacts':[{'profile':{'name':'P'},'wa_id':'16505551234'}],'messages':[{'from':'16505551234','id':'wamid.I'," NOW
	  ",'type':'text','text':{'body':'hello'}}]}",
	  "message wamid.I text" AT WHO " from=16505551234 contact=16505551234\n", 0 },
	{ "by user id, an answer, in a group", "messages",
	  "{" META "'contacts':[{'user_id':'US.1'}],'messages':[{'from_user_id':'US.1','group_id':'g','id':'wamid.I'," NOW
	  ",'type':'button','button':{'payload':'p','text':'t'},'context':{'from':'1555','id':'wamid.A'}}]}",
	  "message wamid.I button" AT WHO " user=US.1 group=g answers=wamid.A contact=US.1\n", 0 },
	{ "contacts are found by who they are", "messages",
	  "{" META "'contacts':[{'wa_id':'2'},{'user_id':'US.3'},{'wa_id':'1'}],'messages':[{'from':'1','id':'wamid.1'," NOW ",'type':'text'},"
	  "{'from':'2','id':'wamid.2'," NOW ",'type':'edit'},{'from_user_id':'US.3','id':'wamid.3'," NOW ",'type':'x'},"
	  "{'from':'4','id':'wamid.4'," NOW ",'type':'x'}]}",
	  "message wamid.1 text" AT WHO " from=1 contact=1\nmessage wamid.2 edit" AT WHO " from=2 contact=2\n"
	  "message wamid.3 x" AT WHO " user=US.3 contact=US.3\nmessage wamid.4 x" AT WHO " from=4\n", 0 },
	{ "without id or type it is none", "messages", "{" META "'messages':[{'from':'1','type':'text'},{'from':'1','id':'wamid.I'},null]}", "", 3 },
	{ "errors of a number", "messages",
	  "{" META "'errors':[{'code':130429,'title':'Rate limit hit','message':'Rate limit hit','error_data':{'details':'d'}},'x']}",
	  "error code=130429 text=d" WHO "\n", 1 },
	{ "statuses, messages, errors: in this order", "messages",
	  "{" META "'errors':[{'code':1}],'messages':[{'id':'wamid.I','type':'text'}],'statuses':[{'id':'wamid.A','status':'sent'}]}",
	  "status wamid.A sent(1) at=0" WHO "\nmessage wamid.I text at=0" WHO "\nerror code=1" WHO "\n", 0 },
	{ "lists that are none", "messages", "{" META "'statuses':{},'messages':'x','errors':null}", "", 2 },

	/* ---- templates ---- */
	{ "a template is approved", "message_template_status_update",
	  "{'event':'APPROVED'," TPL ",'reason':'NONE','message_template_category':'UTILITY'}",
	  "template_status field=message_template_status_update" TEMPLATE " event=APPROVED category=UTILITY\n", 0 },
	{ "rejected", "message_template_status_update",
	  "{'event':'REJECTED'," TPL ",'reason':'INVALID_FORMAT','rejection_info':{'reason':'r','recommendation':'do'}}",
	  "template_status field=message_template_status_update" TEMPLATE " event=REJECTED reason=INVALID_FORMAT description=do\n", 0 },
	{ "paused", "message_template_status_update",
	  "{'event':'PAUSED','message_template_id':'12','message_template_name':'n','message_template_language':'de','reason':null,"
	  "'other_info':{'title':'FIRST_PAUSE','description':'3 hours'}}",
	  "template_status field=message_template_status_update id=12 name=n language=de event=PAUSED title=FIRST_PAUSE description=3 hours\n", 0 },
	{ "disabled", "message_template_status_update", "{'event':'DISABLED'," TPL ",'disable_info':{'disable_date':1750030073}}",
	  "template_status field=message_template_status_update" TEMPLATE " event=DISABLED change=1750030073000\n", 0 },
	{ "quality", "message_template_quality_update", "{'previous_quality_score':'GREEN','new_quality_score':'YELLOW'," TPL "}",
	  "template_quality field=message_template_quality_update" TEMPLATE " quality=YELLOW was=GREEN\n", 0 },
	{ "quality under the wrong name", "message_template_status_update", "{'previous_quality_score':'GREEN','new_quality_score':'RED'," TPL "}",
	  "template_quality field=message_template_status_update" TEMPLATE " quality=RED was=GREEN\n", 0 },
	{ "components", "message_template_components_update",
	  "{" TPL ",'message_template_element':'body','message_template_title':'t','message_template_footer':'f',"
	  "'message_template_buttons':[{'message_template_button_type':'URL','message_template_button_text':'x'}]}",
	  "template_components field=message_template_components_update" TEMPLATE "\n", 0 },
	{ "category, impending", "template_category_update",
	  "{" TPL ",'new_category':'UTILITY','correct_category':'MARKETING','category_update_timestamp':1750030073}",
	  "template_category field=template_category_update" TEMPLATE " category=UTILITY correct=MARKETING change=1750030073000\n", 0 },
	{ "category, done", "template_category_update", "{" TPL ",'previous_category':'UTILITY','new_category':'MARKETING'}",
	  "template_category field=template_category_update" TEMPLATE " category=MARKETING category_was=UTILITY\n", 0 },
	{ "category, found wrong", "template_correct_category_detection", "{" TPL ",'category':'UTILITY','correct_category':'MARKETING'}",
	  "template_correct field=template_correct_category_detection" TEMPLATE " category=UTILITY correct=MARKETING\n", 0 },
	{ "a template's members in other shapes", "message_template_status_update",
	  "{'event':'APPROVED','message_template_id':-1,'message_template_language':'a-language-that-is-longer-than-any-there-is','other_info':7}",
	  "template_status field=message_template_status_update event=APPROVED\n", 0 },

	/* ---- numbers ---- */
	{ "more throughput", "phone_number_quality_update",
	  "{'display_phone_number':'15550783881','event':'THROUGHPUT_UPGRADE','current_limit':'TIER_10K','old_limit':'TIER_1K',"
	  "'max_daily_conversations_per_business':'TIER_UNLIMITED'}",
	  "number_quality field=phone_number_quality_update display=15550783881 event=THROUGHPUT_UPGRADE limit=TIER_UNLIMITED was=TIER_1K\n", 0 },
	{ "an older one", "phone_number_quality_update", "{'display_phone_number':'15550783881','event':'FLAGGED','current_limit':'TIER_10K'}",
	  "number_quality field=phone_number_quality_update display=15550783881 event=FLAGGED limit=TIER_10K\n", 0 },
	{ "a name is refused", "phone_number_name_update",
	  "{'display_phone_number':'1555','decision':'REJECTED','requested_verified_name':'Shop','rejection_reason':'NAME_EMPLOYEE_ISSUE'}",
	  "number_name field=phone_number_name_update display=1555 decision=REJECTED name=Shop reason=NAME_EMPLOYEE_ISSUE\n", 0 },
	{ "a name is approved", "phone_number_name_update",
	  "{'display_phone_number':'1555','decision':'APPROVED','requested_verified_name':'Shop','rejection_reason':'NONE'}",
	  "number_name field=phone_number_name_update display=1555 decision=APPROVED name=Shop\n", 0 },

	/* ---- accounts ---- */
	{ "restricted", "account_update",
	  "{'event':'ACCOUNT_RESTRICTION','restriction_info':[{'restriction_type':'RESTRICTED_BIZ_INITIATED_MESSAGING','expiration':1750030073},"
	  "{'restriction_type':'RESTRICTED_ADD_PHONE_NUMBER_ACTION','expiration':'1750030073','remediation':'wait'},{}]}",
	  "account field=account_update restricted maybe event=ACCOUNT_RESTRICTION RESTRICTED_BIZ_INITIATED_MESSAGING until=1750030073000 "
	  "RESTRICTED_ADD_PHONE_NUMBER_ACTION until=1750030073000 remediation=wait\n", 0 },
	{ "restricted in all that is sent", "account_update",
	  "{'event':'ACCOUNT_RESTRICTION','restriction_info':[{'restriction_type':'RESTRICTED_BIZ_INITIATED_MESSAGING','expiration':1750030073},"
	  "{'restriction_type':'RESTRICTED_CUSTOMER_INITIATED_MESSAGING','expiration':1750030000}]}",
	  "account field=account_update restricted stops for=1750030000000 event=ACCOUNT_RESTRICTION RESTRICTED_BIZ_INITIATED_MESSAGING "
	  "until=1750030073000 RESTRICTED_CUSTOMER_INITIATED_MESSAGING until=1750030000000\n", 0 },
	{ "violated", "account_update", "{'event':'ACCOUNT_VIOLATION','violation_info':{'violation_type':'SCAM'}}",
	  "account field=account_update violated maybe event=ACCOUNT_VIOLATION violation=SCAM\n", 0 },
	{ "lifted", "account_update", "{'event':'ACCOUNT_VIOLATION','violation_info':{'violation_type':'SPAM_UNBAN'}}",
	  "account field=account_update lifted goes event=ACCOUNT_VIOLATION violation=SPAM_UNBAN\n", 0 },
	{ "lifted, in the other word", "account_update", "{'event':'ACCOUNT_RESTRICTION','violation_info':{'violation_type':'X_RECOVERY'}}",
	  "account field=account_update lifted goes event=ACCOUNT_RESTRICTION violation=X_RECOVERY\n", 0 },
	{ "banned", "account_update", "{'event':'DISABLED_UPDATE','ban_info':{'waba_ban_state':'DISABLE','waba_ban_date':'August 4, 2026'}}",
	  "account field=account_update banned stops event=DISABLED_UPDATE ban=DISABLE of August 4, 2026\n", 0 },
	{ "will be banned", "account_update", "{'event':'DISABLED_UPDATE','ban_info':{'waba_ban_state':'SCHEDULE_FOR_DISABLE'}}",
	  "account field=account_update ban_scheduled maybe event=DISABLED_UPDATE ban=SCHEDULE_FOR_DISABLE\n", 0 },
	{ "reinstated", "account_update", "{'event':'DISABLED_UPDATE','ban_info':{'waba_ban_state':'REINSTATE'}}",
	  "account field=account_update reinstated goes event=DISABLED_UPDATE ban=REINSTATE\n", 0 },
	{ "a ban of another kind", "account_update", "{'event':'DISABLED_UPDATE','ban_info':{'waba_ban_state':'NEW'}}",
	  "account field=account_update - event=DISABLED_UPDATE ban=NEW\n", 0 },
	{ "deleted", "account_update", "{'event':'ACCOUNT_DELETED'}", "account field=account_update deleted stops event=ACCOUNT_DELETED\n", 0 },
	{ "offboarded", "account_update", "{'event':'ACCOUNT_OFFBOARDED'}", "account field=account_update offboarded stops event=ACCOUNT_OFFBOARDED\n", 0 },
	{ "reconnected", "account_update", "{'event':'ACCOUNT_RECONNECTED'}", "account field=account_update reconnected goes event=ACCOUNT_RECONNECTED\n", 0 },
	{ "no longer ours", "account_update", "{'event':'PARTNER_REMOVED','waba_info':{'waba_id':'9001'}}",
	  "account field=account_update removed maybe event=PARTNER_REMOVED\n", 0 },
	{ "our app was removed", "account_update", "{'event':'PARTNER_APP_UNINSTALLED'}",
	  "account field=account_update uninstalled maybe event=PARTNER_APP_UNINSTALLED\n", 0 },
	{ "what does not touch sending", "account_update", "{'event':'MM_LITE_TERMS_SIGNED'}", "account field=account_update - event=MM_LITE_TERMS_SIGNED\n", 0 },
	{ "an account's alert", "account_alerts",
	  "{'entity_type':'PHONE_NUMBER','entity_id':106540352242922,'alert_info':{'alert_severity':'CRITICAL','alert_status':'ACTIVE',"
	  "'alert_type':'OBA_REJECTED','alert_description':'d'}}",
	  "account_alert field=account_alerts of=PHONE_NUMBER/106540352242922 severity=CRITICAL status=ACTIVE type=OBA_REJECTED d\n", 0 },
	{ "an older alert", "account_alerts",
	  "{'entity_type':'BUSINESS','entity_id':'12','alert_severity':'INFORMATIONAL','alert_status':'NONE','alert_type':'T','alert_description':'d'}",
	  "account_alert field=account_alerts of=BUSINESS/12 severity=INFORMATIONAL status=NONE type=T d\n", 0 },
	{ "reviewed", "account_review_update", "{'decision':'APPROVED'}", "account_review field=account_review_update APPROVED\n", 0 },
	{ "limits as words", "business_capability_update",
	  "{'max_daily_conversations_per_business':'TIER_2K','max_phone_numbers_per_business':20,'max_phone_numbers_per_waba':5}",
	  "capability field=business_capability_update tier=TIER_2K a_day=2000 numbers=20/5\n", 0 },
	{ "limits as numbers", "business_capability_update", "{'max_daily_conversations_per_business':-1,'max_phone_numbers_per_business':2}",
	  "capability field=business_capability_update a_day=-1 numbers=2/-2\n", 0 },
	{ "security", "security", "{'display_phone_number':'1555','event':'PIN_CHANGED','requester':'7'}",
	  "security field=security display=1555 event=PIN_CHANGED requester=7\n", 0 },
	{ "users have said what they want", "user_preferences",
	  "{" META "'user_preferences':[{'wa_id':'1650','user_id':'US.1','detail':'d','category':'marketing_messages','value':'stop','timestamp':1750030073},"
	  "{'user_id':'US.2','category':'marketing_messages','value':'resume','timestamp':'1750030073'},{'wa_id':'1'},{'value':'stop'},7]}",
	  "preference field=user_preferences wa_id=1650 user=US.1 category=marketing_messages value=stop stop detail=d" AT "\n"
	  "preference field=user_preferences user=US.2 category=marketing_messages value=resume" AT "\n", 3 },
	{ "preferences that are none", "user_preferences", "{" META "'user_preferences':7}", "", 1 },

	/* ---- others ---- */
	{ "a field of no interest", "flows", "{'event':'FLOW_STATUS_CHANGE','new_category':'x'}", "- field=flows {\"event\":\"FLOW_STATUS_CHANGE\",\"new_category\":\"x\"}\n", 0 },
	{ "a field nobody knows", "new", "{}", "- field=new {}\n", 0 },
	{ "a value that is no object", "messages", "[]", "", 1 },
	{ "another one", "account_update", "7", "", 1 },
};

const int webhook_cases_n = ARRAY_LEN(webhook_cases);
