/* One end of a real pair of sockets: order, packets that are whole, more than the kernel takes, ends that die. */
#include "test_io.h"

#include "io/packets.h"

enum { MANY = 3000 };

static int fds[2];
static struct packets *here, *there;
static int64_t got, next, wanted;
static size_t lengths;

static size_t size_of(int64_t i)
{
	static const size_t sizes[] = { 8, 9, 4096, PACKET_MAX - 1, PACKET_MAX };

	return sizes[i % (int64_t)ARRAY_LEN(sizes)];
}

/* Its number, then a byte that follows from it and the place: a cut or mixed one is seen. */
static void fill(char *p, size_t len, int64_t i)
{
	memcpy(p, &i, sizeof(i));
	for (size_t k = sizeof(i); k < len; k++)
		p[k] = (char)((size_t)i * 31 + k);
}

static void on_packet(void *arg UNUSED, const char *data, size_t len)
{
	static char want[PACKET_MAX];
	int64_t i;

	memcpy(&i, data, sizeof(i));
	ck_assert_int_eq(i, next);
	ck_assert_uint_eq(len, size_of(i));
	fill(want, len, i);
	ck_assert_int_eq(memcmp(data, want, len), 0);
	next++;
	got++;
	lengths += len;
}

static int put(struct packets *k, int64_t i)
{
	static char packet[PACKET_MAX];

	fill(packet, size_of(i), i);
	return packets_send(k, packet, size_of(i));
}

static bool has_got(void) { return got >= wanted; }

static void setup(void)
{
	io_setup();
	got = next = wanted = 0;
	lengths = 0;
	here = there = NULL;
	ck_assert_int_eq(packets_pair(fds), 0);
	here = packets_new(loop, fds[0], on_packet, NULL);
}

static void teardown(void)
{
	packets_free(&here);
	packets_free(&there);
	io_teardown();
}

START_TEST(more_than_the_kernel_takes_comes_in_order_and_whole)
{
	size_t sent = 0;

	for (int64_t i = 0; i < MANY / 4; i++) {
		ck_assert_int_eq(put(here, i), 0);
		sent += size_of(i);
	}
	ck_assert_uint_gt(sent, 8 << 20);		/* far beyond what sockets are given */
	there = packets_new(loop, fds[1], on_packet, NULL);
	wanted = MANY / 4;
	wait_for(has_got);
	loop_until(never, 20);
	ck_assert_int_eq(got, wanted);
	ck_assert_uint_eq(lengths, sent);
}
END_TEST

static int64_t refilled;

/* Whoever takes one makes room for another. */
static void on_packet_put_more(void *arg, const char *data, size_t len)
{
	on_packet(arg, data, len);
	if (refilled < MANY)
		ck_assert_int_eq(put(here, refilled++), 0);
}

START_TEST(while_some_wait_others_do_not_overtake)
{
	for (refilled = 0; refilled < 600; refilled++)
		ck_assert_int_eq(put(here, refilled), 0);
	there = packets_new(loop, fds[1], on_packet_put_more, NULL);
	wanted = MANY;
	wait_for(has_got);
	ck_assert_int_eq(got, MANY);
}
END_TEST

START_TEST(what_waits_has_an_end_and_what_is_refused_was_not_taken)
{
	size_t sent = 0;
	int64_t n = 0;

	while (put(here, n) == 0)
		sent += size_of(n++);
	ck_assert_uint_ge(sent, PACKETS_WAITING_MAX - PACKET_MAX);
	ck_assert_uint_le(sent, PACKETS_WAITING_MAX + (8 << 20));	/* what waits and what the kernel has */
	there = packets_new(loop, fds[1], on_packet, NULL);
	wanted = n;
	wait_for(has_got);
	ck_assert_int_eq(put(here, n), 0);		/* there is room again */
	wanted = n + 1;
	wait_for(has_got);
	loop_until(never, 20);
	ck_assert_int_eq(got, n + 1);
}
END_TEST

static bool takes_no_more(void)
{
	return put(here, 0) < 0;
}

START_TEST(when_the_other_end_is_closed_nothing_is_taken)
{
	for (int64_t i = 0; i < 500; i++)
		ck_assert_int_eq(put(here, i), 0);
	there = packets_new(loop, fds[1], on_packet, NULL);
	packets_free(&there);
	wait_for(takes_no_more);
	ck_assert_int_eq(got, 0);
}
END_TEST

/* As the supervisor does it: both ends stay open, processes come and go. */
START_TEST(a_second_reader_gets_what_the_first_did_not_read)
{
	int copy = dup(fds[1]), copy2 = dup(fds[1]);

	for (int64_t i = 0; i < 400; i++)
		ck_assert_int_eq(put(here, i), 0);
	there = packets_new(loop, copy, on_packet, NULL);
	wanted = 1;
	wait_for(has_got);
	packets_free(&there);				/* it dies with packets unread */
	ck_assert_int_lt(got, 400);
	for (int64_t i = 400; i < 500; i++)
		ck_assert_int_eq(put(here, i), 0);	/* nobody is there, and nothing is refused */
	there = packets_new(loop, copy2, on_packet, NULL);
	wanted = 500;
	wait_for(has_got);
	close(fds[1]);
}
END_TEST

static int n_raw;

static void count_raw(void *arg UNUSED, const char *data UNUSED, size_t len)
{
	ck_assert_uint_le(len, PACKET_MAX);
	n_raw++;
}

static bool has_one(void) { return n_raw >= 1; }

/* Nobody of ours sends it; a part of it would be worse than nothing. */
START_TEST(a_packet_that_is_too_large_is_left_out_not_cut)
{
	char *large = mem_alloc(PACKET_MAX + 1);

	n_raw = 0;
	packets_free(&here);
	ck_assert_int_eq(packets_pair(fds), 0);
	here = packets_new(loop, fds[0], count_raw, NULL);
	ck_assert_int_eq(send(fds[1], large, PACKET_MAX + 1, 0), PACKET_MAX + 1);
	ck_assert_int_eq(send(fds[1], large, PACKET_MAX, 0), PACKET_MAX);
	wait_for(has_one);
	loop_until(never, 20);
	ck_assert_int_eq(n_raw, 1);
	close(fds[1]);
	free(large);
}
END_TEST

START_TEST(freed_with_packets_that_wait)
{
	for (int64_t i = 0; i < 500; i++)
		ck_assert_int_eq(put(here, i), 0);
	packets_free(&here);
	ck_assert_ptr_null(here);
	packets_free(&here);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("packets");
	TCase *c = tcase_create("packets");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	suite_add_tcase(s, c);
	tcase_add_test(c, more_than_the_kernel_takes_comes_in_order_and_whole);
	tcase_add_test(c, while_some_wait_others_do_not_overtake);
	tcase_add_test(c, what_waits_has_an_end_and_what_is_refused_was_not_taken);
	tcase_add_test(c, when_the_other_end_is_closed_nothing_is_taken);
	tcase_add_test(c, a_second_reader_gets_what_the_first_did_not_read);
	tcase_add_test(c, a_packet_that_is_too_large_is_left_out_not_cut);
	tcase_add_test(c, freed_with_packets_that_wait);
	return io_run(s);
}
