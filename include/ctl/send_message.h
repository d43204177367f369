/*
 * send_message - the message that the words of "wamctl send" mean; what is wrong with its content the daemon says.
 *
 * A file: the whole message, in either of its forms; what the command line says goes before what stands in it.
 */
#ifndef CTL_SEND_MESSAGE_H
#define CTL_SEND_MESSAGE_H

#include "ctl/command.h"
#include "base/strbuf.h"

struct sent_file { const char *ref, *kind, *name; };	/* of --media-file; name: "" none */

int send_message_check(const struct ctl_params *p, struct strbuf *why) MUST_CHECK;	/* do its options go together? */

/* The caller's (json_decref); NULL: why.  file: of --media-file, whole: what stands in --message-file, or NULL. */
json_t *send_message(const struct ctl_params *p, const struct sent_file *file, const struct strbuf *whole, struct strbuf *why);

#endif
