/* jobs against a real Redis: one run in the fleet, leases that are given back and ones that are not, pauses that double. */
#include "test_io.h"

#include "base/clock.h"
#include "conf/conf.h"
#include "graph/jobs.h"

static const enum job_kind WATCHED = JOB_TOKEN_CHECK, OTHER = JOB_TOKEN_REFRESH;

/* Two hosts: each has its own view of the same tenant, one Redis. */
struct host {
	struct conf *conf;
	struct store *store;
	struct jobs *jobs;
	int runs, others;
	struct job *open;		/* run, and not ended yet */
	bool is_slow, ok;
	int64_t again_ms;
	mono_t at[64];
};
static struct host one, two;
static int done_ok, done_bad;
static char done_words[64];

static bool stores_are_up(void) { return store_is_up(one.store) && store_is_up(two.store); }
static bool one_ran(void) { return one.runs >= 1; }
static bool one_ran_twice(void) { return one.runs >= 2; }
static bool either_ran(void) { return one.runs + two.runs >= 1; }
static bool both_ran(void) { return one.runs >= 1 && two.runs >= 1; }
static bool others_ran(void) { return one.others >= 1 && two.others >= 1; }
static bool one_ran_often(void) { return one.runs >= 7; }
static bool one_is_open(void) { return one.open != NULL; }

static void run(void *arg, struct job *j)
{
	struct host *h = arg;

	ck_assert_str_eq(job_account(j)->id, "a");
	ck_assert_ptr_null(h->open);
	h->at[h->runs++ % (int)ARRAY_LEN(h->at)] = mono_now();
	if (h->is_slow)
		h->open = j;
	else
		job_end(j, h->ok, h->again_ms, "%s", h->ok ? "fine" : "not so");
}

static void run_other(void *arg, struct job *j)
{
	((struct host *)arg)->others++;
	job_end(j, true, -1, "other");
}

static void end_open(struct host *h, bool ok)
{
	struct job *j = h->open;

	h->open = NULL;
	job_end(j, ok, h->again_ms, "%s", ok ? "fine" : "not so");
}

static struct account *account_of(const struct host *h)
{
	return conf_tenant(h->conf, "t")->accounts[0];
}

static void put_tenant(struct host *h, const char *number)
{
	struct tenant *t = tenant_new("t", "t");
	struct account *a = tenant_add_account(t);
	bool changed;

	a->id = mem_strdup("a");
	a->phone_number_id = mem_strdup(number);
	a->waba_id = mem_strdup("2");
	a->token = mem_strdup("x");
	a->rate = 1;
	tenant_set_put(h->conf->tenants, t, &changed);
}

static void start_host(struct host *h, int64_t every_ms)
{
	*h = (struct host){ .ok = true, .again_ms = -1, .conf = conf_defaults() };
	if (!h->conf->tenants)
		h->conf->tenants = tenant_set_new();
	h->conf->token_check = every_ms;
	h->conf->token_look = 86400000;
	h->conf->job_first = 0;
	h->conf->job_retry_min = 50;
	h->conf->job_retry_max = 1600;
	put_tenant(h, "1");
	h->store = store_new(loop, &(struct store_options){ .url = getenv("REDIS_URL"), .connection_name = "test" }, &(struct store_callbacks){ 0 }, NULL);
	h->jobs = jobs_new(loop, h->conf, h->store);
	jobs_add(h->jobs, WATCHED, true, run, h);
	jobs_add(h->jobs, OTHER, false, run_other, h);
}

static void stop_host(struct host *h)
{
	store_free(&h->store);
	jobs_free(&h->jobs);
	conf_free(&h->conf);
}

static int answers;
static int64_t answer;

static void on_answer(void *arg UNUSED, const struct store_reply *r)
{
	ck_assert(r && !r->error);
	answer = r->n ? r->v[0].i : -1;
	answers++;
}

static bool has_answer(void) { return answers > 0; }

/* PTTL or DEL of the lease. */
static int64_t lease(const char *command)
{
	char key[128];

	snprintf(key, sizeof(key), "%sj:{t}:token_check:1", one.conf->redis_prefix);
	answers = 0;
	ck_assert_int_eq(store_command(one.store, (struct store_arg[]){ { command, strlen(command) }, { key, strlen(key) } }, 2, on_answer, NULL), 0);
	wait_for(has_answer);
	return answer;
}

static void start_both(int64_t every_ms)
{
	start_host(&one, every_ms);
	start_host(&two, every_ms);
	wait_for(stores_are_up);
	lease("DEL");
}

static void setup(void)
{
	io_setup();
	done_ok = done_bad = 0;
}

static void teardown(void)
{
	if (store_is_up(one.store))
		lease("DEL");
	stop_host(&one);
	stop_host(&two);
	io_teardown();
}

