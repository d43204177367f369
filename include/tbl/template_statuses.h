/*
 * TEMPLATE_STATUS(ident, name, reason, meaning) - a template's status in Meta's listings, or the name of the event that tells of it;
 * reason NONE: it may be sent.  Meta: "Templates overview", "Template pausing", "Template archival", webhook
 * "message_template_status_update".
 */
TEMPLATE_STATUS(APPROVED,         "APPROVED",         NONE,                  "it may be sent")
TEMPLATE_STATUS(PENDING,          "PENDING",          TEMPLATE_NOT_APPROVED, "Meta has not decided yet")
TEMPLATE_STATUS(REJECTED,         "REJECTED",         TEMPLATE_NOT_APPROVED, "Meta has refused it")
TEMPLATE_STATUS(PAUSED,           "PAUSED",           TEMPLATE_PAUSED,       "Meta has stopped it for hours, for its quality")
TEMPLATE_STATUS(DISABLED,         "DISABLED",         TEMPLATE_DISABLED,     "Meta has stopped it for good")
TEMPLATE_STATUS(IN_APPEAL,        "IN_APPEAL",        TEMPLATE_NOT_APPROVED, "Meta has refused it and was asked to look again")
TEMPLATE_STATUS(PENDING_DELETION, "PENDING_DELETION", TEMPLATE_NOT_APPROVED, "it is being deleted")
TEMPLATE_STATUS(DELETED,          "DELETED",          TEMPLATE_NOT_APPROVED, "it is deleted")
TEMPLATE_STATUS(LIMIT_EXCEEDED,   "LIMIT_EXCEEDED",   TEMPLATE_NOT_APPROVED, "the business account has too many templates")
TEMPLATE_STATUS(ARCHIVED,         "ARCHIVED",         TEMPLATE_NOT_APPROVED, "not used for a year: it is in the archive")
TEMPLATE_STATUS(UNARCHIVED,       "UNARCHIVED",       NONE,                  "it is back from the archive")
TEMPLATE_STATUS(FLAGGED,          "FLAGGED",          NONE,                  "it will be disabled soon, for its quality")
TEMPLATE_STATUS(LOCKED,           "LOCKED",           TEMPLATE_NOT_APPROVED, "it is locked")
TEMPLATE_STATUS(REINSTATED,       "REINSTATED",       NONE,                  "it may be sent again")
