/* STATE(ident, word, what it may follow) - the state manager's own table: single steps, and failed while nothing arrived. */
STATE(QUEUED,    "queued",    0)
STATE(SENT,      "sent",      BIT(STATE_QUEUED))
STATE(DELIVERED, "delivered", BIT(STATE_SENT))
STATE(READ,      "read",      BIT(STATE_DELIVERED))
STATE(FAILED,    "failed",    BIT(STATE_QUEUED) | BIT(STATE_SENT))
