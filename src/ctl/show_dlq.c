#include <sysexits.h>

#include "ctl/show.h"

int show_dlq_list(const json_t *a)
{
	const json_t *letters = json_object_get(a, "letters"), *l;
	json_int_t more = answer_number(a, "matched") - (json_int_t)json_array_size(letters);
	size_t i;

	if (answer_number(a, "matched") == 0) {
		puts("no dead letter matches");
		return 0;
	}
	printf("%-24s %-12s %-12s %-24s %-16s %7s %8s\n", "DIED-AT", "TENANT", "ACCOUNT", "ID", "REASON", "CODE", "ATTEMPTS");
	json_array_foreach(letters, i, l)
		printf("%-24s %-12s %-12s %-24s %-16s %7lld %8lld\n", answer_text(l, "died_at"), answer_text(l, "tenant_id"), answer_text(l, "account_id"),
		       answer_text(l, "id"), answer_text(l, "reason"), answer_number(l, "code"), answer_number(l, "attempts"));
	if (more > 0)
		printf("and %lld more (--limit)\n", (long long)more);
	return 0;
}

int show_dlq_show(const json_t *a)
{
	json_dumpf(a, stdout, JSON_INDENT(2));
	putchar('\n');
	return 0;
}

/* Why some were left, and whether it was all; exit status 75 when it was not. */
static int show_rest(const json_t *a)
{
	const json_t *because = json_object_get(a, "skipped_because"), *v;
	const char *reason, *comma = "";

	if (answer_number(a, "skipped") > 0) {
		printf("skipped: ");
		json_object_foreach((json_t *)(uintptr_t)because, reason, v) {
			printf("%s%lld %s", comma, (long long)json_integer_value(v), reason);
			comma = ", ";
		}
		putchar('\n');
	}
	if (!json_object_get(a, "stopped"))
		return 0;
	fprintf(stderr, "wamctl: ended early: %s\n", answer_text(a, "stopped"));
	return EX_TEMPFAIL;
}

int show_dlq_replay(const json_t *a)
{
	if (json_is_true(json_object_get(a, "dry_run")))
		printf("%lld dead letters match, %lld of them would be replayed\n", answer_number(a, "matched"),
		       (long long)(answer_number(a, "matched") - answer_number(a, "skipped")));
	else
		printf("%lld of %lld matching dead letters replayed, %lld skipped; %lld are left\n", answer_number(a, "replayed"),
		       answer_number(a, "matched"), answer_number(a, "skipped"), answer_number(a, "left"));
	return show_rest(a);
}

int show_dlq_drop(const json_t *a)
{
	if (json_is_true(json_object_get(a, "dry_run")))
		printf("%lld dead letters would be dropped\n", answer_number(a, "matched"));
	else
		printf("%lld dead letters dropped; %lld are left\n", answer_number(a, "dropped"), answer_number(a, "left"));
	return show_rest(a);
}

int show_dlq_progress(const json_t *a)
{
	if (answer_flag(a, "busy"))
		printf("dlq %s: %s, %lld of %lld letters, for %lld s\n", answer_text(a, "command"), answer_text(a, "stage"), answer_number(a, "done"),
		       answer_number(a, "total"), answer_number(a, "s"));
	else
		puts("no command works on the dead letters");
	return 0;
}

int show_dlq_edit(const json_t *a)
{
	printf("edited; send it with: wamctl dlq replay --tenant %s --id %s\n", answer_text(a, "tenant_id"), answer_text(a, "id"));
	return 0;
}
