/* STATE(ident, name, what happens if the worker dies here) */
STATE(RECEIVED,   "received",   "redelivered; nothing was done yet")
STATE(ADMITTING,  "admitting",  "redelivered; if the record says sending, its outcome is unknown")
STATE(SENDING,    "sending",    "redelivered; the record says sending, its outcome is unknown")
STATE(SETTLING,   "settling",   "redelivered; the record is settled, or its outcome is unknown")
STATE(CONCLUDING, "concluding", "redelivered; admit says what was settled, and it is published again")
STATE(DONE,       "done",       "nothing is left to do; an ack that got lost is harmless")
