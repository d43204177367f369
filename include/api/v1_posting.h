/*
 * v1_posting - messages that one call of the HTTP API brings: read (v1_read.c), put on the queue (v1_post.c); private to src/api.
 *
 * A posting lives until the broker has told the fate of all its messages, which may be after the answer: q is NULL then.
 */
#ifndef API_V1_POSTING_H
#define API_V1_POSTING_H

#include "api/post_item.h"
#include "api/v1_call.h"
#include "flow/keys.h"

struct posting {
	struct v1_call *q;			/* NULL: answered */
	struct v1 *v;
	const struct tenant *tenant;
	bool is_batch, is_told;
	struct post_item *items;
	int n, n_published;
	int64_t wait_ms;			/* Prefer: wait */
	const char *failure;			/* why a message could not be queued: a code */
	struct loop_timer deadline;
	char *idempotency_key;			/* NULL: none */
	char record[KEY_TEXT_MAX], owner[UUID_LEN + 1], digest[2 * SHA256_LEN + 1];
};

/* Reads the call's body; NULL: the problem is answered. */
struct posting *v1_posting_read(struct v1_call *q, bool second_envelope);
void v1_posting_free(struct posting *p);
json_t *v1_item_json(const struct post_item *i, int index);	/* of a batch's answer */

/* Answers when the message has a WAMID or is final, else after ms with what is known: 202. */
void v1_wait(struct v1_call *q, const char *key, const char *digest, int64_t ms, const char *queued, size_t queued_len);

#endif