START_TEST(one_of_two_hosts_runs_it)
{
	int64_t ttl;

	start_both(3000);
	wait_for(either_ran);
	ttl = lease("PTTL");
	ck_assert_msg(ttl > 0 && ttl <= 1200, "lease of %lld ms", (long long)ttl);	/* over before the next run, which is due after half of it */
	loop_until(never, 800);			/* both had their turn by now, and the lease lives */
	ck_assert_int_le(one.runs + two.runs, 1 + (ttl < 800));
	wait_for(others_ran);
	ck_assert(one.others == 1 && two.others == 1);	/* not leased: on each machine */
}
END_TEST

/* In any time both together run it no more often than leases allow. */
START_TEST(over_a_long_time_runs_are_a_lease_apart)
{
	mono_t all[128];
	int n = 0;

	start_both(500);
	loop_until(never, 6000);
	for (int i = 0; i < one.runs; i++)
		all[n++] = one.at[i];
	for (int i = 0; i < two.runs; i++)
		all[n++] = two.at[i];
	ck_assert_int_ge(n, 6);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			ck_assert_msg(i == k || llabs(mono_diff_ms(all[i], all[k])) >= 150, "two runs %lld ms apart",
				      (long long)llabs(mono_diff_ms(all[i], all[k])));
}
END_TEST

START_TEST(a_run_that_fails_gives_its_lease_back)
{
	start_both(60000);
	one.ok = two.ok = false;
	one.again_ms = two.again_ms = 60000;	/* they leave it to the other */
	one.conf->token_check = two.conf->token_check = 600;
	wait_for(both_ran);
	loop_until(never, 300);
	ck_assert_int_eq(one.runs, 1);
	ck_assert_int_eq(two.runs, 1);
	ck_assert_int_lt(lease("PTTL"), 0);
}
END_TEST

START_TEST(pauses_after_failures_double_up_to_the_longest)
{
	start_both(86400000);
	one.ok = false;
	jobs_free(&two.jobs);
	ck_assert(jobs_run_now(one.jobs, WATCHED, account_of(&one), NULL, NULL));
	wait_for(one_ran_often);
	for (int i = 1; i < 7; i++) {
		int64_t most = 50 << i, ms = mono_diff_ms(one.at[i], one.at[i - 1]);

		most = most < 1600 ? most : 1600;	/* jitter: half to all of it; then the next look, each 250 ms */
		ck_assert_msg(ms >= most / 2 && ms <= most + 250 + 400, "pause %d: %lld ms, not up to %lld", i, (long long)ms, (long long)most);
	}
	one.ok = true;
	one.runs = 0;
	wait_for(one_ran);
	loop_until(never, 400);
	ck_assert_int_eq(one.runs, 1);		/* as usual again: in a day */
}
END_TEST

static void on_done(void *arg, bool ok, const char *words)
{
	ck_assert_ptr_eq(arg, &one);
	done_ok += ok;
	done_bad += !ok;
	snprintf(done_words, sizeof(done_words), "%s", words);
}

START_TEST(an_operator_does_not_wait_for_a_lease_and_takes_none_away)
{
	int64_t ttl;

	start_both(86400000);
	two.is_slow = false;
	two.conf->token_check = 20000;
	jobs_free(&one.jobs);
	one.conf->job_first = 86400000;		/* two takes the lease, one does not even ask for it */
	one.jobs = jobs_new(loop, one.conf, one.store);
	jobs_add(one.jobs, WATCHED, true, run, &one);
	wait_for(either_ran);
	ck_assert_int_eq(one.runs, 0);
	ttl = lease("PTTL");
	ck_assert_int_gt(ttl, 0);
	one.ok = false;
	ck_assert(jobs_run_now(one.jobs, WATCHED, account_of(&one), on_done, &one));
	ck_assert_int_eq(done_bad, 1);
	ck_assert_str_eq(done_words, "not so");
	loop_until(never, 100);
	ck_assert_int_gt(lease("PTTL"), 0);	/* it is the other host's */
	one.is_slow = one.ok = true;
	ck_assert(jobs_run_now(one.jobs, WATCHED, account_of(&one), on_done, &one));
	ck_assert(!jobs_run_now(one.jobs, WATCHED, account_of(&one), on_done, &one));	/* under way */
	ck_assert(!jobs_run_now(one.jobs, OTHER, account_of(&one), on_done, &one));	/* nobody does it here */
	ck_assert_int_eq(done_ok, 0);
	end_open(&one, true);
	ck_assert_int_eq(done_ok, 1);
	ck_assert_str_eq(done_words, "fine");
}
END_TEST

static int views;
static struct job_view seen;
static char seen_words[200];

static void look(void *arg UNUSED, const struct job_view *v)
{
	if (v->kind != WATCHED)
		return;
	views++;
	seen = *v;
	snprintf(seen_words, sizeof(seen_words), "%s", v->words);
}

