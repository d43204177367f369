/*
 * The messages of a tenant that Redis knows: its part of the id index, walked in bites (SCAN), each with its records.
 *
 * There is no index by state or time: a walk looks at the names of all keys, and each request at so many of them, then hands its place
 * out as a cursor.  What a cursor says is a place in Redis, not whose messages: these are the asking tenant's, whatever it says.
 */
#include <inttypes.h>

#include "api/look.h"
#include "api/v1_call.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"
#include "flow/mark.h"
#include "msg/recipient.h"

enum {
	LIMIT_DEFAULT = 100, LIMIT_MAX = 1000,
	BITE_MIN = 100, BITE_MAX = 1000,	/* names that Redis looks at in one command: a millisecond, hardly more */
	BITES_MAX = 50, WALK_MS = 1000,		/* of one request */
	CURSOR_LEN = 20,
};

/* LISTED(ident, name) */
#define STATES \
	LISTED(QUEUED, "queued") LISTED(CANCELLED, "cancelled") LISTED(SENDING, "sending") LISTED(RETRY, "retry") \
	LISTED(UNKNOWN, "unknown") LISTED(SENT, "sent") LISTED(DEAD, "dead") LISTED(EXPIRED, "expired")

enum state {
#define LISTED(ident, name) STATE_##ident,
	STATES
#undef LISTED
	N_STATES
};
static const char *const states[] = {
#define LISTED(ident, name) name,
	STATES
#undef LISTED
};

struct filter {
	unsigned states;		/* BIT(state) of those wanted */
	char account[TENANT_NAME_MAX + 1], who[WHO_LEN + 1];	/* "": any */
	const char *template;		/* NULL: any; the listing's */
	int64_t code, since_ms, until_ms;	/* 0: any; first seen */
};

struct listing {
	struct v1_call *q;
	struct filter filter;
	char *template;
	int limit, bite, n_bites;
	char cursor[CURSOR_LEN + 1];
	mono_t until;
	json_t *found;
	struct strbuf pattern;
	size_t prefix;			/* what stands before the id in a name of the index */
	char **ids;			/* of this bite; those with a record come first, as soon as that is known */
	int n_ids, n_asked, n_told;
	bool has_failed;
};

static void listing_free(struct listing *l)
{
	for (int i = 0; i < l->n_ids; i++)
		free(l->ids[i]);
	free(l->ids);
	free(l->template);
	strbuf_release(&l->pattern);
	json_decref(l->found);
	free(l);
}

/* ---- what is asked for ---- */

static int read_states(struct filter *f, const char *text, struct strbuf *why)
{
	f->states = text ? 0 : BIT(N_STATES) - 1;
	for (const char *p = text; p && *p; p += strspn(p, ",")) {
		size_t len = strcspn(p, ",");
		int s = 0;

		while (s < N_STATES && (strlen(states[s]) != len || strncmp(states[s], p, len)))
			s++;
		if (s == N_STATES)
			return why_set(why, "state: found \"%.*s\", allowed queued, cancelled, sending, retry, unknown, sent, dead, expired",
				       len < 32 ? (int)len : 32, p);
		f->states |= BIT(s);
		p += len;
	}
	return f->states ? 0 : why_set(why, "state: is empty");
}

static int read_time(const char *name, const char *text, int64_t *out, struct strbuf *why)
{
	int64_t ago;

	if (!text || parse_time_ms(text, out) == 0)
		return 0;
	if (parse_msec(text, &ago) == 0) {
		*out = wall_ms() - ago;
		return 0;
	}
	return why_set(why, "%s: found \"%.32s\", allowed a time as 2026-11-01T10:00:00Z, or 2h, so long ago", name, text);
}

static int read_number(const char *name, const char *text, int64_t max, int64_t *out, struct strbuf *why)
{
	if (!text || (parse_i64(text, out) == 0 && *out >= 1 && *out <= max))
		return 0;
	return why_set(why, "%s: found \"%.32s\", allowed 1 to %" PRId64, name, text, max);
}

