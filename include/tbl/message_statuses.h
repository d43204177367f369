/*
 * MESSAGE_STATUS(ident, word, rank, meaning) - how far Meta has come with a message, in the words of its webhooks.
 *
 * Webhooks come in any order and more than once: a higher rank counts, whichever came last.  failed stands beside the ranks, for it
 * may come after delivered (another device of the same recipient).  accepted is ours: the answer to the POST.
 * Meta: "Messages status webhooks".
 */
MESSAGE_STATUS(ACCEPTED,  "accepted",  1, "Graph has taken it")
MESSAGE_STATUS(SENT,      "sent",      2, "Meta has sent it on its way")
MESSAGE_STATUS(DELIVERED, "delivered", 3, "it is on the recipient's device")
MESSAGE_STATUS(READ,      "read",      4, "the recipient has seen it")
MESSAGE_STATUS(PLAYED,    "played",    5, "the recipient has heard the voice message")
MESSAGE_STATUS(FAILED,    "failed",    0, "Meta could not send or deliver it")
