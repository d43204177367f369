#include "sandbox/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "sandbox/rules.h"

enum kind { TEXT, BOOL, DIGITS, URL, NUMBER, INTEGER, WAMID, DATE, ANY_OBJECT, OTHERS, ONE_OF, OBJECT, LIST };
enum need { MAY, MUST };

struct field {
	enum shape of;
	const char *member;
	enum kind kind;
	enum need need;
	int64_t min, max;
	const char *words;
	enum shape part;
};

/* A shape opens a group of rows; the rows themselves do not repeat its name. */
static struct field fields[] = {
#define SHAPE(ident, rule) { .of = SHAPE_##ident, .member = NULL },
#define FIELD(name, what, need_, lo, hi) { .member = name, .kind = what, .need = need_, .min = lo, .max = hi },
#define WORDS(name, need_, list) { .member = name, .kind = ONE_OF, .need = need_, .words = list },
#define PART(name, what, need_, lo, hi, shape) { .member = name, .kind = what, .need = need_, .min = lo, .max = hi, .part = SHAPE_##shape },
#include "sandbox/tbl_fields.h"
#undef SHAPE
#undef FIELD
#undef WORDS
#undef PART
};

static struct { const struct field *first; size_t n; bool others; rule_f *rule; } shapes[SHAPES] = {
#define SHAPE(ident, check) [SHAPE_##ident] = { .rule = (check) },
#define FIELD(...)
#define WORDS(...)
#define PART(...)
#include "sandbox/tbl_fields.h"
#undef SHAPE
#undef FIELD
#undef WORDS
#undef PART
};

void validate_setup(void)
{
	enum shape now = SHAPE_NONE;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!fields[i].member) {
			now = fields[i].of;
			shapes[now].first = &fields[i + 1];
			shapes[now].n = 0;
			continue;
		}
		fields[i].of = now;
		shapes[now].n++;
		shapes[now].others = shapes[now].others || fields[i].kind == OTHERS;
	}
}

/* ---- saying what is wrong ---- */

static void print_place(struct strbuf *sb, const struct place *at)	/* NULL: the body itself */
{
	if (!at)
		return;
	print_place(sb, at->up);
	if (!at->name)
		strbuf_addf(sb, "[%zu]", at->index);
	else
		strbuf_addf(sb, at->up ? "['%s']" : "%s", at->name);
}

int validate_fail(struct graph_error *e, int code, const struct place *at, const char *member, const char *what)
{
	struct strbuf where = STRBUF_INIT;
	struct place here = { at, member, 0 };

	print_place(&where, member ? &here : at);
	graph_error_set(e, code, "Param %s %s", where.buf, what);
	strbuf_release(&where);
	return -1;
}

static int fail_at(struct graph_error *e, int code, const struct place *at, const char *what)
{
	return validate_fail(e, code, at, NULL, what);
}

/* Meta has two tongues: interactive payloads complain about lengths with 131009, everything else with 100. */
static int length_code(const struct place *at)
{
	while (at->up)
		at = at->up;
	return at->name && strcmp(at->name, "interactive") == 0 ? 131009 : 100;
}

static int fail_length(struct graph_error *e, const struct place *at, const struct field *f, bool too_long)
{
	char what[96];

	snprintf(what, sizeof(what), too_long ? "must be at most %lld characters long." : "must be at least %lld characters long.",
		 (long long)(too_long ? f->max : f->min));
	return fail_at(e, length_code(at), at, what);
}

/* ---- one value ---- */

static int check_text(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	size_t n;

	if (!json_is_string(v))
		return fail_at(e, 100, at, "must be a string.");
	n = utf8_count(json_string_value(v), json_string_length(v));
	if ((int64_t)n < f->min)
		return fail_length(e, at, f, false);
	if (f->max && (int64_t)n > f->max)
		return fail_length(e, at, f, true);
	return 0;
}

static int check_digits(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	if (json_is_integer(v) && json_integer_value(v) > 0)
		return 0;
	if (check_text(f, v, at, e) < 0)
		return -1;
	return str_is_digits(json_string_value(v)) ? 0 : fail_at(e, 131009, at, "is not a valid id.");
}

static int check_url(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	const char *s, *host;

	if (check_text(f, v, at, e) < 0)
		return -1;
	s = json_string_value(v);
	host = strncasecmp(s, "https://", 8) == 0 ? s + 8 : strncasecmp(s, "http://", 7) == 0 ? s + 7 : NULL;
	if (!host || !strcspn(host, "/?#:") || strpbrk(s, " \t\r\n"))
		return fail_at(e, 131009, at, "is not a valid URI.");
	return 0;
}

