#include "msg/state_steps.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "conf/tenants.h"

static const enum message_status way[STATE_STEPS_MAX] = {
	MESSAGE_STATUS_ACCEPTED, MESSAGE_STATUS_SENT, MESSAGE_STATUS_DELIVERED, MESSAGE_STATUS_READ,
};

static int fail(const struct state_told *told, struct state_told *steps)
{
	int n = 0;

	if (message_status_rank(told->status) >= message_status_rank(MESSAGE_STATUS_DELIVERED))
		return 0;
	if (told->status == MESSAGE_STATUS_OTHER)
		steps[n++].status = MESSAGE_STATUS_ACCEPTED;
	steps[n++].status = MESSAGE_STATUS_FAILED;
	return n;
}

static int advance(const struct state_told *told, enum message_status goal, struct state_told *steps)
{
	int from = message_status_rank(told->status), to = message_status_rank(goal), n = 0;

	for (size_t i = 0; i < ARRAY_LEN(way); i++)
		if (message_status_rank(way[i]) > from && message_status_rank(way[i]) <= to)
			steps[n++].status = way[i];
	return n;
}

int state_steps(const struct state_told *told, enum message_status event, int64_t at_ms, struct state_told steps[STATE_STEPS_MAX])
{
	int64_t first;
	int n;

	if (told->status == MESSAGE_STATUS_FAILED || event == MESSAGE_STATUS_OTHER)
		return 0;
	n = event == MESSAGE_STATUS_FAILED ? fail(told, steps) : advance(told, event, steps);
	first = at_ms - n + 1 > told->at_ms ? at_ms - n + 1 : told->at_ms + 1;
	for (int i = 0; i < n; i++)
		steps[i].at_ms = first + i;
	return n;
}

enum state_event_kind state_event_read(struct state_event *e, const void *body, size_t len, struct strbuf *why)
{
	const char *timestamp, *status;

	*e = (struct state_event){ .status = MESSAGE_STATUS_OTHER };
	if (!body)
		why_write(why, "too large");
	if (!body || json_parse(body, len, &e->json, why) != JSON_OK)
		return STATE_EVENT_STRANGE;
	e->tenant_id = json_text(e->json, "tenant_id");
	e->id = json_text(e->json, "id");
	e->wamid = json_text(e->json, "wamid");
	status = json_text(e->json, "status");
	timestamp = json_text(e->json, "timestamp");
	e->status = message_status_of(status);
	if (!e->tenant_id || !tenant_name_is_good(e->tenant_id) || !status) {
		why_write(why, "tenant_id or status: absent, or not what it must be");
		return STATE_EVENT_STRANGE;
	}
	if (!e->wamid || e->status == MESSAGE_STATUS_OTHER)
		return STATE_EVENT_NOTHING;
	if (!*e->wamid || strlen(e->wamid) > STATE_WAMID_MAX || !e->id || !*e->id) {
		why_write(why, "wamid or id: absent, or too long");
		return STATE_EVENT_STRANGE;
	}
	if (!timestamp || parse_time_ms(timestamp, &e->at_ms) < 0)
		e->at_ms = wall_ms();	/* Meta did not say when */
	return STATE_EVENT_NEWS;
}

void state_event_release(struct state_event *e)
{
	json_decref(e->json);
	e->json = NULL;
}

void state_told_format(const struct state_told *t, char out[STATE_TOLD_TEXT_MAX])
{
	snprintf(out, STATE_TOLD_TEXT_MAX, "%s %" PRId64, message_status_word(t->status), t->at_ms);
}

int state_told_parse(struct state_told *t, const char *text)
{
	size_t n = strcspn(text, " ");
	char word[16];

	snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n : sizeof(word)), text);
	t->status = message_status_of(word);
	if (t->status == MESSAGE_STATUS_OTHER || !text[n] || parse_i64(text + n + 1, &t->at_ms) < 0)
		return -1;
	return 0;
}
