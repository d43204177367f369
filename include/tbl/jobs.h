/*
 * JOB(ident, name, every, help) - what the keeper looks after for each account, in the background; every: the member of struct conf
 * that says how often.
 */
JOB(TOKEN_CHECK,   "token_check",   token_check,   "Asks Graph whether the access token is good, and when it ends.")
JOB(TOKEN_REFRESH, "token_refresh", token_look,    "Exchanges a token that ends for a new one, in time; tells of one that cannot be exchanged.")
JOB(TEMPLATES,     "templates",     template_refresh, "Fetches the templates of the business account from Graph.")
JOB(ACCOUNT_WATCH, "account_watch", account_watch, "Asks Graph about the number and its health: quality, throughput, limits, what is blocked.")
