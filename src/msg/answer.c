#include "msg/answer.h"

#include <limits.h>

#include "msg/json.h"

enum { MAX = INT_MAX /* of the table */, REGAIN_MINUTES_MAX = 1440 };

static const struct known { int code; enum outcome outcome; enum scope scope; enum reaction reaction; int retries; } known[] = {
#define GRAPH_ERROR(code, class, scope, reaction, retries, meaning) \
	{ code, OUTCOME_##class, SCOPE_##scope, REACTION_##reaction, retries },
#include "tbl/graph_errors.h"
#undef GRAPH_ERROR
};

/* NULL: not in the table.  0 is what errors without a code have, too: it means what the table says with 401 only. */
static const struct known *find(int http, int code)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].code == code && (code != 0 || http == 401))
			return &known[i];
	return NULL;
}

static bool is_permission(int code)
{
	return code >= 200 && code <= 299;
}

enum outcome graph_error_class(const struct error_classes *own, int http, int code, bool transient)
{
	const struct error_class *mine = own ? error_classes_find(own, code) : NULL;
	const struct known *k = find(http, code);

	if (mine)
		return mine->outcome;
	if (k)
		return k->outcome;
	if (http == 429)
		return OUTCOME_THROTTLED;
	if (transient)
		return OUTCOME_SERVER;
	if (http == 401 || is_permission(code))
		return OUTCOME_HELD;
	if (http >= 500)
		return OUTCOME_SERVER;
	return OUTCOME_REFUSED;
}

enum scope graph_error_scope(int http, int code)
{
	const struct known *k = find(http, code);

	return k ? k->scope : is_permission(code) ? SCOPE_TENANT : SCOPE_NONE;
}

/* Graph may repeat the recipient's number, and this text goes to logs: of seven digits or more in a row the last two stay. */
static void mask_numbers(char *text)
{
	for (char *p = text; *p; ) {
		size_t digits = strspn(p, "0123456789");

		if (digits >= 7)
			memset(p, '*', digits - 2);
		p += digits ? digits : 1;
	}
}

/* Cut between characters: half a character cannot be told in JSON. */
static void set_text(struct answer *a, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n >= sizeof(a->text))
		for (n = sizeof(a->text) - 1; n && ((uint8_t)text[n] & 0xc0) == 0x80; )
			n--;
	memcpy(a->text, text ? text : "", n);
	a->text[n] = 0;
	mask_numbers(a->text);
}

/* 0 for what is no number or no int: no code of Graph's. */
static int number(const json_t *error, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(error, key));

	return v < INT_MIN || v > INT_MAX ? 0 : (int)v;
}

/*
 * Meta's "Rate limits": X-Business-Use-Case-Usage is {"<id>":[{"estimated_time_to_regain_access":MINUTES,…},…],…}.
 * The longest of them in ms, 0: none.
 */
int64_t answer_regain_ms(const char *usage)
{
	json_t *root = usage && *usage ? json_loads(usage, 0, NULL) : NULL;
	const json_t *list, *one;
	const char *id;
	int64_t longest = 0;
	size_t i;

	json_object_foreach(root, id, list) {
		json_array_foreach(list, i, one) {
			int minutes = number(one, "estimated_time_to_regain_access");

			if (minutes > longest && minutes <= REGAIN_MINUTES_MAX)
				longest = minutes;
		}
	}
	json_decref(root);
	return longest * 60000;
}

static void judge(struct answer *a, const struct error_classes *own, int code, bool transient)
{
	const struct known *k = find(a->http, code);

	a->has_code = true;
	a->code = code;
	a->scope = graph_error_scope(a->http, code);
	a->outcome = graph_error_class(own, a->http, code, transient);
	a->reaction = k ? k->reaction : a->outcome == OUTCOME_THROTTLED ? REACTION_SLOW : REACTION_NOTHING;
	a->retries_max = k ? k->retries : INT_MAX;
}

