/* check - what a configuration must satisfy beyond its own syntax: the addresses that io has to understand. */
#ifndef ROLE_CHECK_H
#define ROLE_CHECK_H

#include "conf/conf.h"

/* conf_load() and these checks together; NULL with the reason in why. */
struct conf *check_load(const char *file, struct strbuf *why) MUST_CHECK;

#endif
