#include "api/letter.h"

#include <time.h>

enum { ATTEMPTS_MAX = 255 };	/* one byte of the callback token */

static const char *const options[] = { "tenant", "account", "reason", "id", "code" };
static const char *const fields[] = { "tenant_id", "account_id", "reason", "id", "code" };
static const char *const skip_names[] = { "unknown_outcome", "no_message", "replay_limit" };

const char *letter_option(int field)
{
	return options[field];
}

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

static bool field_fits(const json_t *letter, int field, const struct letter_filter *f)
{
	const char *has = json_text(letter, fields[field]);

	if (field == LETTER_CODE)
		return json_integer_value(json_object_get(letter, "code")) == f->code;
	return has && !strcmp(has, f->text[field]);
}

bool letter_fits(const json_t *letter, const struct letter_filter *f)
{
	for (int i = 0; i < LETTER_FIELDS; i++)
		if (f->text[i] && !field_fits(letter, i, f))
			return false;
	return true;
}

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
