#include "ctl/show.h"
#include "ctl/table.h"

int show_alert_list(const json_t *a)
{
	const json_t *alerts = json_object_get(a, "alerts"), *o;
	struct table t;
	size_t i;

	if (!json_array_size(alerts)) {
		puts("no alert is active");
		return 0;
	}
	table_init(&t, "KIND SEVERITY TENANT ACCOUNT WHAT SINCE >TIMES TEXT");
	json_array_foreach(alerts, i, o) {
		static const char *const texts[] = { "kind", "severity", "tenant_id", "account_id", "what", "since" };

		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			table_add(&t, answer_text(o, texts[k]));
		table_add_number(&t, answer_number(o, "count"));
		table_add(&t, answer_text(o, "text"));
	}
	table_print(&t, stdout);
	table_release(&t);
	return 0;
}
