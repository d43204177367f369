/* HOOK_STATUS(ident, word) - the statuses of a message that webhooks tell, in the order in which they come about */
HOOK_STATUS(SENT,      "sent")
HOOK_STATUS(DELIVERED, "delivered")
HOOK_STATUS(READ,      "read")
HOOK_STATUS(PLAYED,    "played")
HOOK_STATUS(FAILED,    "failed")
