/*
 * guard - what webhooks have taught of a recipient (flow/user.h), held against a message at the moment it would go (src/lua/admit.lua):
 * the 24-hour window, and marketing messages that its recipient does not want.
 *
 * What is not known keeps nothing back: where no webhooks are taken, or none came of the number for long enough, all goes.  A message
 * whose window is closed may name a template that goes in its place: then the sender makes it ready and asks again.
 */
#ifndef FLOW_GUARD_H
#define FLOW_GUARD_H

#include "flow/delivery.h"

/* For admit.lua: "" (off), "warn" or "refuse". */
const char *guard_window(const struct delivery *d);
const char *guard_opt_out(const struct delivery *d);
bool guard_has_fallback(const struct delivery *d);

/* What admit.lua says of a message that goes, or went: any of outside_window, opted_out and fallback.  is_news: counted and told. */
void guard_says(struct delivery *d, const char *said, bool is_news);

/* For its events: what was warned of, or NULL; it went as a template in place of what it is. */
const char *guard_warning(const struct delivery *d);
bool guard_sent_fallback(const struct delivery *d);

/* Why it is refused, for people; NULL: the reason is none of a guard's. */
const char *guard_refusal(const char *reason);

#endif
