#include "msg/ticket.h"

#include "base/str.h"
#include "msg/json.h"

enum { VERSION = 1 };

void ticket_format(const struct ticket *t, struct strbuf *out)
{
	json_t *o = json_object();
	char at[32];

	format_utc_ms(t->at_ms, at);
	json_put_int(o, "v", VERSION);
	json_put_text(o, "tenant_id", t->tenant_id);
	json_put_text(o, "account_id", t->account_id);
	json_put_text(o, "phone_number_id", t->phone_number_id);
	json_put_text(o, "at", at);
	json_dump_to(o, JSON_COMPACT, out);
	json_decref(o);
}

static int take(const json_t *o, const char *key, char out[TICKET_ID_MAX + 1])
{
	const char *text = json_text(o, key);
	size_t n = text ? strlen(text) : 0;

	if (!n || n > TICKET_ID_MAX)
		return -1;
	memcpy(out, text, n + 1);
	return 0;
}

enum ticket_verdict ticket_parse(struct ticket_read *t, const void *body, size_t len)
{
	enum ticket_verdict verdict = TICKET_GARBAGE;
	json_t *o = NULL;

	if (json_parse(body, len, &o, NULL) == JSON_OK) {
		json_int_t version = json_integer_value(json_object_get(o, "v"));

		if (version > VERSION)
			verdict = TICKET_NEWER;
		else if (version == VERSION && take(o, "tenant_id", t->tenant_id) == 0 && take(o, "account_id", t->account_id) == 0 &&
			 take(o, "phone_number_id", t->phone_number_id) == 0 && str_is_digits(t->phone_number_id))
			verdict = TICKET_READ;
	}
	json_decref(o);
	return verdict;
}