/* A plus that is not encoded comes as a blank. */
static int read_recipient(struct listing *l, const char *text, struct strbuf *why)
{
	struct recipient r;
	char number[32];

	if (!text)
		return 0;
	snprintf(number, sizeof(number), "%s%s", *text == ' ' || (*text >= '0' && *text <= '9') ? "+" : "", *text == ' ' ? text + 1 : text);
	if ((*number == '+' ? recipient_from_phone(&r, number, NULL) : recipient_from_user_id(&r, number, NULL)) < 0)
		return why_set(why, "to: allowed E.164 such as +491511234567, or a user id");
	identity_who(l->q->v->identity, &r, l->filter.who);
	return 0;
}

/* An account that is not the tenant's has no messages: it is told so. */
static int read_account(struct listing *l, const char *text, struct strbuf *why)
{
	const struct account *a = text ? tenant_account(l->q->tenant, text) : NULL;

	if (text && !a)
		return why_set(why, "account_id: no account of this tenant has this id or phone number id");
	snprintf(l->filter.account, sizeof(l->filter.account), "%s", a ? a->id : "");
	return 0;
}

static int read_cursor(struct listing *l, const char *text, struct strbuf *why)
{
	size_t n = text ? strlen(text) : 0;

	if (text && (!n || n > CURSOR_LEN || strspn(text, "0123456789") != n))
		return why_set(why, "cursor: allowed is what an answer has as next");
	snprintf(l->cursor, sizeof(l->cursor), "%s", text ? text : "0");
	return 0;
}

static int read_query(struct listing *l, struct strbuf *why)
{
	const struct http_call *c = l->q->http;
	int64_t limit = LIMIT_DEFAULT;
	const char *template = http_call_query(c, "template");

	if (read_states(&l->filter, http_call_query(c, "state"), why) < 0 || read_account(l, http_call_query(c, "account_id"), why) < 0 ||
	    read_recipient(l, http_call_query(c, "to"), why) < 0 ||
	    read_time("since", http_call_query(c, "since"), &l->filter.since_ms, why) < 0 ||
	    read_time("until", http_call_query(c, "until"), &l->filter.until_ms, why) < 0 ||
	    read_number("code", http_call_query(c, "code"), INT32_MAX, &l->filter.code, why) < 0 ||
	    read_number("limit", http_call_query(c, "limit"), LIMIT_MAX, &limit, why) < 0 || read_cursor(l, http_call_query(c, "cursor"), why) < 0)
		return -1;
	l->template = template ? mem_strdup(template) : NULL;
	l->filter.template = l->template;
	l->limit = (int)limit;
	l->bite = l->limit > BITE_MIN ? l->limit : BITE_MIN;
	return 0;
}

/* ---- the end ---- */

static void answer(struct listing *l)
{
	struct v1_call *q = l->q;
	json_t *o = json_object();

	json_object_set_nocheck(o, "messages", l->found);
	if (strcmp(l->cursor, "0"))
		json_put_text(o, "next", l->cursor);
	listing_free(l);
	v1_answer(q, 200, o);
}

static void fail(struct listing *l)
{
	struct v1_call *q = l->q;

	listing_free(l);
	v1_retry(q, 1, "redis_away", "Redis does not answer");
}

static bool is_answer(const struct store_reply *r)
{
	if (r && r->error)
		log_error("script_failed", "command=list %s", r->error);
	return r && !r->error;
}

/* ---- one message ---- */

static bool is_wanted(const struct filter *f, const char *state, int64_t first_seen_ms)
{
	bool known = false;

	for (int s = 0; s < N_STATES; s++)
		known = known || (f->states & BIT(s) && !strcmp(states[s], state));
	return known && first_seen_ms >= f->since_ms && (!f->until_ms || first_seen_ms < f->until_ms);
}

/* What is only queued has no account, recipient or template that Redis knows. */
static void take_without_record(struct listing *l, const char *id, const char *index)
{
	const struct filter *f = &l->filter;
	const char *state = states[*index == '-' ? STATE_CANCELLED : STATE_QUEUED];
	struct mark m = { .first_ms = 0 };
	json_t *o;

	if ((mark_is(index) ? mark_read(index, &m) : parse_i64(index + 2, &m.first_ms)) < 0)
		return;
	if ((*f->account && strcmp(f->account, m.account)) || *f->who || f->template || f->code || !is_wanted(f, state, m.first_ms))
		return;
	o = json_object();
	json_put_text(o, "id", id);
	if (*m.account)
		json_put_text(o, "account_id", m.account);
	json_put_text(o, "state", state);
	json_put_int(o, "attempts", 0);
	json_put_time(o, "first_seen", m.first_ms);
	json_array_append_new(l->found, o);
}

