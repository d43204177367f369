/*
 * tbl_fields - the members of every object in a message, their kinds and limits.
 *
 * SHAPE(ident, rule)                        an object; its members follow; rule (rules.c) sees it when they are fine
 * FIELD(member, kind, need, min, max)       TEXT: characters; NUMBER, INTEGER: value; 0, 0: no limit
 * WORDS(member, need, "a|b|c")              one of these words, in any case
 * PART(member, kind, need, min, max, shape) OBJECT, or LIST of objects with min to max items
 */
SHAPE(CONTEXT, rule_none)
FIELD("message_id", WAMID, MUST, 1, 512)

SHAPE(TEXT, rule_none)
FIELD("body", TEXT, MUST, 1, 4096)
FIELD("preview_url", BOOL, MAY, 0, 0)

SHAPE(IMAGE, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)
FIELD("caption", TEXT, MAY, 0, 1024)

SHAPE(VIDEO, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)
FIELD("caption", TEXT, MAY, 0, 1024)

SHAPE(AUDIO, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)
FIELD("voice", BOOL, MAY, 0, 0)

SHAPE(DOCUMENT, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)
FIELD("caption", TEXT, MAY, 0, 1024)
FIELD("filename", TEXT, MAY, 1, 240)

SHAPE(STICKER, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)

SHAPE(LOCATION, rule_none)
FIELD("latitude", NUMBER, MUST, -90, 90)
FIELD("longitude", NUMBER, MUST, -180, 180)
FIELD("name", TEXT, MAY, 0, 1000)
FIELD("address", TEXT, MAY, 0, 1000)

SHAPE(REACTION, rule_reaction)
FIELD("message_id", WAMID, MUST, 1, 512)
FIELD("emoji", TEXT, MUST, 0, 16)

/* ---- contacts ---- */
SHAPE(CONTACT, rule_none)
PART("name", OBJECT, MUST, 0, 0, CONTACT_NAME)
PART("phones", LIST, MAY, 0, 0, CONTACT_PHONE)
PART("emails", LIST, MAY, 0, 0, CONTACT_EMAIL)
PART("addresses", LIST, MAY, 0, 0, CONTACT_ADDRESS)
PART("urls", LIST, MAY, 0, 0, CONTACT_URL)
PART("org", OBJECT, MAY, 0, 0, CONTACT_ORG)
FIELD("birthday", DATE, MAY, 0, 0)

SHAPE(CONTACT_NAME, rule_contact_name)
FIELD("formatted_name", TEXT, MUST, 1, 1024)
FIELD("first_name", TEXT, MAY, 0, 1024)
FIELD("last_name", TEXT, MAY, 0, 1024)
FIELD("middle_name", TEXT, MAY, 0, 1024)
FIELD("suffix", TEXT, MAY, 0, 1024)
FIELD("prefix", TEXT, MAY, 0, 1024)

SHAPE(CONTACT_PHONE, rule_none)
FIELD("phone", TEXT, MAY, 0, 256)
FIELD("type", TEXT, MAY, 0, 256)
FIELD("wa_id", TEXT, MAY, 0, 256)

SHAPE(CONTACT_EMAIL, rule_none)
FIELD("email", TEXT, MAY, 0, 1024)
FIELD("type", TEXT, MAY, 0, 256)

SHAPE(CONTACT_ADDRESS, rule_none)
FIELD("street", TEXT, MAY, 0, 1024)
FIELD("city", TEXT, MAY, 0, 1024)
FIELD("state", TEXT, MAY, 0, 1024)
FIELD("zip", TEXT, MAY, 0, 1024)
FIELD("country", TEXT, MAY, 0, 1024)
FIELD("country_code", TEXT, MAY, 0, 16)
FIELD("type", TEXT, MAY, 0, 256)

SHAPE(CONTACT_URL, rule_none)
FIELD("url", TEXT, MAY, 0, 2048)
FIELD("type", TEXT, MAY, 0, 256)

SHAPE(CONTACT_ORG, rule_none)
FIELD("company", TEXT, MAY, 0, 1024)
FIELD("department", TEXT, MAY, 0, 1024)
FIELD("title", TEXT, MAY, 0, 1024)

/* ---- interactive: the frame; rule_interactive picks the action's shape by type ---- */
SHAPE(INTERACTIVE, rule_interactive)
FIELD("type", TEXT, MUST, 1, 64)
PART("header", OBJECT, MAY, 0, 0, HEADER)
PART("body", OBJECT, MAY, 0, 0, BODY)
PART("footer", OBJECT, MAY, 0, 0, FOOTER)
FIELD("action", ANY_OBJECT, MUST, 0, 0)

