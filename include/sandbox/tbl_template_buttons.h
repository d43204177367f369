/*
 * TEMPLATE_BUTTON(ident, type in the definition, sub_type in a send, type of its parameter, must a send have it?)
 *
 * sub_type NULL: the button is never sent.  A URL button needs its parameter only if its URL has a placeholder.
 */
TEMPLATE_BUTTON(QUICK_REPLY,          "QUICK_REPLY",          "quick_reply", "payload",     false)
TEMPLATE_BUTTON(URL,                  "URL",                  "url",         "text",        false)
TEMPLATE_BUTTON(OTP,                  "OTP",                  "url",         "text",        true)
TEMPLATE_BUTTON(COPY_CODE,            "COPY_CODE",            "copy_code",   "coupon_code", true)
TEMPLATE_BUTTON(FLOW,                 "FLOW",                 "flow",        "action",      false)
TEMPLATE_BUTTON(CATALOG,              "CATALOG",              "catalog",     "action",      false)
TEMPLATE_BUTTON(MPM,                  "MPM",                  "mpm",         "action",      true)
TEMPLATE_BUTTON(SPM,                  "SPM",                  NULL,          NULL,          false)
TEMPLATE_BUTTON(PHONE_NUMBER,         "PHONE_NUMBER",         NULL,          NULL,          false)
TEMPLATE_BUTTON(REQUEST_CONTACT_INFO, "REQUEST_CONTACT_INFO", NULL,          NULL,          false)
