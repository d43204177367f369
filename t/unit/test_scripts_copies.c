/*
 * admit, copies of one parked message: senders die between the confirm of a copy and its ack, so there are more and more of them.
 * Whatever the order, and whatever Redis forgets: one is always left, and when nobody dies any more, only one.
 */
#include "test_scripts.h"

#include "base/rand.h"

#define PARKED "v=1 s=unknown n=2 o=other x=+60000 h={} code=0 e=cut ps=-1000"

static void park_published(int64_t published, int hops, unsigned nonce, const char *kind, const char *want)
{
	struct strbuf answer = STRBUF_INIT;

	admit(&(struct admit){ .kind = kind, .n = 2, .policy = "evidence", .hops = hops, .nonce = nonce, .published = published }, &answer);
	ck_assert_msg(!strcmp(answer.buf, want), "%s copy %d %x: answers %s, not %s", kind, hops, nonce, answer.buf, want);
	strbuf_release(&answer);
}

static void park(int hops, unsigned nonce, const char *kind, const char *want)
{
	park_published(0, hops, nonce, kind, want);
}

static void begin(const char *fields)
{
	write_record(fields);
	freeReplyObject(ask((const char *[]){ "SET", evidence, "1" }, 3));
}

START_TEST(the_copy_with_most_hops_stays)
{
	begin(PARKED);
	park(0, 0, "none", "park|2");			/* straight from a producer: nothing is known of copies yet */
	check_fields(record, "uc=-");
	park(1, 0xa, "unknown", "park|2");
	park(1, 0xa, "unknown", "park|2");		/* the same once more */
	park(1, 0xb, "unknown", "twin|2");
	park(0, 0, "none", "park|2");			/* nobody knows when it was published: it waits out a timer, too */
	park(1, 0, "unknown", "park|2");		/* of an earlier build */
	park(2, 0xc, "busy", "park|2");			/* any kind may go on */
	park(1, 0xd, "busy", "park|2");
	park(1, 0xa, "unknown", "twin|2");
	park(2, 0xb, "unknown", "twin|2");
	park(2, 0xc, "unknown", "park|2");
}
END_TEST

START_TEST(of_another_attempt_nothing_is_known)
{
	begin(PARKED);
	set_fields(record, "uc=");
	freeReplyObject(ask((const char *[]){ "HSET", record, "uc", "1 9 a 9999999999999" }, 4));
	park(1, 0xb, "unknown", "park|2");
	begin("v=1 s=sending n=2 o=other l=-1 x=+60000 ps=-1000");
	freeReplyObject(ask((const char *[]){ "HSET", record, "uc", "1 9 a 9999999999999" }, 4));
	park(3, 0xb, "retry", "park|2");
	park(2, 0xc, "unknown", "twin|2");
}
END_TEST

START_TEST(what_was_not_seen_since_it_was_published_may_be_lost)
{
	struct strbuf uc = STRBUF_INIT;

	begin(PARKED);
	strbuf_setf(&uc, "2 9 a %lld", (long long)wall_ms() - 50000);
	freeReplyObject(ask((const char *[]){ "HSET", record, "uc", uc.buf }, 4));
	park(1, 0xb, "unknown", "twin|2");
	strbuf_setf(&uc, "2 9 a %lld", (long long)wall_ms() - 61000);	/* the timer is 60 s */
	freeReplyObject(ask((const char *[]){ "HSET", record, "uc", uc.buf }, 4));
	park(1, 0xb, "unknown", "park|2");
	park(1, 0xc, "unknown", "twin|2");
	park(9, 0xa, "unknown", "park|2");		/* there it is */
	strbuf_setf(&uc, "2 9 a %lld", (long long)wall_ms() - 61000);	/* the broker is slow: it was published before that */
	freeReplyObject(ask((const char *[]){ "HSET", record, "uc", uc.buf }, 4));
	park_published(wall_ms() - 70000, 1, 0xb, "unknown", "twin|2");
	park_published(wall_ms() - 60500, 1, 0xb, "unknown", "park|2");
	strbuf_release(&uc);
}
END_TEST

/* ---- at random: what is in the queue, and what senders hold unacked ---- */

enum { COPIES_MAX = 400, SENDERS = 4, ROUNDS = 300, STEPS = 40 };

struct parked_copy { int hops; unsigned nonce; int64_t published; };
struct holder { struct parked_copy copy; enum { IDLE, HAS_IT, WILL_ACK, SUCCEEDED } step; };
static struct parked_copy copies[COPIES_MAX];
static struct holder holders[SENDERS];
static int n_copies;

