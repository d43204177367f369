/*
 * FACT(ident, name, Graph's field, member of it or NULL, is in Graph's default fields, is watched, words)
 *
 * What Graph tells of a phone number (Meta: "Business phone numbers").  Values stay Graph's.  Of those that are watched a change is an
 * alert: words say what has changed.
 */
FACT(DISPLAY,      "display_phone_number", "display_phone_number", NULL, true,  false, "number")
FACT(NAME,         "verified_name", "verified_name",               NULL, true,  true,  "display name")
FACT(NAME_STATUS,  "name_status",   "name_status",                 NULL, false, true,  "review of its display name")
FACT(NEW_NAME_STATUS, "new_name_status", "new_name_status",        NULL, false, false, "review of its new display name")
FACT(QUALITY,      "quality",       "quality_rating",              NULL, true,  true,  "quality rating")
FACT(LIMIT,        "messaging_limit", "whatsapp_business_manager_messaging_limit", NULL, false, true, "messaging limit")
FACT(THROUGHPUT,   "throughput",    "throughput",               "level", true,  true,  "throughput")
FACT(STATUS,       "status",        "status",                      NULL, false, true,  "status")
FACT(VERIFICATION, "verification",  "code_verification_status",    NULL, true,  true,  "verification")
FACT(PLATFORM,     "platform",      "platform_type",               NULL, true,  false, "platform")
FACT(MODE,         "account_mode",  "account_mode",                NULL, false, false, "mode")
FACT(OFFICIAL,     "is_official",   "is_official_business_account", NULL, false, false, "official business account")
FACT(PIN,          "has_pin",       "is_pin_enabled",              NULL, false, false, "PIN")
FACT(ONBOARDED,    "onboarded_at",  "last_onboarded_time",         NULL, false, false, "last onboarding")
