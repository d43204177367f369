/* STATE(ident, name, what happens if the sender dies here) - the same every time: the broker gives its ticket to another sender */
STATE(TAKING,   "taking",   "the ticket is in hand, Redis is asked; the next holder asks again")
STATE(AWAKE,    "awake",    "takes from the lane; what is unacked is redelivered to the next holder")
STATE(ASLEEP,   "asleep",   "the account may not send; nothing is in hand")
STATE(CLOSING,  "closing",  "empty, waits out lane.grace; the next holder waits it out anew")
STATE(DELETING, "deleting", "nobody may join; the next holder deletes")
STATE(OVER,     "over",     "no longer ours; what is in hand is finished")