static void put(int hops, unsigned nonce)
{
	ck_assert_int_lt(n_copies, COPIES_MAX);
	copies[n_copies++] = (struct parked_copy){ hops, nonce, hops ? wall_ms() : 0 };
}

static void take(struct holder *h)
{
	int i;

	if (!n_copies)
		return;
	i = (int)rand_between(0, n_copies - 1);
	h->copy = copies[i];
	h->step = HAS_IT;
	copies[i] = copies[--n_copies];
}

static void decide(struct holder *h)
{
	struct strbuf answer = STRBUF_INIT;

	admit(&(struct admit){ .kind = h->copy.hops ? "unknown" : "none", .n = 2, .redelivered = true, .policy = "evidence", .hops = h->copy.hops,
			       .nonce = h->copy.nonce, .published = h->copy.published }, &answer);
	if (!strcmp(answer.buf, "twin|2")) {
		h->step = SUCCEEDED;
	} else {
		ck_assert_str_eq(answer.buf, "park|2");
		h->step = WILL_ACK;
	}
	strbuf_release(&answer);
}

/* One step of a sender; dies: it may be killed, and the broker gives what it held to another. */
static void step(struct holder *h, bool dies)
{
	if (dies && h->step != IDLE && rand_between(0, 3) == 0) {
		ck_assert_int_lt(n_copies, COPIES_MAX);
		copies[n_copies++] = h->copy;
		h->step = IDLE;
		return;
	}
	switch (h->step) {
	case IDLE:
		take(h);
		break;
	case HAS_IT:
		decide(h);
		break;
	case WILL_ACK:
		put(h->copy.hops + 1, (unsigned)rand_between(1, UINT32_MAX));
		h->step = SUCCEEDED;
		break;
	case SUCCEEDED:
		h->step = IDLE;		/* acked */
		break;
	}
}

static int held(void)
{
	int n = 0;

	for (int i = 0; i < SENDERS; i++)
		n += holders[i].step != IDLE;
	return n;
}

/* Redis starts again from what it had written some time ago, or has lost it all but that there is a record. */
static void forget(char before[128])
{
	struct strbuf old = STRBUF_INIT;
	redisReply *r;

	switch (rand_between(0, 30)) {
	case 0:
		freeReplyObject(ask((const char *[]){ "HDEL", record, "uc" }, 3));
		break;
	case 1:
		freeReplyObject(ask((const char *[]){ "HSET", record, "uc", before }, 4));
		break;
	case 2:				/* it was a long time ago */
		strbuf_setf(&old, "2 %d %x %lld", (int)rand_between(0, 20), (unsigned)rand_between(1, UINT32_MAX), (long long)wall_ms() - 70000);
		freeReplyObject(ask((const char *[]){ "HSET", record, "uc", old.buf }, 4));
		break;
	case 3:
		r = ask((const char *[]){ "HGET", record, "uc" }, 3);
		snprintf(before, 128, "%s", r->str ? r->str : "");
		freeReplyObject(r);
		break;
	default:
		break;
	}
	strbuf_release(&old);
}

START_TEST(one_is_always_left_and_in_the_end_only_one)
{
	for (int round = 0; round < ROUNDS; round++) {
		char before[128] = "";
		int steps = 0;

		begin(PARKED);
		memset(holders, 0, sizeof(holders));
		n_copies = 0;
		put(0, 0);
		for (int i = 0; i < STEPS; i++) {
			forget(before);
			step(&holders[rand_between(0, SENDERS - 1)], true);
			ck_assert_int_ge(n_copies + held(), 1);
		}
		while (n_copies + held() > 1) {
			step(&holders[rand_between(0, SENDERS - 1)], false);
			ck_assert_int_ge(n_copies + held(), 1);
			ck_assert_msg(++steps < 20000, "round %d: %d copies are left", round, n_copies + held());
		}
		for (int i = 0; i < 20; i++) {
			step(&holders[0], false);
			ck_assert_int_ge(n_copies + held(), 1);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scripts_copies");
	TCase *real = unit_case(s, "copies");

	tcase_add_checked_fixture(real, start_redis, stop_redis);
	tcase_set_timeout(real, 60);
	if (getenv("REDIS_URL")) {
		tcase_add_test(real, the_copy_with_most_hops_stays);
		tcase_add_test(real, of_another_attempt_nothing_is_known);
		tcase_add_test(real, what_was_not_seen_since_it_was_published_may_be_lost);
		tcase_add_test(real, one_is_always_left_and_in_the_end_only_one);
	} else {
		printf("# tests with a real Redis are skipped: REDIS_URL is not set\n");
	}
	return unit_run(s);
}
