/* Files that were given to wamd, and their ids at Graph. */
#include "ctl/show.h"
#include "ctl/table.h"

static void print_file(const json_t *a)
{
	static const char *const rows[][2] = {
		{ "handle", "handle" }, { "mime", "type" }, { "kind", "kind" }, { "filename", "name" }, { "since", "since" },
		{ "last_used", "last used" },
	};

	if (json_object_get(a, "sha256"))
		printf("%-10s sha256:%s\n", "ref", answer_text(a, "sha256"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (json_object_get(a, rows[i][0]))
			printf("%-10s %s\n", rows[i][1], answer_text(a, rows[i][0]));
	if (json_object_get(a, "size"))
		printf("%-10s %lld\n", "bytes", answer_number(a, "size"));
}

int show_media_upload(const json_t *a)
{
	print_file(a);
	if (!json_object_get(a, "handle"))
		puts("no handle: Redis does not answer; messages may name the ref");
	return 0;
}

static void print_ids(const json_t *ids)
{
	const json_t *one;
	struct table t;
	size_t i;

	if (json_array_size(ids) == 0)
		return;
	table_init(&t, "ACCOUNT NUMBER ID");
	json_array_foreach(ids, i, one) {
		table_add(&t, answer_text(one, "account_id"));
		table_add(&t, answer_text(one, "phone_number_id"));
		table_add(&t, answer_text(one, "media_id"));
	}
	table_print(&t, stdout);
	table_release(&t);
}

int show_media_show(const json_t *a)
{
	const json_t *graph = json_object_get(a, "graph");

	print_file(a);
	if (json_object_get(a, "here"))
		printf("%-10s %s\n", "on disk", answer_flag(a, "here") ? "yes" : "no");
	print_ids(json_object_get(a, "ids"));
	if (graph)
		printf("Graph has %s: %s, %lld bytes, sha256 %s\n", answer_text(a, "media_id"), answer_text(graph, "mime"),
		       answer_number(graph, "size"), answer_text(graph, "sha256"));
	return 0;
}

int show_media_delete(const json_t *a)
{
	if (json_object_get(a, "sha256"))
		printf("sha256:%s: %s\n", answer_text(a, "sha256"), answer_flag(a, "here") ? "removed" : "it was not on this machine");
	if (json_object_get(a, "graph"))
		printf("%s: deleted at Graph\n", answer_text(a, "media_id"));
	return 0;
}