/* Meta's own examples have coordinates as numbers and as strings. */
static int number_of(const json_t *v, double *out)
{
	const char *s = json_string_value(v);
	char *end;

	if (json_is_number(v)) {
		*out = json_number_value(v);
		return 0;
	}
	if (!s || !*s || strspn(s, "+-.0123456789eE") != strlen(s))
		return -1;
	*out = strtod(s, &end);
	return *end ? -1 : 0;
}

static int check_number(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	double x;

	if (number_of(v, &x) < 0 || !isfinite(x))
		return fail_at(e, 100, at, "must be a number.");
	if (f->kind == INTEGER && x != floor(x))
		return fail_at(e, 100, at, "must be an integer.");
	if ((f->min || f->max) && (x < (double)f->min || (f->max && x > (double)f->max)))
		return fail_at(e, 131009, at, "is out of range.");
	return 0;
}

static int check_wamid(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	if (check_text(f, v, at, e) < 0)
		return -1;
	return str_starts(json_string_value(v), "wamid.") ? 0 : fail_at(e, 131009, at, "is not a valid message id.");
}

static int check_date(const json_t *v, const struct place *at, struct graph_error *e)
{
	const char *s = json_string_value(v), *shape = "dddd-dd-dd";
	size_t i = 0;

	while (s && shape[i] && (shape[i] == 'd' ? s[i] >= '0' && s[i] <= '9' : s[i] == shape[i]))
		i++;
	if (!s || shape[i] || s[i])
		return fail_at(e, 131009, at, "must be a date as YYYY-MM-DD.");
	return 0;
}

static int check_word(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	const char *s = json_string_value(v);
	struct strbuf what = STRBUF_INIT;
	int err;

	for (const char *p = f->words; s && *s; p++) {
		size_t n = strcspn(p, "|");
		if (strlen(s) == n && strncasecmp(p, s, n) == 0)
			return 0;
		p += n;
		if (!*p)
			break;
	}
	strbuf_setf(&what, "must be one of {%s}.", f->words);
	err = fail_at(e, 100, at, what.buf);
	strbuf_release(&what);
	return err;
}

static int check_list(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	char what[96];

	if (!json_is_array(v))
		return fail_at(e, 100, at, "must be an array.");
	if ((int64_t)json_array_size(v) < f->min || (f->max && (int64_t)json_array_size(v) > f->max)) {
		snprintf(what, sizeof(what), "must have between %lld and %lld elements.", (long long)f->min, (long long)f->max);
		return fail_at(e, length_code(at), at, what);
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		struct place here = { at, NULL, i };
		if (validate_shape(f->part, json_array_get(v, i), &here, e) < 0)
			return -1;
	}
	return 0;
}

static int check_value(const struct field *f, const json_t *v, const struct place *at, struct graph_error *e)
{
	switch (f->kind) {
	case TEXT:       return check_text(f, v, at, e);
	case BOOL:       return json_is_boolean(v) ? 0 : fail_at(e, 100, at, "must be a boolean.");
	case DIGITS:     return check_digits(f, v, at, e);
	case URL:        return check_url(f, v, at, e);
	case NUMBER:
	case INTEGER:    return check_number(f, v, at, e);
	case WAMID:      return check_wamid(f, v, at, e);
	case DATE:       return check_date(v, at, e);
	case ANY_OBJECT: return json_is_object(v) ? 0 : fail_at(e, 100, at, "must be a JSON object.");
	case OTHERS:     return 0;
	case ONE_OF:     return check_word(f, v, at, e);
	case OBJECT:     return validate_shape(f->part, v, at, e);
	case LIST:       return check_list(f, v, at, e);
	}
	BUG("kind %d", (int)f->kind);
}

/* ---- one object ---- */

static const struct field *find_field(enum shape shape, const char *name)
{
	for (size_t i = 0; i < shapes[shape].n; i++)
		if (strcmp(shapes[shape].first[i].member, name) == 0)
			return &shapes[shape].first[i];
	return NULL;
}

static int fail_unexpected(enum shape shape, const json_t *o, const struct place *at, struct graph_error *e)
{
	struct strbuf where = STRBUF_INIT;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, name, v) {
		if (find_field(shape, name))
			continue;
		print_place(&where, at);
		graph_error_set(e, 100, "Unexpected key \"%s\" on param \"%s\".", name, where.buf);
		strbuf_release(&where);
		return -1;
	}
	return 0;
}

