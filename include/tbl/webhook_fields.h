/*
 * WEBHOOK_FIELD(ident, field, member, alone) - the fields of webhooks that are understood; all others are passed on as they are.
 *
 * member: one that each value of the field has.  A value without it belongs to that other field whose member it has, if this member
 * stands alone (no other field has it): samples of Meta's carry the quality update of a template under the name of its status update.
 * Meta: the reference pages of each field below "Webhooks".
 */
WEBHOOK_FIELD(TEMPLATE_STATUS,     "message_template_status_update",     "event",                                   false)
WEBHOOK_FIELD(TEMPLATE_QUALITY,    "message_template_quality_update",    "new_quality_score",                       true)
WEBHOOK_FIELD(TEMPLATE_COMPONENTS, "message_template_components_update", "message_template_element",                true)
WEBHOOK_FIELD(TEMPLATE_CATEGORY,   "template_category_update",           "new_category",                            true)
WEBHOOK_FIELD(TEMPLATE_CORRECT,    "template_correct_category_detection", "correct_category",                       false)
WEBHOOK_FIELD(NUMBER_QUALITY,      "phone_number_quality_update",        "event",                                   false)
WEBHOOK_FIELD(NUMBER_NAME,         "phone_number_name_update",           "requested_verified_name",                 true)
WEBHOOK_FIELD(ACCOUNT,             "account_update",                     "event",                                   false)
WEBHOOK_FIELD(ACCOUNT_ALERT,       "account_alerts",                     "entity_type",                             true)
WEBHOOK_FIELD(ACCOUNT_REVIEW,      "account_review_update",              "decision",                                false)
WEBHOOK_FIELD(CAPABILITY,          "business_capability_update",         "max_phone_numbers_per_business",          true)
WEBHOOK_FIELD(SECURITY,            "security",                           "event",                                   false)
WEBHOOK_FIELD(PREFERENCE,          "user_preferences",                   "user_preferences",                        true)
