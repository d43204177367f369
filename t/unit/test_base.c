/* What everything stands on: heap, log, random numbers, scoreboard. */
#include "unit.h"

#include <unistd.h>

#include "base/board.h"
#include "base/log.h"
#include "base/names.h"
#include "base/heap.h"
#include "base/rand.h"
#include "base/strbuf.h"

/* ---- heap: against a list that is sorted by hand ---- */

enum { HEAP_ITEMS = 200 };

struct item { struct heap_node node; int64_t weight; };

static bool lighter(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF(a, const struct item, node)->weight < CONTAINER_OF(b, const struct item, node)->weight;
}

static int64_t lightest(const struct item *items)
{
	int64_t min = INT64_MAX;

	for (int i = 0; i < HEAP_ITEMS; i++)
		if (items[i].node.index >= 0 && items[i].weight < min)
			min = items[i].weight;
	return min;
}

START_TEST(heap_agrees_with_looking_at_all)
{
	static struct item items[HEAP_ITEMS];
	struct heap h;
	int in = 0;

	heap_init(&h, lighter);
	ck_assert_ptr_null(heap_pop(&h));
	for (int i = 0; i < HEAP_ITEMS; i++)
		items[i].node.index = -1;
	srand(4);
	for (int i = 0; i < 20000; i++) {
		struct item *it = &items[rand() % HEAP_ITEMS];

		if (rand() % 5 == 0) {
			struct heap_node *top = heap_pop(&h);

			in -= top != NULL;
			ck_assert(!top || top->index == -1);
		} else if (it->node.index < 0) {
			it->weight = rand() % 50;	/* many of the same weight */
			heap_push(&h, &it->node);
			in++;
		} else {
			heap_remove(&h, &it->node);
			in--;
			ck_assert_int_eq(it->node.index, -1);
		}
		ck_assert_int_eq(h.len, in);
		ck_assert(in ? CONTAINER_OF(heap_top(&h), struct item, node)->weight == lightest(items) : !heap_top(&h));
	}
	for (int64_t last = -1; heap_top(&h); ) {
		struct item *it = CONTAINER_OF(heap_pop(&h), struct item, node);

		ck_assert(it->weight >= last);
		last = it->weight;
		heap_remove(&h, &it->node);	/* is out already: nothing happens */
	}
	heap_push(&h, &items[0].node);
	heap_release(&h);
	ck_assert_int_eq(items[0].node.index, -1);
}
END_TEST

/* ---- log ---- */

static char *logged(const char *text)
{
	static char line[20000];
	char path[256];
	ssize_t n;
	int fd;

	unit_temporary(path, sizeof(path), "test_base");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO), 0);
	log_set_who("sender[%d]", 3);
	log_info("word", "id=%s end", text);
	log_debug("quiet", "below the level");
	ck_assert_int_eq(log_open("stderr", LOG_LEVEL_INFO), 0);
	n = read(fd, line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = 0;
	close(fd);
	unlink(path);
	return line;
}

START_TEST(nothing_from_outside_can_forge_a_log_line)
{
	static const struct { const char *text, *shown; } rows[] = {
		{ "plain \xc3\xa4", "plain \xc3\xa4" }, { "a\nb", "a\\x0ab" }, { "a\r\nb", "a\\x0d\\x0ab" }, { "\x1b[2J", "\\x1b[2J" },
		{ "\t\x7f\x01", "\\x09\\x7f\\x01" }, { "", "" }, { "%s%n", "%s%n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf want = STRBUF_INIT;
		const char *line = logged(rows[i].text);

		strbuf_addf(&want, "Z info sender[3] word id=%s end\n", rows[i].shown);
		ck_assert_msg(strlen(line) == 23 + want.len && !strcmp(line + 23, want.buf), "%s", line);
		strbuf_release(&want);
	}
}
END_TEST

START_TEST(a_log_line_ends_at_8_kib)
{
	static char text[10000];

	memset(text, '\n', sizeof(text) - 1);
	ck_assert_uint_le(strlen(logged(text)), 8192);
	memset(text, 'a', sizeof(text) - 1);
	ck_assert_uint_le(strlen(logged(text)), 8192);
	ck_assert_uint_ge(strlen(logged(text)), 8100);
	ck_assert_ptr_eq(strchr(logged(text), '\n'), logged(text) + strlen(logged(text)) - 1);
}
END_TEST

START_TEST(log_levels_have_names)
{
	enum log_level l;

	for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++)
		ck_assert(log_level_parse(log_level_name((enum log_level)i), &l) == 0 && l == (enum log_level)i);
	ck_assert_int_lt(log_level_parse("INFO", &l), 0);
	ck_assert_int_lt(log_level_parse("", &l), 0);
	ck_assert_int_lt(log_open("/nonexistent/wamd.log", LOG_LEVEL_INFO), 0);
}
END_TEST

