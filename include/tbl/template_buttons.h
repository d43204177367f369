/*
 * TEMPLATE_BUTTON(ident, type, sub_type, parameter, need) - a button in a template's definition, and what a message gives for it: a
 * component of that sub_type with one parameter of that type.  need: NONE (it takes none), MAY, MUST, or ANY (not checked).
 * A URL without a placeholder takes none.  Meta: "Components", and the pages of coupon, limited-time offer, multi-product, catalog,
 * flow and authentication templates.
 */
TEMPLATE_BUTTON(QUICK_REPLY,          "QUICK_REPLY",          "quick_reply", "payload",     MAY)
TEMPLATE_BUTTON(URL,                  "URL",                  "url",         "text",        MUST)
TEMPLATE_BUTTON(PHONE_NUMBER,         "PHONE_NUMBER",         "",            "",            NONE)
TEMPLATE_BUTTON(VOICE_CALL,           "VOICE_CALL",           "",            "",            NONE)
TEMPLATE_BUTTON(COPY_CODE,            "COPY_CODE",            "copy_code",   "coupon_code", MUST)
TEMPLATE_BUTTON(FLOW,                 "FLOW",                 "flow",        "action",      MAY)
TEMPLATE_BUTTON(CATALOG,              "CATALOG",              "catalog",     "action",      MAY)
TEMPLATE_BUTTON(MPM,                  "MPM",                  "mpm",         "action",      MUST)
TEMPLATE_BUTTON(SPM,                  "SPM",                  "",            "",            NONE)
TEMPLATE_BUTTON(OTP,                  "OTP",                  "url",         "text",        MUST)
TEMPLATE_BUTTON(REQUEST_CONTACT_INFO, "REQUEST_CONTACT_INFO", "",            "",            ANY)
