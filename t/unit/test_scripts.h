/*
 * test_scripts - what the tests of src/lua share: a synchronous Redis, records and arguments written as short texts.
 *
 * A record is "s=sending n=2 l=+5000": fields divided by blanks; a value with a sign is milliseconds from now.
 */
#ifndef TEST_SCRIPTS_H
#define TEST_SCRIPTS_H

#include "unit.h"

#include <hiredis/hiredis.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "io/store.h"
#include "io/url.h"

enum { RECORD_TTL = 86400000, TAIL = 900000, LEASE = 30000, WAMID_TTL = 2678400 };

static redisContext *redis;
static char record[64], bucket[64], id_index[64], wamid_index[64];

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

static inline void start_redis(void)
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
	snprintf(record, sizeof(record), "test%d:m:{d}:K", getpid());
	snprintf(bucket, sizeof(bucket), "test%d:r:{d}:n", getpid());
	snprintf(id_index, sizeof(id_index), "test%d:i:{d}:t:m1", getpid());
	snprintf(wamid_index, sizeof(wamid_index), "test%d:w:{d}:W", getpid());
}

static inline void forget_all(void)
{
	freeReplyObject(ask((const char *[]){ "DEL", record, bucket, id_index, wamid_index }, 5));
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

static inline void run_script(enum script which, const char *const *parts, int n_keys, int n, struct strbuf *answer)
{
	const char *words[40] = { "EVAL", script_text(which) };
	char keys[8];
	redisReply *r;

	snprintf(keys, sizeof(keys), "%d", n_keys);
	words[2] = keys;
	memcpy(words + 3, parts, (size_t)n * sizeof(*parts));
	r = ask(words, n + 3);
	strbuf_reset(answer);
	add_joined(answer, r);
	freeReplyObject(r);
}

/* Everything that may have been written, as one text: nothing changed when it is the same. */
static inline void add_everything(struct strbuf *out)
{
	redisReply *r = ask((const char *[]){ "HGETALL", record }, 2);

	add_joined(out, r);
	freeReplyObject(r);
	r = ask((const char *[]){ "MGET", bucket, id_index, wamid_index }, 4);
	strbuf_addc(out, '|');
	add_joined(out, r);
	freeReplyObject(r);
}

static inline void value_of(const char *text, char out[64])
{
	int64_t ms;

	if ((*text == '+' || (*text == '-' && text[1])) && parse_i64(text + (*text == '+'), &ms) == 0)
		snprintf(out, 64, "%lld", (long long)(wall_ms() + ms));
	else
		snprintf(out, 64, "%s", text);
}

/* Calls f for each field of a record's text. */
static inline void each_field(const char *text, void (*f)(const char *field, const char *value))
{
	char copy[512], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char value[64], *eq = strchr(p, '=');

		ck_assert_ptr_nonnull(eq);
		*eq = 0;
		value_of(eq + 1, value);
		f(p, value);
	}
}

static inline void set_field(const char *field, const char *value)
{
	freeReplyObject(ask((const char *[]){ "HSET", record, field, value }, 4));
}

static inline void write_record(const char *text)
{
	forget_all();
	each_field(text, set_field);
	if (*text)
		freeReplyObject(ask((const char *[]){ "PEXPIRE", record, "100000000" }, 3));
}

static inline void check_field(const char *field, const char *value)
{
	redisReply *r = ask((const char *[]){ "HGET", record, field }, 3);

	if (!strcmp(value, "-"))	/* must be absent */
		ck_assert_msg(!r->str, "%s is %s", field, r->str);
	else
		ck_assert_msg(r->str && !strcmp(r->str, value), "%s is %s, not %s", field, r->str ? r->str : "absent", value);
	freeReplyObject(r);
}

/* An answer as wanted; in want # stands for a number from 1 to 120000 and * for 0 to 9. */
static inline bool answer_fits(const char *answer, const char *want)
{
	for (; *want; want++) {
		char *end;
		long long n;

		if (*want == '*' && str_is_digits((char[]){ *answer, 0 })) {
			answer++;
			continue;
		}
		if (*want != '#') {
			if (*answer++ != *want)
				return false;
			continue;
		}
		n = strtoll(answer, &end, 10);
		if (end == answer || n < 1 || n > 120000)
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
