/* API_SCOPE(ident, name, help) - what an API key may be good for. */
API_SCOPE(SEND,   "send",   "Send messages, cancel them, give files for sending.")
API_SCOPE(READ,   "read",   "Look at messages, templates and accounts.")
API_SCOPE(MANAGE, "manage", "Change accounts and templates.")
