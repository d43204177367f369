/* Tenants, and what the keeper does for their accounts. */
#include <sysexits.h>

#include "ctl/show.h"
#include "ctl/table.h"

int show_tenant_list(const json_t *a)
{
	const json_t *source = json_object_get(a, "source"), *t;
	struct table rows;
	size_t i;

	if (json_object_get(source, "url"))
		printf("from %s: %s, %lld calls, %lld failed%s%s\n", answer_text(source, "url"),
		       answer_flag(source, "away") ? "away" : "answers", answer_number(source, "calls"), answer_number(source, "failures"),
		       json_object_get(source, "last_failure") ? ", the last: " : "",
		       json_object_get(source, "last_failure") ? answer_text(source, "last_failure") : "");
	table_init(&rows, "TENANT STATUS >ACCOUNTS PORTFOLIO");
	json_array_foreach(json_object_get(a, "tenants"), i, t) {
		table_add(&rows, answer_text(t, "tenant_id"));
		table_add(&rows, answer_text(t, "status"));
		table_add_number(&rows, answer_number(t, "accounts"));
		table_add(&rows, answer_text(t, "portfolio"));
	}
	table_print(&rows, stdout);
	table_release(&rows);
	return 0;
}

int show_tenant_show(const json_t *a)
{
	const json_t *account, *on;
	const char *name;
	struct table rows;
	size_t i;

	printf("tenant     %s\nstatus     %s\nportfolio  %s\n", answer_text(a, "tenant_id"), answer_text(a, "status"),
	       answer_text(a, "portfolio"));
	if (json_object_get(a, "rate"))
		printf("rate       %lld a second\n", answer_number(a, "rate"));
	printf("off       ");
	json_object_foreach((json_t *)(uintptr_t)json_object_get(a, "features"), name, on)
		if (json_is_false(on))
			printf(" %s", name);
	puts("");
	table_init(&rows, "ACCOUNT NUMBER WABA >RATE TIER ENABLED TOKEN-ENDS");
	json_array_foreach(json_object_get(a, "accounts"), i, account) {
		table_add(&rows, answer_text(account, "account_id"));
		table_add(&rows, answer_text(account, "phone_number_id"));
		table_add(&rows, answer_text(account, "waba_id"));
		table_add_number(&rows, answer_number(account, "rate"));
		table_add(&rows, answer_text(account, "tier"));
		table_add(&rows, answer_flag(account, "enabled") ? "yes" : "no");
		table_add(&rows, answer_text(account, "token_expires_at"));
	}
	table_print(&rows, stdout);
	table_release(&rows);
	return 0;
}

int show_tenant_refresh(const json_t *a)
{
	printf("asked for anew: %lld\n", answer_number(a, "tenants"));
	return 0;
}

int show_job_list(const json_t *a)
{
	const json_t *j;
	struct table rows;
	size_t i;

	table_init(&rows, "JOB TENANT ACCOUNT RESULT AT >NEXT WORDS");
	json_array_foreach(json_object_get(a, "jobs"), i, j) {
		char next[32];

		answer_age(answer_number(j, "next_s"), next);
		table_add(&rows, answer_text(j, "job"));
		table_add(&rows, answer_text(j, "tenant_id"));
		table_add(&rows, answer_text(j, "account_id"));
		table_add(&rows, answer_text(j, "result"));
		table_add(&rows, answer_text(j, "at"));
		table_add(&rows, next);
		table_add(&rows, answer_text(j, "words"));
	}
	table_print(&rows, stdout);
	table_release(&rows);
	return 0;
}

static int show_job(const json_t *a)
{
	puts(answer_text(a, "words"));
	return answer_flag(a, "ok") ? 0 : EX_TEMPFAIL;
}

int show_token_check(const json_t *a)
{
	return show_job(a);
}

int show_token_refresh(const json_t *a)
{
	return show_job(a);
}
