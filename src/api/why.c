#include "api/why.h"

#include <inttypes.h>

#include "base/str.h"

static const char *field(const struct store_reply *r, const char *name)
{
	for (int i = 0; i + 1 < r->n; i += 2)
		if (r->v[i].s && !strcmp(r->v[i].s, name))
			return r->v[i + 1].s ? r->v[i + 1].s : "";
	return "";
}

static int64_t number(const struct store_reply *r, const char *name)
{
	int64_t v;

	return parse_i64(field(r, name), &v) < 0 ? 0 : v;
}

static void put_time(json_t *o, const char *key, int64_t ms)
{
	char text[32];

	if (!ms)
		return;
	format_utc_ms(ms, text);
	json_put_text(o, key, text);
}

static void sentence(const struct store_reply *r, int64_t now_ms, struct strbuf *out)
{
	const char *state = field(r, "s");
	int64_t n = number(r, "n"), left = number(r, "l") - now_ms;

	if (!strcmp(state, "sending") && left > 0)
		strbuf_addf(out, "attempt %" PRId64 " is being made by %s; its lease ends in %" PRId64 " ms", n, field(r, "o"), left);
	else if (!strcmp(state, "sending"))
		strbuf_addf(out, "attempt %" PRId64 " was begun by %s, which has not said what came of it and whose lease is over; "
			    "it becomes an unknown outcome when its copy comes back", n, field(r, "o"));
	else if (!strcmp(state, "unknown"))
		strbuf_addf(out, "nobody can tell yet whether Graph took attempt %" PRId64 "; it waits out message.unknown_timer, "
			    "then message.on_unknown decides", n);
	else if (!strcmp(state, "retry"))
		strbuf_addf(out, "attempt %" PRId64 " waits in a delay queue%s%s", n + 1,
			    *field(r, "e") ? "; the last answer was: " : "", field(r, "e"));
	else if (!strcmp(state, "sent"))
		strbuf_adds(out, "Graph accepted it; it waits for nothing");
	else if (!strcmp(state, "dead"))
		strbuf_addf(out, "it is in the dead-letter queue: %s", field(r, "r"));
	else if (!strcmp(state, "expired"))
		strbuf_adds(out, "it expired before it could be sent and is in the dead-letter queue");
	else
		strbuf_addf(out, "its record is in state %s", state);
}

json_t *why_of_record(const struct store_reply *r, int64_t now_ms)
{
	struct strbuf text = STRBUF_INIT;
	json_t *o = json_object(), *history;
	const char *code = field(r, "code");

	json_put_text(o, "id", field(r, "id"));
	json_put_text(o, "tenant_id", field(r, "te"));
	json_put_text(o, "account_id", field(r, "ac"));
	json_put_text(o, "state", field(r, "s"));
	json_put_int(o, "attempts", number(r, "n"));
	if (*field(r, "w"))
		json_put_text(o, "wamid", field(r, "w"));
	if (*field(r, "r"))
		json_put_text(o, "reason", field(r, "r"));
	if (*code && strcmp(code, "0"))
		json_put_int(o, "code", number(r, "code"));
	if (*field(r, "e"))
		json_put_text(o, "error", field(r, "e"));
	put_time(o, "first_seen", number(r, "t0"));
	put_time(o, "changed_at", number(r, "at"));
	put_time(o, "expires_at", number(r, "x"));
	strbuf_addf(&text, "[%s]", field(r, "h"));
	history = json_loadb(text.buf, text.len, 0, NULL);
	json_object_set_new_nocheck(o, "history", history ? history : json_array());
	strbuf_reset(&text);
	sentence(r, now_ms, &text);
	json_put_text(o, "why", text.buf);
	strbuf_release(&text);
	return o;
}
