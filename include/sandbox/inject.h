/* inject - carries out what faults.c ordered, at the head, in the body, or instead of a proper answer. */
#ifndef SANDBOX_INJECT_H
#define SANDBOX_INJECT_H

struct call;

void inject_at_head(struct call *c);	/* draws the rules that cut a request by its number alone */
void inject_at_body(struct call *c);	/* more of the body is in: cut now? */
void inject_cut_request(struct call *c);	/* as if the rest of the body had never come */
void inject_answer(struct call *c);	/* the answer is composed: delay, spoil or submit it */

#endif
