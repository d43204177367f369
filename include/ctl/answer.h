/* answer - what stands in an answer of the daemon, as wamctl prints it. */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

#include <jansson.h>

#include "base/base.h"

const char *answer_text(const json_t *o, const char *key);	/* "-": absent, or no text */
long long answer_number(const json_t *o, const char *key);	/* 0: absent, or no whole number */
bool answer_flag(const json_t *o, const char *key);
void answer_age(long long s, char out[32]);			/* "90s" "59m" */

#endif
