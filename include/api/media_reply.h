/* media_reply - what src/api/media*.c tell of files; private to src/api. */
#ifndef API_MEDIA_REPLY_H
#define API_MEDIA_REPLY_H

#include "api/handlers.h"

int media_status(enum spool_word word, const char *why);	/* HTTP's; what is wrong with this machine is logged */
void reply_spool_problem(struct http_call *c, enum spool_word word, const char *why);
void media_put_file(json_t *o, const struct tenant *t, const struct spool_file *f);
void media_tell_operator(struct http_call *c, const char *command, const char *tenant, const char *sha);

#endif