START_TEST(what_came_of_it_is_told_and_what_is_gone_forgotten)
{
	start_both(86400000);
	one.is_slow = true;
	ck_assert(jobs_run_now(one.jobs, WATCHED, account_of(&one), NULL, NULL));
	jobs_each(one.jobs, look, NULL);
	ck_assert(views == 1 && seen.is_running && !seen.was_run && seen.account == account_of(&one));
	end_open(&one, false);
	jobs_each(one.jobs, look, NULL);
	ck_assert(!seen.is_running && seen.was_run && !seen.ok && llabs(wall_ms() - seen.at_ms) < 5000 && seen.next_ms <= 100);
	ck_assert_str_eq(seen_words, "not so");
	wait_for(one_ran_twice);		/* tried again, slowly; meanwhile its account goes */
	ck_assert_ptr_nonnull(one.open);
	put_tenant(&one, "7");
	views = 0;
	end_open(&one, true);
	jobs_each(one.jobs, look, NULL);
	ck_assert_int_le(views, 1);
	ck_assert(!views || !strcmp(seen.account->phone_number_id, "7"));
}
END_TEST

/* Between its turn and the lease the account goes: nothing is run for it. */
START_TEST(an_account_that_went_while_the_lease_was_asked_for)
{
	int before;

	start_both(86400000);
	jobs_free(&two.jobs);
	one.conf->token_check = 200;
	jobs_free(&one.jobs);
	one.jobs = jobs_new(loop, one.conf, one.store);
	jobs_add(one.jobs, WATCHED, true, run, &one);
	while (!store_pending(one.store))	/* asked, not answered: the loop has not turned since */
		loop_until(never, 1);
	before = one.runs;			/* Redis may have been quick with an earlier one */
	tenant_set_forget(one.conf->tenants, "t");
	loop_until(never, 700);
	ck_assert_int_eq(one.runs, before);
}
END_TEST

START_TEST(without_redis_nothing_leased_is_run)
{
	start_both(200);
	one.is_slow = true;
	wait_for(one_is_open);
	end_open(&one, true);
	one.is_slow = false;
	store_free(&one.store);
	jobs_free(&one.jobs);
	one.runs = 0;
	one.store = store_new(loop, &(struct store_options){ .url = "redis://127.0.0.1:1", .connection_name = "test" }, &(struct store_callbacks){ 0 }, NULL);
	one.jobs = jobs_new(loop, one.conf, one.store);
	one.conf->token_look = 200;
	jobs_add(one.jobs, WATCHED, true, run, &one);
	jobs_add(one.jobs, OTHER, false, run_other, &one);
	one.others = 0;
	loop_until(never, 1200);
	ck_assert_int_eq(one.runs, 0);
	ck_assert_int_ge(one.others, 1);	/* each machine's own goes on */
}
END_TEST

static bool one_did_the_other(void) { return one.others >= 1; }
static bool one_did_the_other_again(void) { return one.others >= 2; }

START_TEST(what_has_changed_is_looked_at_soon_and_once)
{
	mono_t first;

	start_both(86400000);
	jobs_free(&two.jobs);
	one.conf->job_first = 86400000;
	jobs_free(&one.jobs);
	one.jobs = jobs_new(loop, one.conf, one.store);
	jobs_add(one.jobs, OTHER, false, run_other, &one);
	loop_until(never, 600);
	ck_assert_int_eq(one.others, 0);
	for (int i = 0; i < 5; i++)
		jobs_soon(one.jobs, OTHER, account_of(&one));
	wait_for(one_did_the_other);
	first = mono_now();
	for (int i = 0; i < 5; i++)
		jobs_soon(one.jobs, OTHER, account_of(&one));	/* again: not at once, or a flood of webhooks would use up Graph's quota */
	loop_until(never, 2000);
	ck_assert_int_eq(one.others, 1);
	wait_for(one_did_the_other_again);
	ck_assert_int_ge(mono_diff_ms(mono_now(), first), 4500);
	loop_until(never, 600);
	ck_assert_int_eq(one.others, 2);
}
END_TEST

int main(void)
{
	Suite *s;
	TCase *c;

	if (!getenv("REDIS_URL")) {
		puts("1..0 # SKIP REDIS_URL is not set");
		return EXIT_SUCCESS;
	}
	s = suite_create("jobs");
	c = tcase_create("jobs");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	tcase_add_test(c, one_of_two_hosts_runs_it);
	tcase_add_test(c, over_a_long_time_runs_are_a_lease_apart);
	tcase_add_test(c, a_run_that_fails_gives_its_lease_back);
	tcase_add_test(c, pauses_after_failures_double_up_to_the_longest);
	tcase_add_test(c, an_operator_does_not_wait_for_a_lease_and_takes_none_away);
	tcase_add_test(c, what_came_of_it_is_told_and_what_is_gone_forgotten);
	tcase_add_test(c, an_account_that_went_while_the_lease_was_asked_for);
	tcase_add_test(c, without_redis_nothing_leased_is_run);
	tcase_add_test(c, what_has_changed_is_looked_at_soon_and_once);
	return io_run(s);
}
