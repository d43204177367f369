/*
 * ACCOUNT_TURN(ident, name, event, ban state or NULL, effect, meaning) - what an account_update can say of a business account, as far as
 * sending is concerned; the first line that fits counts.  Events without a line change nothing for us (OTHER).  A lift comes before all
 * others and has no event of its own: a violation_type that ends in _UNBAN or _RECOVERY, without restriction_info.
 * Effect: STOPS: it may not send, GOES: it may again, MAYBE: its health tells.  A restriction stops it if it forbids both what a business
 * begins and what it answers.
 * Meta: webhook "account_update".
 */
ACCOUNT_TURN(RESTRICTED,    "restricted",    "ACCOUNT_RESTRICTION", NULL,                   MAYBE, "Meta forbids it some things for some time")
ACCOUNT_TURN(VIOLATED,      "violated",      "ACCOUNT_VIOLATION",   NULL,                   MAYBE, "it has broken a rule of Meta's")
ACCOUNT_TURN(BANNED,        "banned",        "DISABLED_UPDATE",     "DISABLE",              STOPS, "Meta has disabled it")
ACCOUNT_TURN(BAN_SCHEDULED, "ban_scheduled", "DISABLED_UPDATE",     "SCHEDULE_FOR_DISABLE", MAYBE, "Meta will disable it")
ACCOUNT_TURN(REINSTATED,    "reinstated",    "DISABLED_UPDATE",     "REINSTATE",            GOES,  "Meta has enabled it again")
ACCOUNT_TURN(DELETED,       "deleted",       "ACCOUNT_DELETED",     NULL,                   STOPS, "it is gone")
ACCOUNT_TURN(OFFBOARDED,    "offboarded",    "ACCOUNT_OFFBOARDED",  NULL,                   STOPS, "it has left this platform")
ACCOUNT_TURN(RECONNECTED,   "reconnected",   "ACCOUNT_RECONNECTED", NULL,                   GOES,  "it is back on this platform")
ACCOUNT_TURN(REMOVED,       "removed",       "PARTNER_REMOVED",     NULL,                   MAYBE, "it is no longer shared with us")
ACCOUNT_TURN(UNINSTALLED,   "uninstalled",   "PARTNER_APP_UNINSTALLED", NULL,               MAYBE, "our app was taken away from it")
