/*
 * test_scripts - what the tests of src/lua share: a synchronous Redis, hashes and arguments written as short texts.
 *
 * A hash is "s=sending n=2 l=+5000": fields divided by blanks; a value with a sign is milliseconds from now.  A value that must be
 * there may be "~+5000": this time or up to 20 s before it; "-": the field is absent.  A hold has the parts of its value divided by
 * commas: "t:t=auto,+5000,0,0,0,-,131,words".
 */
#ifndef TEST_SCRIPTS_H
#define TEST_SCRIPTS_H

#include "unit.h"

#include <hiredis/hiredis.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "flow/rules.h"
#include "io/store.h"
#include "io/url.h"

enum { RECORD_TTL = 86400000, TAIL = 900000, LEASE = 30000, WAMID_TTL = 2678400 };

static redisContext *redis;
static char record[64], bucket[64], id_index[64], wamid_index[64], account[64], holds[64], recipient[64], usage[64], evidence[64], parked[64], user[64], users[64],
	    body[64];

static inline redisReply *ask(const char *const *words, int n)
{
	redisReply *r = redisCommandArgv(redis, n, (const char **)(uintptr_t)words, NULL);

	ck_assert_msg(r != NULL, "Redis went away: %s", redis->errstr);
	return r;
}

static inline int64_t ask_number(const char *a, const char *b)
{
	redisReply *r = ask((const char *[]){ a, b }, 2);
	int64_t n = r->type == REDIS_REPLY_STRING ? strtoll(r->str, NULL, 10) : r->integer;

	freeReplyObject(r);
	return n;
}

static inline int64_t redis_us(void)
{
	redisReply *r = ask((const char *[]){ "TIME" }, 1);
	int64_t us = strtoll(r->element[0]->str, NULL, 10) * 1000000 + strtoll(r->element[1]->str, NULL, 10);

	freeReplyObject(r);
	return us;
}

/* The bucket of the number's limit is a field of its account: when it is full again (µs); 0: there is none. */
static inline int64_t number_tat(void)
{
	redisReply *r = ask((const char *[]){ "HGET", account, "nt" }, 3);
	int64_t us = r->str ? strtoll(r->str, NULL, 10) : 0;

	freeReplyObject(r);
	return us;
}

static inline void set_number_tat(int64_t us)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)us);
	if (us)
		freeReplyObject(ask((const char *[]){ "HSET", account, "nt", text }, 4));
	else
		freeReplyObject(ask((const char *[]){ "HDEL", account, "nt" }, 3));
}

static inline void connect_redis(void)
{
	struct url u;
	struct strbuf why = STRBUF_INIT;

	ck_assert_msg(url_parse(getenv("REDIS_URL"), &u, &why) == 0, "%s", why.buf);
	redis = *u.host ? redisConnect(u.host, u.port ? u.port : 6379) : redisConnectUnix(u.path);
	ck_assert_msg(redis && !redis->err, "%s", redis ? redis->errstr : "no memory");
	if (u.password)
		freeReplyObject(u.user && *u.user ? ask((const char *[]){ "AUTH", u.user, u.password }, 3) :
				ask((const char *[]){ "AUTH", u.password }, 2));
	url_release(&u);
	strbuf_release(&why);
}

static inline void start_redis(void)
{
	connect_redis();
	snprintf(record, sizeof(record), "test%d:m:{d}:K", getpid());
	snprintf(bucket, sizeof(bucket), "test%d:r:{d}:n", getpid());
	snprintf(id_index, sizeof(id_index), "test%d:i:{d}:t:m1", getpid());
	snprintf(wamid_index, sizeof(wamid_index), "test%d:w:{d}:W", getpid());
	snprintf(account, sizeof(account), "test%d:a:{d}:1", getpid());
	snprintf(holds, sizeof(holds), "test%d:s:{d}", getpid());
	snprintf(recipient, sizeof(recipient), "test%d:s:{d}:r:1:who", getpid());
	snprintf(evidence, sizeof(evidence), "test%d:e:{d}:1", getpid());
	snprintf(parked, sizeof(parked), "test%d:pw:{d}:W", getpid());
	snprintf(users, sizeof(users), "test%d:u:{d}:1", getpid());
	snprintf(user, sizeof(user), "test%d:u:{d}:1:who", getpid());
	snprintf(body, sizeof(body), "test%d:b:{d}:K", getpid());
	snprintf(usage, sizeof(usage), "test%d:tu:{d}:t:2:20261127", getpid());
}

static inline void forget_all(void)
{
	freeReplyObject(ask((const char *[]){ "DEL", record, bucket, id_index, wamid_index, account, holds, recipient, usage, evidence, parked, user, users, body }, 14));
}

static inline void stop_redis(void)
{
	forget_all();
	redisFree(redis);
}