/* ---- random numbers, scoreboard ---- */

START_TEST(random_numbers_keep_to_their_range_and_reach_its_ends)
{
	static const struct { int64_t lo, hi; } rows[] = { { 0, 3 }, { -2, 2 }, { 7, 7 }, { INT64_MAX - 1, INT64_MAX }, { INT64_MIN, INT64_MIN + 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool lo = false, hi = false;

		for (int k = 0; k < 1000; k++) {
			int64_t v = rand_between(rows[i].lo, rows[i].hi);

			ck_assert(v >= rows[i].lo && v <= rows[i].hi);
			lo |= v == rows[i].lo;
			hi |= v == rows[i].hi;
		}
		ck_assert_msg(lo && hi, "row %zu", i);
	}
}
END_TEST

START_TEST(parent_and_child_get_different_bytes)
{
	uint64_t mine, its;
	int fds[2];

	(void)rand_u64();				/* the pool is filled before the fork */
	ck_assert_int_eq(pipe(fds), 0);
	if (fork() == 0) {
		rand_after_fork();
		its = rand_u64();
		_exit(write(fds[1], &its, sizeof(its)) == sizeof(its) ? 0 : 1);
	}
	ck_assert_int_eq(read(fds[0], &its, sizeof(its)), sizeof(its));
	mine = rand_u64();
	ck_assert_uint_ne(mine, its);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_replacement_goes_on_counting_in_its_slot)
{
	int fd;
	struct board *b = board_new(&fd), *again = board_adopt(fd);
	struct board_slot *first = board_take(b, "sender", 0), *second, *other;

	first->pid = 100;
	board_count(first, COUNT_SENT);
	second = board_take(b, "sender", 0);		/* the first still drains */
	ck_assert_ptr_ne(second, first);
	second->pid = 101;
	other = board_take(b, "keeper", 0);
	ck_assert(other != first && other != second && !strcmp(other->role, "keeper"));
	other->pid = 102;
	first->pid = 0;
	ck_assert_ptr_ne(board_take(b, "sender", 1), first);	/* another number's counters are not its own */
	ck_assert_ptr_eq(board_take(b, "sender", 0), first);
	ck_assert_uint_eq(first->counters[COUNT_SENT], 1);
	ck_assert_str_eq(counter_name(COUNT_SENT), "sent");
	ck_assert_str_eq(gauge_name(GAUGE_READY), "ready");
	ck_assert_ptr_nonnull(again);
	ck_assert_uint_eq(again->slots[first - b->slots].counters[COUNT_SENT], 1);
	again->layout++;				/* a program with other counters */
	ck_assert_ptr_null(board_adopt(fd));
}
END_TEST

/* ---- names ---- */

struct thing { struct name name; char text[8]; bool drop; };

static bool drop(void *arg, struct name *n)
{
	(void)arg;
	return CONTAINER_OF(n, struct thing, name)->drop;
}

START_TEST(names_are_found_added_and_taken_out)
{
	static struct thing things[100];
	struct names ns = { 0 };

	ck_assert_ptr_null(names_find(&ns, ""));
	names_remove(&ns, "nobody");
	for (int i = 0; i < 100; i++) {
		struct thing *t = &things[(i * 37) % 100];

		snprintf(t->text, sizeof(t->text), "n%d", (i * 37) % 100);
		t->name.text = t->text;
		t->drop = (i * 37) % 3 == 0;
		names_add(&ns, &t->name);
	}
	ck_assert_int_eq(ns.n, 100);
	for (int i = 1; i < 100; i++)
		ck_assert_int_lt(strcmp(ns.v[i - 1]->text, ns.v[i]->text), 0);
	names_remove(&ns, "n50");
	ck_assert_ptr_null(names_find(&ns, "n50"));
	names_sweep(&ns, drop, NULL);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_eq(names_find(&ns, things[i].text), i == 50 || things[i].drop ? NULL : &things[i].name);
	ck_assert_ptr_null(names_find(&ns, "n"));
	names_release(&ns);
	ck_assert_int_eq(ns.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *rest = unit_case(s, "base");

	tcase_add_test(rest, heap_agrees_with_looking_at_all);
	tcase_add_test(rest, nothing_from_outside_can_forge_a_log_line);
	tcase_add_test(rest, a_log_line_ends_at_8_kib);
	tcase_add_test(rest, log_levels_have_names);
	tcase_add_test(rest, random_numbers_keep_to_their_range_and_reach_its_ends);
	tcase_add_test(rest, parent_and_child_get_different_bytes);
	tcase_add_test(rest, a_replacement_goes_on_counting_in_its_slot);
	tcase_add_test(rest, names_are_found_added_and_taken_out);
	return unit_run(s);
}