SHAPE(HEADER, rule_header)
WORDS("type", MUST, "text|image|video|document")
FIELD("text", TEXT, MAY, 1, 60)
PART("image", OBJECT, MAY, 0, 0, HEADER_MEDIA)
PART("video", OBJECT, MAY, 0, 0, HEADER_MEDIA)
PART("document", OBJECT, MAY, 0, 0, HEADER_DOCUMENT)

SHAPE(HEADER_MEDIA, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)

SHAPE(HEADER_DOCUMENT, rule_media)
FIELD("id", DIGITS, MAY, 1, 64)
FIELD("link", URL, MAY, 1, 2048)
FIELD("filename", TEXT, MAY, 1, 240)

SHAPE(BODY, rule_none)
FIELD("text", TEXT, MUST, 1, 4096)

SHAPE(FOOTER, rule_none)
FIELD("text", TEXT, MUST, 1, 60)

SHAPE(A_BUTTON, rule_reply_buttons)
PART("buttons", LIST, MUST, 1, 3, REPLY_BUTTON)

SHAPE(REPLY_BUTTON, rule_none)
WORDS("type", MUST, "reply")
PART("reply", OBJECT, MUST, 0, 0, REPLY)

SHAPE(REPLY, rule_reply_id)
FIELD("id", TEXT, MUST, 1, 256)
FIELD("title", TEXT, MUST, 1, 20)

SHAPE(A_LIST, rule_list)
FIELD("button", TEXT, MUST, 1, 20)
PART("sections", LIST, MUST, 1, 10, LIST_SECTION)

SHAPE(LIST_SECTION, rule_none)
FIELD("title", TEXT, MAY, 0, 24)
PART("rows", LIST, MUST, 1, 10, LIST_ROW)

SHAPE(LIST_ROW, rule_none)
FIELD("id", TEXT, MUST, 1, 200)
FIELD("title", TEXT, MUST, 1, 24)
FIELD("description", TEXT, MAY, 0, 72)

SHAPE(A_CTA_URL, rule_none)
WORDS("name", MUST, "cta_url")
PART("parameters", OBJECT, MUST, 0, 0, CTA_URL)

SHAPE(CTA_URL, rule_none)
FIELD("display_text", TEXT, MUST, 1, 20)
FIELD("url", URL, MUST, 1, 2048)

SHAPE(A_FLOW, rule_none)
WORDS("name", MUST, "flow")
PART("parameters", OBJECT, MUST, 0, 0, FLOW)

SHAPE(FLOW, rule_flow)
WORDS("flow_message_version", MUST, "3")
FIELD("flow_id", DIGITS, MAY, 1, 64)
FIELD("flow_name", TEXT, MAY, 1, 200)
FIELD("flow_cta", TEXT, MUST, 1, 30)
WORDS("mode", MAY, "published|draft")
FIELD("flow_token", TEXT, MAY, 1, 4096)
WORDS("flow_action", MAY, "navigate|data_exchange")
PART("flow_action_payload", OBJECT, MAY, 0, 0, FLOW_PAYLOAD)

SHAPE(FLOW_PAYLOAD, rule_flow_payload)
FIELD("screen", TEXT, MUST, 1, 256)
FIELD("data", ANY_OBJECT, MAY, 0, 0)

SHAPE(A_PRODUCT, rule_none)
FIELD("catalog_id", TEXT, MUST, 1, 64)
FIELD("product_retailer_id", TEXT, MUST, 1, 100)

SHAPE(A_PRODUCT_LIST, rule_product_list)
FIELD("catalog_id", TEXT, MUST, 1, 64)
PART("sections", LIST, MUST, 1, 10, PRODUCT_SECTION)

SHAPE(PRODUCT_SECTION, rule_none)
FIELD("title", TEXT, MAY, 0, 24)
PART("product_items", LIST, MUST, 1, 30, PRODUCT_ITEM)

SHAPE(PRODUCT_ITEM, rule_none)
FIELD("product_retailer_id", TEXT, MUST, 1, 100)

SHAPE(A_CATALOG, rule_none)
WORDS("name", MUST, "catalog_message")
PART("parameters", OBJECT, MAY, 0, 0, CATALOG)

SHAPE(CATALOG, rule_none)
FIELD("thumbnail_product_retailer_id", TEXT, MAY, 1, 100)