/* The parts of an answer, or the fields of a hash in a fixed order, joined by bars. */
static inline void add_joined(struct strbuf *out, const redisReply *r)
{
	ck_assert_msg(r->type != REDIS_REPLY_ERROR, "%s", r->str);
	for (size_t i = 0; i < r->elements; i++) {
		const redisReply *e = r->element[i];

		if (i)
			strbuf_addc(out, '|');
		if (e->type == REDIS_REPLY_INTEGER)
			strbuf_addf(out, "%lld", e->integer);
		else
			strbuf_adds(out, e->str ? e->str : "(nil)");
	}
}

/* A number as text, good for the next 31 calls. */
static inline const char *text_of(int64_t v)
{
	static char texts[32][24];
	static unsigned n;
	char *text = texts[n++ % ARRAY_LEN(texts)];

	snprintf(text, sizeof(texts[0]), "%lld", (long long)v);
	return text;
}

enum { PARTS_MAX = 60 };

/* STRICT_SLOTS: a Redis Cluster forgives old-style scripts keys of other slots, but none that name their engine. */
static inline void run_script_by(const char *rules, enum script which, const char *const *parts, int n_keys, int n, struct strbuf *answer)
{
	struct strbuf text = STRBUF_INIT;
	const char *words[3 + PARTS_MAX] = { "EVAL" };
	redisReply *r;

	ck_assert_int_le(n, PARTS_MAX);
	strbuf_setf(&text, "%s%s%s", getenv("STRICT_SLOTS") ? "#!lua\n" : "", rules, script_text(which));
	words[1] = text.buf;
	words[2] = text_of(n_keys);
	memcpy(words + 3, parts, (size_t)n * sizeof(*parts));
	r = ask(words, n + 3);
	strbuf_reset(answer);
	add_joined(answer, r);
	freeReplyObject(r);
	strbuf_release(&text);
}

static inline void run_script(enum script which, const char *const *parts, int n_keys, int n, struct strbuf *answer)
{
	run_script_by("", which, parts, n_keys, n, answer);
}

/* ---- admit and settle, with all that a test does not care for; 0 and NULL stand for something harmless ---- */

#define FIELDS { "t:t", "a:t:acc", "n:1", "w:2", "p:2:tpl", "p:2:tpl/en_US" }
static const char *const hold_fields[6] = FIELDS;
static const char *const no_fields[6] = { "", "", "", "", "", "" };

/* A further limit: its recipient's, or its tenant's. */
struct further { const char *key; int64_t interval_us; };

struct admit {
	const char *owner, *kind;
	int n;
	bool redelivered;
	const char *policy;
	int allowed;
	int64_t expires_in, interval_us, tolerance_us;
	const char *replay, *used, *may_duplicate;
	bool minds_lane;
	int64_t probe_ms, ramp_ms, window_ms, warn;
	bool has_no_template;
	const struct further *pair, *tenant;
	const char *context, *blind;
	int64_t unknown_max;
	const char *window, *opt_out, *fallback, *class;
	int64_t learn_ms;
	int hops;
	unsigned nonce;
	int64_t published;
};

static inline int64_t or_else(int64_t v, int64_t otherwise)
{
	return v ? v : otherwise;
}

