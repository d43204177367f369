/* control - the handlers below /_sandbox: what a test asks, and what it orders.  No authentication: loopback only. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include <jansson.h>

struct call;
struct strbuf;

void control_ledger(struct call *c);
void control_stats(struct call *c);
void control_reset(struct call *c);
void control_rate(struct call *c);
void control_faults_list(struct call *c);
void control_faults_add(struct call *c);
void control_faults_clear(struct call *c);
void control_templates_add(struct call *c);
void control_templates_change(struct call *c);
void control_templates_clear(struct call *c);
void control_templates_list(struct call *c);
void control_media_order(struct call *c);
void control_media_list(struct call *c);
void control_media_clear(struct call *c);
void control_tokens(struct call *c);
void control_nodes(struct call *c);
void control_limit(struct call *c);
void control_webhooks(struct call *c);
void control_webhooks_clear(struct call *c);
void control_webhooks_send(struct call *c);
void control_webhooks_inbound(struct call *c);
void control_webhooks_field(struct call *c);
void control_tenant_calls(struct call *c);
void control_tenant_put(struct call *c);
void control_tenant_patch(struct call *c);
void control_tenant_delete(struct call *c);
void control_account_delete(struct call *c);

/* For the files beside control.c: the body is an order in JSON. */
typedef int control_order_f(struct call *c, const json_t *o, struct strbuf *why);
void control_obey(struct call *c, control_order_f *f);
/* {"ok":true}, or 400 with the reason; releases why. */
void control_answer(struct call *c, int err, struct strbuf *why);

#endif
