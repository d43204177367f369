/* console_session - the text of a session's cookie, and its second proof.  Pure. */
#ifndef API_CONSOLE_SESSION_H
#define API_CONSOLE_SESSION_H

#include "base/crypto.h"

enum { SESSION_NONCE = 8, SESSION_HEAD_MAX = 48, SESSION_MAX = 128, SESSION_PROOF_MAX = 2 * SHA256_LEN + 1 };

struct session { bool may_act; int64_t end_ms; uint8_t nonce[SESSION_NONCE]; };	/* Unix time */

void session_write(const struct session *s, const char *token, char out[SESSION_MAX]);
/* The cookie named `name` in a Cookie header.  false: there is none, it is not ours, or it is over; header may be NULL. */
bool session_read(struct session *s, const char *token, const char *header, const char *name, int64_t now_ms);
/* What the page shows in a header with what it changes: another page cannot know it. */
void session_proof(const struct session *s, const char *token, char out[SESSION_PROOF_MAX]);
bool session_proof_is_good(const struct session *s, const char *token, const char *proof);	/* proof may be NULL */

/* Host of a request or of its Origin, with or without port: 127.0.0.0/8, [::1], localhost. */
bool host_is_loopback(const char *host);
bool origin_is_own(const char *origin, const char *host);	/* http:// and a loopback host, the same; either may be NULL */

#endif
