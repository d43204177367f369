#include "api/letter.h"

#include <time.h>

#include "base/mem.h"
#include "base/str.h"

enum { ATTEMPTS_MAX = 255 };	/* one byte of the callback token */

static const char *const skip_names[] = { "unknown_outcome", "no_message", "replay_limit" };

const char *letter_skip_name(enum letter_skip why)
{
	return skip_names[why];
}

/* "2026-11-23T05:42:01.123Z", as format_utc_ms writes it. */
int64_t letter_died_ms(const json_t *letter)
{
	const char *text = json_text(letter, "died_at");
	struct tm tm = { 0 };
	const char *p = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!p || strlen(p) != 5 || p[0] != '.' || p[4] != 'Z' || strspn(p + 1, "0123456789") != 3)
		return 0;
	return (int64_t)timegm(&tm) * 1000 + (p[1] - '0') * 100 + (p[2] - '0') * 10 + p[3] - '0';
}

/* ---- filters ---- */

static bool has_text(const json_t *o, const char *member, const char *wanted)
{
	const char *has = json_text(o, member);

	return has && !strcmp(has, wanted);
}

static bool tenant_fits(const json_t *letter, const struct letter_filter *f)
{
	return has_text(letter, "tenant_id", f->text[LETTER_TENANT]);
}

static bool account_fits(const json_t *letter, const struct letter_filter *f)
{
	return has_text(letter, "account_id", f->text[LETTER_ACCOUNT]);
}

static bool reason_fits(const json_t *letter, const struct letter_filter *f)
{
	return has_text(letter, "reason", f->text[LETTER_REASON]);
}

static bool id_fits(const json_t *letter, const struct letter_filter *f)
{
	return has_text(letter, "id", f->text[LETTER_ID]);
}

static bool code_fits(const json_t *letter, const struct letter_filter *f)
{
	return json_integer_value(json_object_get(letter, "code")) == f->number[LETTER_CODE];
}

static bool template_fits(const json_t *letter, const struct letter_filter *f)
{
	const json_t *message = json_object_get(letter, "message"), *waba = json_object_get(message, "wabaPayload");

	return has_text(json_object_get(waba ? waba : message, "template"), "name", f->text[LETTER_TEMPLATE]);
}

static bool is_old_enough(const json_t *letter, const struct letter_filter *f)
{
	int64_t died_ms = letter_died_ms(letter);

	return died_ms && died_ms <= f->number[LETTER_OLDER];
}

static bool is_new_enough(const json_t *letter, const struct letter_filter *f)
{
	int64_t died_ms = letter_died_ms(letter);

	return died_ms && died_ms > f->number[LETTER_NEWER];
}

static bool text_fits(const json_t *letter, const struct letter_filter *f)
{
	const json_t *message = json_object_get(letter, "message");
	struct strbuf text = STRBUF_INIT;
	bool fits;

	if (!message || json_is_null(message))
		return false;
	json_dump_to(message, JSON_COMPACT, &text);
	fits = strstr(text.buf, f->text[LETTER_TEXT]) != NULL;
	strbuf_release(&text);
	return fits;
}

static int number_of_code(const char *option, const char *text, int64_t *out, struct strbuf *why)
{
	if (parse_i64(text, out) == 0 && *out >= 1 && *out <= INT32_MAX)
		return 0;
	return why_set(why, "%s: found %s, allowed 1 to %d", option, text, INT32_MAX);
}

static int number_of_age(const char *option, const char *text, int64_t *out, struct strbuf *why)
{
	if (parse_msec(text, out) == 0)
		return 0;
	return why_set(why, "%s: found %s, allowed a duration such as 30s, 15m, 2h or 3d", option, *text ? text : "nothing");
}

static const struct {
	const char *option;
	bool (*fits)(const json_t *letter, const struct letter_filter *f);
	int (*number)(const char *option, const char *text, int64_t *out, struct strbuf *why);	/* NULL: any text */
} filters[LETTER_FIELDS] = {
	[LETTER_TENANT] = { "tenant", tenant_fits, NULL }, [LETTER_ACCOUNT] = { "account", account_fits, NULL },
	[LETTER_REASON] = { "reason", reason_fits, NULL }, [LETTER_ID] = { "id", id_fits, NULL },
	[LETTER_CODE] = { "code", code_fits, number_of_code }, [LETTER_TEMPLATE] = { "template", template_fits, NULL },
	[LETTER_OLDER] = { "older-than", is_old_enough, number_of_age },
	[LETTER_NEWER] = { "newer-than", is_new_enough, number_of_age },
	[LETTER_TEXT] = { "text", text_fits, NULL },
};

const char *letter_option(int field)
{
	return filters[field].option;
}

int letter_filter_set(struct letter_filter *f, int field, const char *text, int64_t now_ms, struct strbuf *why)
{
	const char *option = filters[field].option;
	int64_t number = 0;

	if (filters[field].number && filters[field].number(option, text, &number, why) < 0)
		return -1;
	if (field == LETTER_TEXT && !*text)	/* every message has it: what was meant as one word would drop them all */
		return why_set(why, "%s: found nothing, allowed one character or more", option);
	free(f->text[field]);
	f->text[field] = mem_strdup(text);
	f->number[field] = field == LETTER_OLDER || field == LETTER_NEWER ? now_ms - number : number;
	return 0;
}

void letter_filter_release(struct letter_filter *f)
{
	for (int i = 0; i < LETTER_FIELDS; i++)
		free(f->text[i]);
	*f = (struct letter_filter){ 0 };
}

bool letter_fits(const json_t *letter, const struct letter_filter *f)
{
	for (int i = 0; i < LETTER_FIELDS; i++)
		if (f->text[i] && !filters[i].fits(letter, f))
			return false;
	return true;
}

/* ---- replay and list ---- */

enum letter_skip letter_skip(const json_t *letter, bool may_duplicate, int64_t attempts_allowed)
{
	const char *reason = json_text(letter, "reason");
	int64_t attempts = json_integer_value(json_object_get(letter, "attempts"));

	if (!json_is_object(json_object_get(letter, "message")) || !reason || !letter_died_ms(letter))
		return SKIP_NO_MESSAGE;
	if (!strcmp(reason, "unknown_outcome") && !may_duplicate)
		return SKIP_UNKNOWN;
	return attempts < 0 || attempts > ATTEMPTS_MAX - attempts_allowed ? SKIP_LIMIT : SKIP_NOT;
}

json_t *letter_summary(const json_t *letter)
{
	json_t *o = json_is_object(letter) ? json_copy((json_t *)(uintptr_t)letter) : json_object();

	if (!json_is_object(letter))
		json_put_text(o, "reason", "unreadable");
	json_object_del(o, "message");
	json_object_del(o, "message_b64");
	return o;
}