SHAPE(A_LOCATION_REQUEST, rule_none)
WORDS("name", MUST, "send_location")

SHAPE(A_ADDRESS, rule_none)
WORDS("name", MUST, "address_message")
PART("parameters", OBJECT, MUST, 0, 0, ADDRESS)

SHAPE(ADDRESS, rule_none)
WORDS("country", MUST, "IN")
PART("values", OBJECT, MAY, 0, 0, ADDRESS_VALUES)
PART("saved_addresses", LIST, MAY, 0, 0, SAVED_ADDRESS)
FIELD("validation_errors", ANY_OBJECT, MAY, 0, 0)

SHAPE(SAVED_ADDRESS, rule_none)
FIELD("id", TEXT, MUST, 1, 256)
PART("value", OBJECT, MUST, 0, 0, ADDRESS_VALUES)

SHAPE(ADDRESS_VALUES, rule_none)
FIELD("name", TEXT, MAY, 0, 1024)
FIELD("phone_number", TEXT, MAY, 0, 32)
FIELD("in_pin_code", TEXT, MAY, 0, 6)
FIELD("house_number", TEXT, MAY, 0, 1024)
FIELD("floor_number", TEXT, MAY, 0, 1024)
FIELD("tower_number", TEXT, MAY, 0, 1024)
FIELD("building_name", TEXT, MAY, 0, 1024)
FIELD("address", TEXT, MAY, 0, 1024)
FIELD("landmark_area", TEXT, MAY, 0, 1024)
FIELD("city", TEXT, MAY, 0, 1024)
FIELD("state", TEXT, MAY, 0, 1024)

SHAPE(A_CAROUSEL, rule_carousel)
PART("cards", LIST, MUST, 2, 10, CARD)

SHAPE(CARD, rule_card)
FIELD("card_index", INTEGER, MUST, 0, 9)
WORDS("type", MUST, "cta_url|product")
PART("header", OBJECT, MAY, 0, 0, HEADER)
PART("body", OBJECT, MAY, 0, 0, CARD_BODY)
PART("action", OBJECT, MUST, 0, 0, CARD_ACTION)

SHAPE(CARD_BODY, rule_card_body)
FIELD("text", TEXT, MUST, 1, 160)

SHAPE(CARD_ACTION, rule_none)
WORDS("name", MAY, "cta_url")
PART("parameters", OBJECT, MAY, 0, 0, CTA_URL)
PART("buttons", LIST, MAY, 1, 2, CARD_BUTTON)
FIELD("product_retailer_id", TEXT, MAY, 1, 100)
FIELD("catalog_id", TEXT, MAY, 1, 64)

SHAPE(CARD_BUTTON, rule_none)
WORDS("type", MUST, "quick_reply")
PART("quick_reply", OBJECT, MUST, 0, 0, CARD_REPLY)

SHAPE(CARD_REPLY, rule_none)
FIELD("id", TEXT, MUST, 1, 20)
FIELD("title", TEXT, MUST, 1, 20)

SHAPE(A_VOICE_CALL, rule_none)
WORDS("name", MUST, "voice_call")
PART("parameters", OBJECT, MAY, 0, 0, VOICE_CALL)

SHAPE(VOICE_CALL, rule_none)
FIELD("display_text", TEXT, MAY, 1, 20)
FIELD("ttl_minutes", INTEGER, MAY, 1, 43200)
FIELD("payload", TEXT, MAY, 0, 512)

SHAPE(A_CALL_PERMISSION, rule_none)
WORDS("name", MUST, "call_permission_request")

SHAPE(A_CONTACT_REQUEST, rule_none)
WORDS("name", MUST, "request_contact_info")

SHAPE(A_ORDER_DETAILS, rule_none)
WORDS("name", MUST, "review_and_pay")
FIELD("parameters", ANY_OBJECT, MUST, 0, 0)

SHAPE(A_ORDER_STATUS, rule_none)
WORDS("name", MUST, "review_order")
FIELD("parameters", ANY_OBJECT, MUST, 0, 0)

/* ---- templates ---- */
SHAPE(TEMPLATE, rule_none)
FIELD("name", TEXT, MUST, 1, 512)
FIELD("namespace", TEXT, MAY, 0, 256)
PART("language", OBJECT, MUST, 0, 0, LANGUAGE)
PART("components", LIST, MAY, 0, 0, COMPONENT)

