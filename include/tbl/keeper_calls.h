/*
 * KEEPER_CALL(ident, name, shared, help) - what an api asks the keeper for, which has tokens and calls Graph; run_<ident>() in
 * src/api/keeper_calls.c.  Shared: it changes nothing, so the same question of several is asked of Graph once, and may be asked again.
 */
KEEPER_CALL(PROFILE,      "profile",      true,  "What recipients see of the number.")
KEEPER_CALL(PROFILE_SET,  "profile_set",  false, "Changes that.")
KEEPER_CALL(HEALTH,       "health",       true,  "What Graph says of the number and its health; holds, alerts and rate follow.")
KEEPER_CALL(VERIFICATION, "verification", true,  "The number's name, verification and quality.")
KEEPER_CALL(ANALYTICS,    "analytics",    true,  "Figures of the business account.")
KEEPER_CALL(TEMPLATES,    "templates",    true,  "Fetches all templates anew.")
KEEPER_CALL(SPOOLED,      "spooled",      false, "Bytes that the api put into the spool; nothing is answered.")
