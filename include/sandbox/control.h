/* control - the handlers below /_sandbox: what a test asks, and what it orders.  No authentication: loopback only. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

struct call;

void control_ledger(struct call *c);
void control_stats(struct call *c);
void control_reset(struct call *c);
void control_rate(struct call *c);
void control_faults_list(struct call *c);
void control_faults_add(struct call *c);
void control_faults_clear(struct call *c);
void control_templates_add(struct call *c);
void control_templates_clear(struct call *c);

#endif
