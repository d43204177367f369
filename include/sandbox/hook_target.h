/*
 * hook_target - where webhooks of some business accounts go, what they are signed with, and what befalls them: one order of a test.
 *
 * The members are tbl_hooks.h.  Only loopback addresses are taken.
 */
#ifndef SANDBOX_HOOK_TARGET_H
#define SANDBOX_HOOK_TARGET_H

#include <jansson.h>
#include <netinet/in.h>

#include "base/crypto.h"
#include "base/strbuf.h"

enum hook_status {
#define HOOK_STATUS(ident, word) HOOK_##ident,
#include "sandbox/tbl_hook_statuses.h"
#undef HOOK_STATUS
	HOOK_STATUSES
};

enum { HOOK_SIGNATURE_SIZE = 7 + 2 * SHA256_LEN + 1 };	/* "sha256=", digits, NUL */

struct hook_url { struct sockaddr_in address; char *path; };

struct hook_span { int64_t from, to; };

struct hook_late { char *to; int code; int64_t times; };	/* times 0: for ever */

struct hook_target {
	struct hook_url url;
	char *secret;
	json_t *wabas;			/* NULL: all */
	bool wanted[HOOK_STATUSES];
	double fail_rate;
	int fail_code;
	struct hook_late *late;		/* recipients whose messages fail after they were sent */
	int n_late;
#define HOOK_NUMBER(member, initial, least, most) int64_t member;
#define HOOK_SPAN(member, first, last) struct hook_span member;
#define HOOK_RATE(member, initial) double member;
#define HOOK_FLAG(member, initial) bool member;
#include "sandbox/tbl_hooks.h"
#undef HOOK_NUMBER
#undef HOOK_SPAN
#undef HOOK_RATE
#undef HOOK_FLAG
};

const char *hook_status_word(enum hook_status s);

int hook_url_parse(struct hook_url *u, const char *text, struct strbuf *why) MUST_CHECK;	/* http://127.0.0.1:PORT/path */
void hook_url_release(struct hook_url *u);

struct hook_target *hook_target_new(const json_t *order, struct strbuf *why);	/* NULL with the reason */
void hook_target_free(struct hook_target **tp);
/* The code with which a message to this recipient fails after it was sent, and one time less; 0: it does not. */
int hook_target_late(struct hook_target *t, const char *to);
bool hook_target_takes(const struct hook_target *t, const char *waba);

/* "sha256=" and the HMAC of the body, as Meta signs. */
void hook_sign(const char *secret, const void *body, size_t len, char out[HOOK_SIGNATURE_SIZE]);

bool hook_chance(double rate);				/* true this often */
int64_t hook_draw(const struct hook_span *s);		/* evenly between the two, milliseconds */

#endif
