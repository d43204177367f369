/* The definitions that test_template.c holds messages against: DEF(ident, members beside name, language and status, in single quotes). */
#define BODY(text) "{'type':'BODY','text':'" text "'}"
#define IMAGE_HEADER "{'type':'HEADER','format':'IMAGE','example':{'header_handle':['https://x/y']}}"
#define UTILITY(list) "'category':'UTILITY','parameter_format':'POSITIONAL','components':[" list "]"
#define ALL_BUTTONS(list) UTILITY(BODY("Hi") ",{'type':'BUTTONS','buttons':[" list "]}")
#define CARD_DEF "{'components':[" IMAGE_HEADER "," BODY("Card {{1}}") \
	",{'type':'BUTTONS','buttons':[{'type':'URL','text':'Go','url':'https://x/{{1}}'}]}]}"
#define OFFER_DEF(expires) "'category':'MARKETING','components':[" IMAGE_HEADER ",{'type':'LIMITED_TIME_OFFER','limited_time_offer':" \
	"{'text':'Hurry!','has_expiration':" expires "}}," BODY("Buy") ",{'type':'BUTTONS','buttons':[{'type':'COPY_CODE','text':'Copy'}]}]"

DEF(PLAIN, UTILITY(BODY("Hello.")))
DEF(EMPTY, "'components':[]")
DEF(THREE, UTILITY(BODY("{{1}}: {{2}} and {{ 3 }}.") ",{'type':'FOOTER','text':'Thanks'}"))
DEF(TWICE, UTILITY(BODY("{{2}}, {{1}}, {{2}} again: {{Not}} {{}} {{ {1}} {{0}} {{1001}}.")))
DEF(GAP, UTILITY(BODY("{{1}} and {{3}}.")))
DEF(NAMED, "'category':'UTILITY','parameter_format':'NAMED','components':[{'type':'HEADER','format':'TEXT','text':'Order {{order_no}}'},"
	BODY("{{first}}, {{total}}. Bye, {{first}}.") "]")
DEF(GUESSED, "'category':'UTILITY','components':[" BODY("Hi {{first}}.") "]")
DEF(NAMES_ARE_TEXT, UTILITY(BODY("Hi {{first}} {{1}}.")))
DEF(NAMED_URL, "'parameter_format':'named','components':[" BODY("Hi {{first}}.") ",{'type':'BUTTONS','buttons':[{'type':'URL','text':'Go',"
	"'url':'https://x/{{1}}'}]}]")
DEF(HEADER_TEXT, UTILITY("{'type':'HEADER','format':'TEXT','text':'Order {{1}}'}," BODY("Hi.")))
DEF(HEADER_STATIC, UTILITY("{'type':'HEADER','format':'TEXT','text':'News'}," BODY("Hi.")))
DEF(IMAGE, UTILITY(IMAGE_HEADER "," BODY("Hi.")))
DEF(VIDEO, UTILITY("{'type':'HEADER','format':'VIDEO'}," BODY("Hi.")))
DEF(DOCUMENT, UTILITY("{'type':'HEADER','format':'DOCUMENT'}," BODY("Hi.")))
DEF(GIF, UTILITY("{'type':'HEADER','format':'GIF'}," BODY("Hi.")))
DEF(PLACE, UTILITY("{'type':'HEADER','format':'LOCATION'}," BODY("Hi.")))
DEF(PRODUCT, UTILITY("{'type':'HEADER','format':'PRODUCT'}," BODY("Hi.")))
DEF(BUTTONS, ALL_BUTTONS("{'type':'QUICK_REPLY','text':'Stop'},{'type':'URL','text':'Track','url':'https://x/{{1}}'},"
	"{'type':'URL','text':'Shop','url':'https://x/'},{'type':'PHONE_NUMBER','text':'Call','phone_number':'+491511234567'}"))
DEF(COUPON, ALL_BUTTONS("{'type':'COPY_CODE','text':'Copy','example':'A'}"))
DEF(FLOW, ALL_BUTTONS("{'type':'FLOW','text':'Book','flow_id':'1'}"))
DEF(CATALOG, ALL_BUTTONS("{'type':'CATALOG','text':'View'}"))
DEF(MPM, ALL_BUTTONS("{'type':'MPM','text':'View'}"))
DEF(SPM, UTILITY("{'type':'HEADER','format':'PRODUCT'}," BODY("Hi.") ",{'type':'BUTTONS','buttons':[{'type':'SPM','text':'View'}]}"))
DEF(OTP, "'category':'AUTHENTICATION','components':[{'type':'BODY','text':'*{{1}}* is your code.','add_security_recommendation':true},"
	"{'type':'FOOTER','text':'Good for 5 minutes.','code_expiration_minutes':5},{'type':'BUTTONS','buttons':[{'type':'URL','text':'Copy',"
	"'url':'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}'}]}]")
DEF(OTP_CREATED, "'category':'authentication','components':[{'type':'body','add_security_recommendation':true},{'type':'footer',"
	"'code_expiration_minutes':5},{'type':'buttons','buttons':[{'type':'otp','otp_type':'copy_code','text':'Copy'}]}]")
DEF(OFFER, OFFER_DEF("true"))
DEF(ENDLESS, OFFER_DEF("false"))
DEF(CARDS, "'category':'MARKETING','components':[" BODY("See {{1}}") ",{'type':'CAROUSEL','cards':[" CARD_DEF "," CARD_DEF "]}]")
DEF(SHELF, "'category':'MARKETING','components':[" BODY("See") ",{'type':'CAROUSEL','cards':[{'components':[{'type':'HEADER','format':'PRODUCT'},"
	"{'type':'BUTTONS','buttons':[{'type':'SPM','text':'View'}]}]},{'components':[{'type':'HEADER','format':'PRODUCT'}]}]}]")
DEF(NEW_COMPONENT, UTILITY(BODY("Hi.") ",{'type':'HOLOGRAM'}"))
DEF(NEW_HEADER, UTILITY("{'type':'HEADER','format':'SMELL'}," BODY("Hi.")))
DEF(NEW_BUTTON, ALL_BUTTONS("{'type':'BEAM','text':'Up'},{'type':'QUICK_REPLY','text':'Stop'}"))
DEF(CONTACT, ALL_BUTTONS("{'type':'REQUEST_CONTACT_INFO'}"))
DEF(LOWER, "'category':'marketing','parameter_format':'positional','components':[{'type':'header','format':'image'},{'type':'body','text':"
	"'Hi {{1}}'},{'type':'buttons','buttons':[{'type':'url','text':'Go','url':'https://x/{{1}}'}]}]")
DEF(ODD, "'components':[null,7,{},{'type':7},{'type':'BODY'},{'type':'BUTTONS','buttons':[7,{}]},{'type':'CAROUSEL'}]")
