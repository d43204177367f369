/* SCOPE(ident, name, what an error of this scope says is in trouble) */
SCOPE(MESSAGE,   "message",   "this message alone, or this attempt of it")
SCOPE(RECIPIENT, "recipient", "its recipient, or the pair of number and recipient")
SCOPE(TEMPLATE,  "template",  "its template, or the flow in it")
SCOPE(NUMBER,    "number",    "the phone number that sends")
SCOPE(WABA,      "waba",      "the WhatsApp business account")
SCOPE(APP,       "app",       "the app at Meta, and with it all tenants that share it")
SCOPE(TENANT,    "tenant",    "the tenant's token or its permissions")
