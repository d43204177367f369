/* REACTION(ident, name, what else follows from a Graph error, beside its class) */
REACTION(NOTHING,  "",         "nothing")
REACTION(ALERT,    "alert",    "a person should look: the message's maker chose wrongly, or something must be mended at Meta")
REACTION(INNOCENT, "innocent", "it speaks of the message or its recipient: the account's breaker does not count it")
REACTION(SLOW,     "slow",     "the number sends faster than Meta lets it: its rate is cut")
REACTION(TOKEN,    "token",    "the account's token is refused: another one is looked for before the account is held")
