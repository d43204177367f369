/* SCRIPT(ident, file in src/lua, what it decides) */
SCRIPT(ADMIT,  admit,  "May this delivery be sent now?")
SCRIPT(SETTLE, settle, "What came of the attempt.")
SCRIPT(CONCLUDED, concluded, "The conclusion of a final record was published.")
SCRIPT(LANE,   lane,   "May a message join its account's lane, who takes from it, may it be closed?")
SCRIPT(SWEEP,  sweep,  "What does an account need that no sender sees to?")
SCRIPT(OPERATE, operate, "What an operator decides about holds and breakers.")
SCRIPT(ALERT,  alert,  "Is this alert news, or has it been said?")
