/* messages - POST /{version}/{phone-number-id}/messages. */
#ifndef SANDBOX_MESSAGES_H
#define SANDBOX_MESSAGES_H

struct call;

void messages_post(struct call *c);

#endif