static void read_error(struct answer *a, const struct error_classes *own, const json_t *error, const char *usage)
{
	const json_t *data = json_object_get(error, "error_data");
	const char *details = json_text(data, "details");
	int64_t regain;

	judge(a, own, number(error, "code"), json_is_true(json_object_get(error, "is_transient")));
	a->subcode = number(error, "error_subcode");
	set_text(a, details ? details : json_text(error, "message"));
	regain = a->outcome == OUTCOME_THROTTLED ? answer_regain_ms(usage) : 0;
	if (regain && regain > a->retry_after_ms)
		a->retry_after_ms = regain;
}

void answer_read(struct answer *a, const struct error_classes *own, long http, const char *body, size_t len, int64_t retry_after_s,
		 const char *usage)
{
	json_t *root = NULL;
	const json_t *error;
	const char *wamid;
	bool is_json = json_parse(body, len, &root, NULL) == JSON_OK;

	*a = (struct answer){ .http = (int)http, .retry_after_ms = retry_after_s < 0 ? -1 : retry_after_s * 1000, .retries_max = INT_MAX };
	error = json_object_get(root, "error");
	wamid = json_text(json_array_get(json_object_get(root, "messages"), 0), "id");
	if (http >= 200 && http < 300 && wamid && *wamid && strlen(wamid) <= WAMID_MAX) {
		a->outcome = OUTCOME_SENT;
		memcpy(a->wamid, wamid, strlen(wamid) + 1);
	} else if (http == 502 || http == 504) {
		a->outcome = OUTCOME_UNKNOWN;	/* a gateway gave up: what stands behind it may have accepted */
		set_text(a, "bad gateway or gateway time-out");
	} else if (http < 200 || (http >= 300 && http < 400)) {
		a->outcome = OUTCOME_UNKNOWN;	/* never followed, and whoever says it: not Graph */
		set_text(a, "a redirect or another answer that Graph does not give");
	} else if (json_is_object(error)) {
		read_error(a, own, error, usage);
	} else if (http >= 400 && http < 500 && http != 408) {
		/* The edge refused it before Graph saw it, or Graph without its envelope: nothing was accepted. */
		a->reaction = http == 429 ? REACTION_SLOW : REACTION_NOTHING;
		a->outcome = http == 429 ? OUTCOME_THROTTLED : http == 401 ? OUTCOME_HELD : OUTCOME_SERVER;
		set_text(a, "4xx without a Graph error object");
	} else {
		a->outcome = OUTCOME_UNKNOWN;
		set_text(a, is_json ? "an answer without messages[0].id and without error" : "an answer that is not JSON");
	}
	json_decref(root);
}

void answer_of_webhook(struct answer *a, const struct error_classes *own, int code, const char *text)
{
	*a = (struct answer){ .retry_after_ms = -1 };
	judge(a, own, code, false);
	set_text(a, text ? text : "failed, and no error is named");
}

bool answer_doubts_template(const struct answer *a)
{
	static const int codes[] = { 132000, 132001, 132012, 132015, 132016, 132018 };

	for (size_t i = 0; a->has_code && i < ARRAY_LEN(codes); i++)
		if (a->code == codes[i])
			return true;
	return false;
}

void answer_read_success(struct answer *a, const char *body, size_t len)
{
	json_t *root = NULL;

	if (a->outcome != OUTCOME_UNKNOWN || a->http < 200 || a->http >= 300)
		return;
	if (json_parse(body, len, &root, NULL) == JSON_OK && json_is_true(json_object_get(root, "success"))) {
		a->outcome = OUTCOME_SENT;
		a->text[0] = 0;
	}
	json_decref(root);
}

void answer_lost(struct answer *a, bool body_was_read, const char *why)
{
	*a = (struct answer){ .outcome = body_was_read ? OUTCOME_UNKNOWN : OUTCOME_NOT_SENT, .retry_after_ms = -1, .retries_max = INT_MAX };
	set_text(a, why);
}
