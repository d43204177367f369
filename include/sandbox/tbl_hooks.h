/*
 * Members of an order for webhooks (POST /_sandbox/webhooks) that are no text.
 *
 * HOOK_NUMBER(member, default, least, most)
 * HOOK_SPAN(member, default from, default to): [FROM, TO] in milliseconds
 * HOOK_RATE(member, default): a share from 0 to 1
 * HOOK_FLAG(member, default)
 */
HOOK_NUMBER(batch,       1,     1,  1000)	/* statuses in one webhook at most */
HOOK_NUMBER(batch_ms,    20,    0,  60000)	/* how long the first of them waits for others */
HOOK_NUMBER(connections, 8,     1,  64)
HOOK_NUMBER(timeout_ms,  10000, 10, 600000)
HOOK_SPAN(latency_ms,    0,     0)		/* from one status of a message to the next */
HOOK_SPAN(retry_ms,      1000,  60000)		/* after the first refusal; at most, by doubling */
HOOK_RATE(duplicates,    0)			/* statuses that come twice */
HOOK_RATE(drop,          0)			/* statuses that never come */
HOOK_RATE(read_rate,     1)			/* messages that are read, of those for which "read" is wanted */
HOOK_RATE(cut,           0)			/* webhooks whose connection ends in the middle of the body, each time they are sent */
HOOK_FLAG(shuffle,       false)			/* a message's statuses come in any order */
