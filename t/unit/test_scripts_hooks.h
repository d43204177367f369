/* test_scripts_hooks - what webhooks tell, as the tests of status.lua and late.lua say it. */
#ifndef TEST_SCRIPTS_HOOKS_H
#define TEST_SCRIPTS_HOOKS_H

#include "test_scripts.h"

struct take { const char *status, *tenant, *wamid; int attempt; };

static inline void take(const struct take *a, struct strbuf *answer)
{
	const char *parts[] = { record, wamid_index, evidence, parked, usage, users, body, "take", a->wamid ? a->wamid : "W", a->status,
				a->tenant ? a->tenant : "t", text_of(a->attempt), "1764000010000", "131049", "K", text_of(RECORD_TTL),
				text_of(WAMID_TTL), "10000", "3600000", "{\"all\":1}", "86400000", "86400000" };

	run_script(SCRIPT_STATUS, parts, 7, (int)ARRAY_LEN(parts), answer);
}

static inline void told(const char *status, int attempt)
{
	struct strbuf answer = STRBUF_INIT;
	const char *parts[] = { record, wamid_index, evidence, parked, usage, users, body, "told", "W", status, text_of(attempt) };

	run_script(SCRIPT_STATUS, parts, 7, (int)ARRAY_LEN(parts), &answer);
	ck_assert_str_eq(answer.buf, "ok");
	strbuf_release(&answer);
}

struct late_fail { int n; const char *what, *hold, *carrier; bool slow; int64_t recipient_ms; };

static inline void late_fail(const struct late_fail *a, struct strbuf *answer)
{
	const char *parts[] = { record, body, holds, usage, account, recipient, "fail", text_of(a->n), a->what, strcmp(a->what, "dead") ? "" : "refused", "131049",
				"text", "{\"late\":1}", text_of(RECORD_TTL), text_of(TAIL), "10000", a->hold ? a->hold : "", "60000", "300000",
				"86400000", "1764000010000", a->carrier ? a->carrier : "here", a->slow ? "1" : "0",
				text_of(a->recipient_ms) };

	run_script(SCRIPT_LATE, parts, 6, (int)ARRAY_LEN(parts), answer);
}

static inline void late_keep(const char *sealed, struct strbuf *answer)
{
	const char *parts[] = { record, body, holds, usage, "keep", "2", sealed, "3600000" };

	run_script(SCRIPT_LATE, parts, 4, (int)ARRAY_LEN(parts), answer);
}

static inline bool has_body(void)
{
	return ask_number("EXISTS", body) == 1;
}

static inline void put_body(const char *text)
{
	freeReplyObject(ask((const char *[]){ "SET", body, text, "PX", "3600000" }, 5));
}

#endif