static inline const char *or_text(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

/* The settings own their texts; these are only read. */
static inline char *setting(const char *text)
{
	return (char *)(uintptr_t)text;
}

static inline void admit(const struct admit *a, struct strbuf *answer)
{
	struct conf c = {
		.graph_timeout = LEASE, .retry_max = or_else(a->allowed, 6) - 1, .record_ttl = RECORD_TTL, .breaker_probe = or_else(a->probe_ms, 20000),
		.breaker_ramp = or_else(a->ramp_ms, 5000), .limit_window = or_else(a->window_ms, 10000), .limit_warn = or_else(a->warn, 80),
		.unknown_max = or_else(a->unknown_max, 900000), .unknown_timer = 60000, .guard_learn = or_else(a->learn_ms, 86400000), .limit_pair_burst = 1,
		.limit_pair_every = a->pair ? a->pair->interval_us / 1000 : 0, .on_unknown = setting("at_least_once"),
		.on_unknown_blind = setting(or_text(a->blind, "at_least_once")),
	};
	const char *parts[PARTS_MAX] = { record, id_index, account, holds, recipient };
	bool is_guarded = a->window || a->opt_out || a->fallback, is_unknown = a->kind && !strcmp(a->kind, "unknown");
	struct strbuf rules = STRBUF_INIT;
	char copy[64] = "", replay[64] = "", guards[64] = "";
	int n = 5, n_keys;

	rules_write(&c, TAIL, &rules);
	if (a->kind || a->n || a->redelivered)
		snprintf(copy, sizeof(copy), "%s %d %d %d %x %lld", a->kind ? a->kind : "none", a->n, a->redelivered, a->hops, a->nonce,
			 (long long)a->published);
	if (a->replay)
		snprintf(replay, sizeof(replay), "%s %s %s", a->replay, a->used ? a->used : "0", a->may_duplicate ? a->may_duplicate : "0");
	if (is_guarded)
		snprintf(guards, sizeof(guards), "%s %s %s", or_text(a->window, "-"), or_text(a->opt_out, "-"), or_text(a->fallback, "-"));
	if (a->pair)
		parts[n++] = a->pair->key;
	if (a->tenant)
		parts[n++] = a->tenant->key;
	if (is_guarded || is_unknown) {
		parts[n++] = evidence;
		parts[n++] = user;
		parts[n++] = users;
	}
	n_keys = n;
	const char *const rest[] = {
		a->owner ? a->owner : "me", text_of(wall_ms() + or_else(a->expires_in, 60000)), text_of(or_else(a->interval_us, 100000)),
		text_of(a->tolerance_us), "m1", "t", "acc", "digest", "1764000000000", "2", a->class ? a->class : "low", a->pair ? "1" : "0",
		a->minds_lane ? "1" : "", a->context ? a->context : "", a->has_no_template ? "" : "tpl/en_US", guards, copy, replay,
		a->policy ? a->policy : "", a->tenant ? text_of(a->tenant->interval_us) : "", a->tenant ? "0" : "",
	};

	memcpy(parts + n, rest, sizeof(rest));
	n += (int)ARRAY_LEN(rest);
	while (!*parts[n - 1])
		n--;
	run_script_by(rules.buf, SCRIPT_ADMIT, parts, n_keys, n, answer);
	strbuf_release(&rules);
}

struct settle {
	const char *owner;
	int n;
	const char *what, *wamid, *says;
	bool is_probe;
	int calls;
	int64_t open_ms, open_max_ms;
	const char *hold, *words;
	int64_t hold_ms, hold_max_ms, recipient_ms;
	const char *history;
	const char *const *fields;
	const char *template, *sealed;
};

static inline void settle(const struct settle *a, struct strbuf *answer)
{
	struct conf c = {
		.record_ttl = RECORD_TTL, .breaker_calls = or_else(a->calls, 4), .breaker_percent = 50, .breaker_open = or_else(a->open_ms, 60000),
		.breaker_open_max = or_else(a->open_max_ms, 300000), .body_ttl = 3600000, .on_unknown = setting(""), .on_unknown_blind = setting(""),
	};
	const char *parts[PARTS_MAX] = { record, account, holds };
	bool is_dead = !strcmp(a->what, "dead"), has_trouble = strcmp(a->what, "sent") != 0 || a->is_probe || a->hold || a->recipient_ms;
	struct strbuf rules = STRBUF_INIT;
	int n = 3, n_keys;

	rules_write(&c, TAIL, &rules);
	if (a->wamid && *a->wamid) {
		parts[n++] = wamid_index;
		parts[n++] = parked;
	}
	if (a->sealed || is_dead)
		parts[n++] = body;
	if (a->template)
		parts[n++] = usage;
	if (a->recipient_ms)
		parts[n++] = recipient;
	n_keys = n;
	const char *const rest[] = {
		a->owner ? a->owner : "me", text_of(a->n), a->what, a->wamid ? a->wamid : "", "131026", a->history ? a->history : "{\"n\":9}",
		a->says ? a->says : "", a->template ? a->template : "", a->sealed ? a->sealed : "",
		is_dead ? "refused" : "", a->words ? a->words : a->hold ? "some words" : "text", a->hold ? a->hold : "",
		text_of(or_else(a->hold_ms, 60000)), text_of(or_else(a->hold_max_ms, 300000)), text_of(a->recipient_ms),
	};

	memcpy(parts + n, rest, sizeof(rest));
	n += has_trouble ? (int)ARRAY_LEN(rest) : 9;
	if (a->is_probe) {
		memcpy(parts + n, a->fields ? a->fields : hold_fields, sizeof(hold_fields));
		n += (int)ARRAY_LEN(hold_fields);
	}
	run_script_by(rules.buf, SCRIPT_SETTLE, parts, n_keys, n, answer);
	for (size_t i = 0; i + 2 <= answer->len; i++)
		if (!strncmp(answer->buf + i, "|=", 2)) {	/* the entry that the asker knows */
			strbuf_setf(&rules, "%.*s|%s%s", (int)i, answer->buf, a->history ? a->history : "{\"n\":9}", answer->buf + i + 2);
			strbuf_setf(answer, "%s", rules.buf);
			break;
		}
	strbuf_release(&rules);
}

/* ---- hashes as texts ---- */

/* Everything that may have been written, as one text: nothing changed when it is the same. */
static inline void add_everything(struct strbuf *out)
{
	const char *const hashes[] = { record, account, holds };
	redisReply *r;

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		r = ask((const char *[]){ "HGETALL", hashes[i] }, 2);
		add_joined(out, r);
		strbuf_addc(out, '|');
		freeReplyObject(r);
	}
	r = ask((const char *[]){ "MGET", id_index, wamid_index, recipient }, 4);
	add_joined(out, r);
	freeReplyObject(r);
}

