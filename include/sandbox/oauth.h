/* oauth - debug_token, the exchange of a token for a younger one, and revoking. */
#ifndef SANDBOX_OAUTH_H
#define SANDBOX_OAUTH_H

struct call;

void oauth_debug_token(struct call *c);
void oauth_exchange(struct call *c);
void oauth_revoke(struct call *c);

#endif
