/* show - how wamctl prints each command's answer for people; returns the exit status. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "ctl/answer.h"

#define CTL(ident, ...) int show_##ident(const json_t *answer);
#include "tbl/ctl_commands.h"
#undef CTL

#endif