static int check_member(const struct field *f, const json_t *v, const struct place *up, struct graph_error *e)
{
	struct place here = { up, f->member, 0 };

	if (v && !json_is_null(v))
		return check_value(f, v, &here, e);
	if (f->need == MAY)
		return 0;
	if (!up) {
		graph_error_set(e, 100, "The parameter %s is required.", f->member);
		return -1;
	}
	return fail_at(e, 131008, &here, "is required.");
}

int validate_shape(enum shape shape, const json_t *o, const struct place *at, struct graph_error *e)
{
	size_t known = 0;

	if (!json_is_object(o))
		return fail_at(e, 100, at, "must be a JSON object.");
	for (size_t i = 0; i < shapes[shape].n; i++) {
		const struct field *f = &shapes[shape].first[i];
		const json_t *v = json_object_get(o, f->member);
		known += v != NULL;
		if (check_member(f, v, at, e) < 0)
			return -1;
	}
	if (known < json_object_size(o) && !shapes[shape].others && fail_unexpected(shape, o, at, e) < 0)
		return -1;
	return shapes[shape].rule(o, at, e);
}

/* ---- a whole message ---- */

static const struct message_type { const char *name; enum shape shape; bool list; int64_t most; } types[] = {
#define MESSAGE_TYPE(name, shape, list, most) { name, SHAPE_##shape, list, most },
#include "sandbox/tbl_types.h"
#undef MESSAGE_TYPE
};

static const struct message_type *find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* What the ledger and the fault rules want to know, also of bodies that will be refused. */
static void learn(const json_t *body, struct message_facts *f)
{
	const char *type = text_of(body, "type");
	const json_t *text = json_object_get(json_object_get(body, "text"), "body");
	const struct message_type *known = find_type(*type ? type : "text");

	f->receipt = json_object_get(body, "status") != NULL;
	f->to = *text_of(body, "to") ? text_of(body, "to") : text_of(body, "recipient");
	f->callback = text_of(body, "biz_opaque_callback_data");
	f->type = f->receipt ? "read" : known ? known->name : "";
	f->text = json_string_value(text);
	f->text_len = f->text ? json_string_length(text) : 0;
	f->payload = known ? json_object_get(body, known->name) : NULL;
}

static int check_recipient(const json_t *body, struct message_facts *f, struct graph_error *e)
{
	const char *to = json_string_value(json_object_get(body, "to"));
	bool group = strcasecmp(text_of(body, "recipient_type"), "group") == 0;

	if (!*f->to) {
		graph_error_set(e, 100, "The parameter to is required.");
		return -1;
	}
	if (!to)
		recipient_bsuid(&f->recipient, f->to, strlen(f->to));
	else if (group)
		recipient_group(&f->recipient, to, strlen(to));
	else
		recipient_phone(&f->recipient, to, strlen(to));
	if (f->recipient.kind == RECIPIENT_BAD)
		return validate_fail(e, 131009, NULL, to ? "to" : "recipient", "is not a valid recipient.");
	return 0;
}

static int check_payload(const json_t *body, const struct message_facts *f, struct graph_error *e)
{
	const struct message_type *t = find_type(*f->type ? f->type : text_of(body, "type"));
	struct field as_list = { .kind = LIST, .min = 1 };
	struct place here = { NULL, t ? t->name : NULL, 0 };
	static const char names[] = "must be one of {"
#define MESSAGE_TYPE(name, shape, list, most) " " name
#include "sandbox/tbl_types.h"
#undef MESSAGE_TYPE
		" }.";

	if (!t)
		return validate_fail(e, 100, NULL, "type", names);
	if (!f->payload || json_is_null(f->payload)) {
		graph_error_set(e, 131008, "Parameter '%s' is mandatory for type '%s'", t->name, t->name);
		return -1;
	}
	if (!t->list)
		return validate_shape(t->shape, f->payload, &here, e);
	as_list.part = t->shape;
	as_list.max = t->most;
	return check_list(&as_list, f->payload, &here, e);
}

int validate_message(const json_t *body, struct message_facts *f, struct graph_error *e)
{
	*f = (struct message_facts){ .to = "", .type = "", .callback = "" };
	if (!json_is_object(body)) {
		graph_error_set(e, 100, "The request body must be a JSON object.");
		return -1;
	}
	learn(body, f);
	if (f->receipt)
		return validate_shape(SHAPE_RECEIPT, body, NULL, e);
	if (validate_shape(SHAPE_FRAME, body, NULL, e) < 0 || check_recipient(body, f, e) < 0)
		return -1;
	return check_payload(body, f, e);
}
