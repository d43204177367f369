#include "flow/ticket.h"

#include "base/clock.h"
#include "msg/ticket.h"

int ticket_publish(struct broker *b, const struct conf *c, const struct account *a, broker_fate_f *done, void *arg)
{
	struct ticket t = { .tenant_id = a->tenant->id, .account_id = a->id, .phone_number_id = a->phone_number_id, .at_ms = wall_ms() };
	struct strbuf body = STRBUF_INIT;
	int err;

	ticket_format(&t, &body);
	err = broker_publish(b, &(struct broker_publish){
		.exchange = "", .routing_key = c->amqp_lanes, .mandatory = true, .body = body.buf, .len = body.len,
		.props = { .content_type = BROKER_TEXT("application/json"), .priority = -1, .persistent = true,
			   .timestamp_s = t.at_ms / 1000 },
		.done = done, .arg = arg });
	strbuf_release(&body);
	return err;
}
