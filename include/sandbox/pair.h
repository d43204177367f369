/*
 * pair - Meta's limit on one (number, recipient) pair: one message every six seconds, 45 of them may come at once.
 *
 * The borrowed burst has to be repaid, so this is GCRA with an interval of 6 s and a depth of 45.  One table for all pairs, keyed
 * by a hash; pairs that owe nothing are dropped when the table grows, so its size follows the pairs in use.
 */
#ifndef SANDBOX_PAIR_H
#define SANDBOX_PAIR_H

#include "base/base.h"

enum { PAIR_INTERVAL_US = 6000000, PAIR_BURST = 45 };

struct pairs;

struct pairs *pairs_new(void);
void pairs_free(struct pairs **pp);
void pairs_reset(struct pairs *p);
bool pairs_admit(struct pairs *p, const char *pnid, const char *recipient, int64_t now_us);

#endif