/* FIELD(ident, its name in a record) */
#define FIELDS \
	FIELD(ID, "id") FIELD(TENANT, "te") FIELD(ACCOUNT, "ac") FIELD(STATE, "s") FIELD(ATTEMPTS, "n") FIELD(WAMID, "w") FIELD(REASON, "r") \
	FIELD(CODE, "code") FIELD(ERROR, "e") FIELD(FIRST, "t0") FIELD(CHANGED, "at") FIELD(EXPIRES, "x") FIELD(TEMPLATE, "tp") FIELD(WHO, "rw")

enum field {
#define FIELD(ident, name) FIELD_##ident,
	FIELDS
#undef FIELD
	N_FIELDS
};

static const char *text_of(const struct store_reply *r, enum field f)
{
	return r->v[f].kind == STORE_NIL ? "" : r->v[f].s;
}

static bool record_fits(const struct listing *l, const struct store_reply *r)
{
	const struct filter *f = &l->filter;

	return !strcmp(text_of(r, FIELD_TENANT), l->q->tenant->id) && is_wanted(f, text_of(r, FIELD_STATE), r->v[FIELD_FIRST].i) &&
	       (!*f->account || !strcmp(f->account, text_of(r, FIELD_ACCOUNT))) && (!*f->who || !strcmp(f->who, text_of(r, FIELD_WHO))) &&
	       (!f->template || !strcmp(f->template, text_of(r, FIELD_TEMPLATE))) && (!f->code || f->code == r->v[FIELD_CODE].i);
}

static void put_known(json_t *o, const char *name, const char *text)
{
	if (*text)
		json_put_text(o, name, text);
}

static void take_record(struct listing *l, const char *key, const struct store_reply *r)
{
	json_t *o = json_object();

	json_put_text(o, "id", text_of(r, FIELD_ID));
	if (strcmp(key, text_of(r, FIELD_ID)))
		json_put_text(o, "idempotency_key", key);
	json_put_text(o, "account_id", text_of(r, FIELD_ACCOUNT));
	json_put_text(o, "state", text_of(r, FIELD_STATE));
	json_put_int(o, "attempts", r->v[FIELD_ATTEMPTS].i);
	put_known(o, "wamid", text_of(r, FIELD_WAMID));
	put_known(o, "template", text_of(r, FIELD_TEMPLATE));
	put_known(o, "reason", text_of(r, FIELD_REASON));
	if (r->v[FIELD_CODE].i)
		json_put_int(o, "code", r->v[FIELD_CODE].i);
	put_known(o, "error", text_of(r, FIELD_ERROR));
	json_put_time(o, "first_seen", r->v[FIELD_FIRST].i);
	json_put_time(o, "changed_at", r->v[FIELD_CHANGED].i);
	json_put_time(o, "expires_at", r->v[FIELD_EXPIRES].i);
	json_array_append_new(l->found, o);
}

/* ---- a bite ---- */

static void walk(struct listing *l);

static void bite_is_done(struct listing *l)
{
	bool is_over = !strcmp(l->cursor, "0") || (int)json_array_size(l->found) >= l->limit || l->n_bites >= BITES_MAX ||
		       !l->q->http || !mono_before(mono_now(), l->until);

	if (l->has_failed)
		fail(l);
	else if (is_over)
		answer(l);
	else
		walk(l);
}

static void on_record(void *arg, const struct store_reply *r)
{
	struct listing *l = arg;
	const char *key = l->ids[l->n_told++];

	l->has_failed = l->has_failed || !is_answer(r);
	if (!l->has_failed && r->n == N_FIELDS && record_fits(l, r))
		take_record(l, key, r);
	if (l->n_told == l->n_asked)
		bite_is_done(l);
}

static void ask_record(struct listing *l, int i, const char *index)
{
	static const char *const names[] = {
#define FIELD(ident, name) name,
		FIELDS
#undef FIELD
	};
	struct store_arg args[2 + N_FIELDS];
	char key[KEY_TEXT_MAX], *id;

	look_record_key(l->q->v->conf, l->q->tenant, index, key);
	args[0] = STORE_ARG("HMGET");
	args[1] = STORE_ARG(key);
	for (int f = 0; f < N_FIELDS; f++)
		args[2 + f] = STORE_ARG(names[f]);
	if (store_command(l->q->v->store, args, 2 + N_FIELDS, on_record, l) < 0) {
		l->has_failed = true;
		return;
	}
	id = l->ids[l->n_asked];
	l->ids[l->n_asked++] = l->ids[i];
	l->ids[i] = id;
}

