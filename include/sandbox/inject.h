/* inject - carries out what faults.c ordered, at the head, in the body, or instead of a proper answer. */
#ifndef SANDBOX_INJECT_H
#define SANDBOX_INJECT_H

#include "base/base.h"

struct call;
struct fault_subject;
struct graph_error;

enum { INJECT_TEXT = 512 };	/* longer paths are matched by their start */

/* Where a subject's texts are kept while it is matched. */
struct inject_texts { char pnid[64], path[INJECT_TEXT]; };

void inject_subject(const struct call *c, struct inject_texts *texts, struct fault_subject *s);
void inject_at_head(struct call *c);	/* draws the rules that cut a request by its number alone */
void inject_at_body(struct call *c);	/* more of the body is in: cut now? */
void inject_cut_request(struct call *c);	/* as if the rest of the body had never come */
/* For all but sends: draws the call's fault; true: it has taken the handler's place. */
bool inject_instead(struct call *c);
int inject_html(struct call *c);	/* the page to c->out; the HTTP status */
void inject_nonsense(struct call *c);	/* FAULT_GARBAGE, FAULT_WRONG_SHAPE: to c->out */
void inject_error(const struct call *c, struct graph_error *e);	/* what FAULT_ERROR orders */
void inject_answer(struct call *c);	/* the answer is composed: delay, spoil or submit it */

#endif