SHAPE(LANGUAGE, rule_none)
FIELD("code", TEXT, MUST, 2, 16)
WORDS("policy", MAY, "deterministic")

SHAPE(COMPONENT, rule_component)
WORDS("type", MUST, "header|body|button|carousel|limited_time_offer|tap_target_configuration|order_status")
WORDS("sub_type", MAY, "quick_reply|url|copy_code|flow|catalog|mpm|order_details|voice_call|phone_number")
FIELD("index", INTEGER, MAY, 0, 9)
PART("parameters", LIST, MAY, 0, 0, PARAMETER)
PART("cards", LIST, MAY, 2, 10, TEMPLATE_CARD)

SHAPE(TEMPLATE_CARD, rule_none)
FIELD("card_index", INTEGER, MUST, 0, 9)
PART("components", LIST, MUST, 1, 0, COMPONENT)

SHAPE(PARAMETER, rule_parameter)
WORDS("type", MUST, "text|currency|date_time|image|video|document|gif|location|product|payload|coupon_code|action|limited_time_offer|tap_target_configuration|order_status")
FIELD("parameter_name", TEXT, MAY, 1, 512)
FIELD("text", TEXT, MAY, 1, 32768)
PART("currency", OBJECT, MAY, 0, 0, CURRENCY)
PART("date_time", OBJECT, MAY, 0, 0, DATE_TIME)
PART("image", OBJECT, MAY, 0, 0, HEADER_MEDIA)
PART("video", OBJECT, MAY, 0, 0, HEADER_MEDIA)
PART("gif", OBJECT, MAY, 0, 0, HEADER_MEDIA)
PART("document", OBJECT, MAY, 0, 0, HEADER_DOCUMENT)
PART("location", OBJECT, MAY, 0, 0, LOCATION)
PART("product", OBJECT, MAY, 0, 0, A_PRODUCT)
FIELD("payload", TEXT, MAY, 1, 256)
FIELD("coupon_code", TEXT, MAY, 1, 20)
PART("action", OBJECT, MAY, 0, 0, PARAMETER_ACTION)
PART("limited_time_offer", OBJECT, MAY, 0, 0, OFFER)
PART("tap_target_configuration", LIST, MAY, 1, 1, TAP_TARGET)
FIELD("order_status", ANY_OBJECT, MAY, 0, 0)

SHAPE(CURRENCY, rule_none)
FIELD("fallback_value", TEXT, MUST, 1, 1024)
FIELD("code", TEXT, MUST, 3, 3)
FIELD("amount_1000", INTEGER, MUST, 0, 0)

SHAPE(DATE_TIME, rule_none)
FIELD("fallback_value", TEXT, MUST, 1, 1024)
FIELD("*", OTHERS, MAY, 0, 0)

SHAPE(PARAMETER_ACTION, rule_parameter_action)
FIELD("flow_token", TEXT, MAY, 1, 4096)
FIELD("flow_action_data", ANY_OBJECT, MAY, 0, 0)
FIELD("thumbnail_product_retailer_id", TEXT, MAY, 1, 100)
PART("sections", LIST, MAY, 1, 10, PRODUCT_SECTION)

SHAPE(OFFER, rule_none)
FIELD("expiration_time_ms", INTEGER, MUST, 1, 0)

SHAPE(TAP_TARGET, rule_none)
FIELD("url", URL, MUST, 1, 2048)
FIELD("title", TEXT, MUST, 1, 256)

/* ---- read receipts ---- */
SHAPE(TYPING, rule_none)
WORDS("type", MUST, "text")

SHAPE(RECEIPT, rule_none)
WORDS("messaging_product", MUST, "whatsapp")
WORDS("status", MUST, "read")
FIELD("message_id", WAMID, MUST, 1, 512)
PART("typing_indicator", OBJECT, MAY, 0, 0, TYPING)

/* ---- the frame of a message; the payload members are tbl_types.h ---- */
SHAPE(FRAME, rule_frame)
WORDS("messaging_product", MUST, "whatsapp")
WORDS("recipient_type", MAY, "individual|group")
FIELD("to", TEXT, MAY, 1, 256)
FIELD("recipient", TEXT, MAY, 1, 256)
FIELD("type", TEXT, MAY, 1, 64)
PART("context", OBJECT, MAY, 0, 0, CONTEXT)
FIELD("biz_opaque_callback_data", TEXT, MAY, 0, 512)
FIELD("recipient_identity_key_hash", TEXT, MAY, 1, 256)
FIELD("*", OTHERS, MAY, 0, 0)