static void on_indexes(void *arg, const struct store_reply *r)
{
	struct listing *l = arg;

	if (!is_answer(r)) {
		fail(l);
		return;
	}
	for (int i = 0; i < r->n && i < l->n_ids && !l->has_failed; i++) {
		const char *index = r->v[i].kind == STORE_TEXT ? r->v[i].s : "";

		if (look_has_record(index))
			ask_record(l, i, index);
		else if (*index)
			take_without_record(l, l->ids[i], index);
	}
	if (l->n_asked == 0)
		bite_is_done(l);
}

static int ask_indexes(struct listing *l)
{
	char (*keys)[KEY_TEXT_MAX] = mem_array((size_t)l->n_ids, sizeof(*keys));
	struct store_arg *args = mem_array((size_t)l->n_ids + 1, sizeof(*args));
	int err;

	args[0] = STORE_ARG("MGET");
	for (int i = 0; i < l->n_ids; i++) {
		key_index(l->q->v->conf, l->q->tenant, l->ids[i], keys[i]);
		args[1 + i] = STORE_ARG(keys[i]);
	}
	err = store_command(l->q->v->store, args, l->n_ids + 1, on_indexes, l);
	free(args);
	free(keys);
	return err;
}

static void take_ids(struct listing *l, const struct store_reply *r)
{
	for (int i = 0; i < l->n_ids; i++)
		free(l->ids[i]);
	free(l->ids);
	l->n_ids = l->n_asked = l->n_told = 0;
	l->ids = mem_array((size_t)r->n, sizeof(*l->ids));
	for (int i = 1; i < r->n; i++)
		if (r->v[i].kind == STORE_TEXT && r->v[i].len > l->prefix && r->v[i].len < KEY_TEXT_MAX)
			l->ids[l->n_ids++] = mem_strndup(r->v[i].s + l->prefix, r->v[i].len - l->prefix);
}

static void on_scanned(void *arg, const struct store_reply *r)
{
	struct listing *l = arg;

	if (!is_answer(r) || r->n < 1 || !r->v[0].s) {
		fail(l);
		return;
	}
	snprintf(l->cursor, sizeof(l->cursor), "%s", r->v[0].s);
	take_ids(l, r);
	if (!l->n_ids) {
		l->bite = 2 * l->bite < BITE_MAX ? 2 * l->bite : BITE_MAX;	/* few of them are this tenant's */
		bite_is_done(l);
	} else if (ask_indexes(l) < 0) {
		fail(l);
	}
}

static void walk(struct listing *l)
{
	char count[16];

	l->n_bites++;
	snprintf(count, sizeof(count), "%d", l->bite);
	if (store_command(l->q->v->store, (struct store_arg[]){ STORE_ARG("SCAN"), STORE_ARG(l->cursor), STORE_ARG("MATCH"),
								{ l->pattern.buf, l->pattern.len }, STORE_ARG("COUNT"), STORE_ARG(count) },
			  6, on_scanned, l) < 0)
		fail(l);
}

/* Every name of the tenant's part of the index; what means something in a pattern is meant as it is. */
static void make_pattern(struct listing *l)
{
	char key[KEY_TEXT_MAX];

	key_index(l->q->v->conf, l->q->tenant, "", key);
	l->prefix = strlen(key);
	for (const char *p = key; *p; p++) {
		if (strchr("*?[]\\^-", *p))
			strbuf_addc(&l->pattern, '\\');
		strbuf_addc(&l->pattern, *p);
	}
	strbuf_addc(&l->pattern, '*');
}

void on_v1_messages(struct v1_call *q)
{
	struct listing *l = mem_alloc(sizeof(*l));
	struct strbuf why = STRBUF_INIT;

	*l = (struct listing){ .q = q, .found = json_array(), .pattern = STRBUF_INIT, .until = mono_add_ms(mono_now(), WALK_MS) };
	make_pattern(l);
	if (read_query(l, &why) == 0) {
		walk(l);
	} else {
		listing_free(l);
		v1_bad_field(q, 422, "bad_field", why.buf);
	}
	strbuf_release(&why);
}