static inline void add_value(struct strbuf *out, const char *text)
{
	int64_t ms;

	if ((*text == '+' || (*text == '-' && text[1])) && parse_i64(text + (*text == '+'), &ms) == 0)
		strbuf_addf(out, "%lld", (long long)(wall_ms() + ms));
	else
		strbuf_adds(out, text);
}

/* Calls f for each field of a hash's text. */
static inline void each_field(const char *key, const char *text, void (*f)(const char *key, const char *field, char *value))
{
	char copy[512], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(p, '=');

		ck_assert_ptr_nonnull(eq);
		*eq = 0;
		f(key, p, eq + 1);
	}
}

static inline void set_field(const char *key, const char *field, char *value)
{
	struct strbuf text = STRBUF_INIT;
	char *save = NULL;

	if (key == holds) {
		for (char *p = strtok_r(value, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
			strbuf_adds(&text, text.len ? " " : "");
			add_value(&text, p);
		}
	} else {
		add_value(&text, value);
	}
	freeReplyObject(ask((const char *[]){ "HSET", key, field, text.buf ? text.buf : "" }, 4));
	strbuf_release(&text);
}

static inline void set_fields(const char *key, const char *text)
{
	each_field(key, text, set_field);
}

static inline void write_record(const char *text)
{
	forget_all();
	set_fields(record, text);
	if (*text)
		freeReplyObject(ask((const char *[]){ "PEXPIRE", record, "100000000" }, 3));
}

/* Between 20 s before this time and this time; a second for clocks that are rounded. */
static inline bool is_near(int64_t v, int64_t at)
{
	return v > at - 20000 && v <= at + 1000;
}

static inline bool value_fits(const char *have, const char *want)
{
	int64_t v, ms;

	if (*want != '~')
		return !strcmp(have, want);
	return parse_i64(have, &v) == 0 && parse_i64(want + 1 + (want[1] == '+'), &ms) == 0 && is_near(v, wall_ms() + ms);
}

static inline bool hold_fits(char *have, char *want)
{
	char *save[2] = { NULL, NULL };

	for (char *w = strtok_r(want, ",", &save[1]); w; w = strtok_r(NULL, ",", &save[1])) {
		char *h = strtok_r(save[0] ? NULL : have, " ", &save[0]);

		if (!h || !value_fits(h, w))
			return false;
	}
	return true;
}

static inline void check_field(const char *key, const char *field, char *value)
{
	redisReply *r = ask((const char *[]){ "HGET", key, field }, 3);
	char have[256], want[256];

	snprintf(have, sizeof(have), "%s", r->str ? r->str : "absent");
	snprintf(want, sizeof(want), "%s", value);
	if (!strcmp(value, "-"))
		ck_assert_msg(!r->str, "%s is %s", field, have);
	else
		ck_assert_msg(r->str && (key == holds ? hold_fits(r->str, value) : value_fits(r->str, value)), "%s is %s, not %s", field, have,
			      want);
	freeReplyObject(r);
}

static inline void check_fields(const char *key, const char *text)
{
	each_field(key, text, check_field);
}

/* An answer as wanted; in want # stands for a number from 1 to 120000, + for one from 1001, and * for 0 to 9. */
static inline bool answer_fits(const char *answer, const char *want)
{
	for (; *want; want++) {
		char *end;
		long long n;

		if (*want == '*' && str_is_digits((char[]){ *answer, 0 })) {
			answer++;
			continue;
		}
		if (*want != '#' && *want != '+') {
			if (*answer++ != *want)
				return false;
			continue;
		}
		n = strtoll(answer, &end, 10);
		if (end == answer || n < (*want == '+' ? 1001 : 1) || n > 120000)
			return false;
		answer = end;
	}
	return !*answer;
}

/* The record lives until its message's expiry and the longest delay are over, and then record_ttl. */
static inline void check_ttl(int64_t expires_in)
{
	int64_t want = (expires_in > 0 ? expires_in : 0) + TAIL + RECORD_TTL, ttl = ask_number("PTTL", record);

	ck_assert_msg(ttl > want - 60000 && ttl <= want + 1000, "record lives %lld ms, not %lld", (long long)ttl, (long long)want);
}

#endif
