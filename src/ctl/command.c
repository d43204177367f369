#include "ctl/command.h"

#include <string.h>

#include "ctl/show.h"

const struct ctl_command ctl_commands[] = {
#define CTL(ident, words, arguments, options, method, path, help) { words, arguments, options, method, path, help, show_##ident, NULL },
#include "tbl/ctl_commands.h"
#undef CTL
#define LOCAL(ident, words, arguments, options, help) { words, arguments, options, NULL, NULL, help, NULL, run_##ident },
#include "tbl/ctl_local.h"
#undef LOCAL
};
const int n_ctl_commands = ARRAY_LEN(ctl_commands);

/* ---- help ---- */

/* Where the next option begins, and what this one takes: "name", "name=" or "name[=]". */
enum takes { TAKES_NOTHING, TAKES_VALUE, TAKES_VALUE_OR_NOT };

static enum takes option_takes(const char *option, size_t *name_len, const char **next)
{
	size_t all = strcspn(option, " ");

	*name_len = strcspn(option, " =[");
	*next = option + all + (option[all] == ' ');
	return option[*name_len] == '=' ? TAKES_VALUE : option[*name_len] == '[' ? TAKES_VALUE_OR_NOT : TAKES_NOTHING;
}

/* Behind its command, on a line of their own. */
static void print_options(FILE *out, const char *options)
{
	static const char *const values[] = { [TAKES_NOTHING] = "", [TAKES_VALUE] = " …", [TAKES_VALUE_OR_NOT] = "[=…]" };
	const char *lead = "      ";

	while (*options) {
		const char *option = options;
		size_t len;
		enum takes takes = option_takes(option, &len, &options);

		fprintf(out, "%s--%.*s%s", lead, (int)len, option, values[takes]);
		lead = " ";
	}
	if (*lead && !lead[1])
		fputc('\n', out);
}

void ctl_command_usage(const struct ctl_command *c, FILE *out)
{
	fprintf(out, "usage: wamctl %s%s%s%s\n  %s\n", c->words, *c->arguments ? " " : "", c->arguments, *c->options ? " [--option …]" : "", c->help);
	print_options(out, c->options);
}

static bool is_of_group(const struct ctl_command *c, const char *group)
{
	size_t len = strlen(group);

	return !strncmp(c->words, group, len) && c->words[len] == ' ';
}

/* Bytes that are no column: of a character in UTF-8 all but the first. */
static int narrow_bytes(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) == 0x80;
	return n;
}

void ctl_list(FILE *out, const char *group)
{
	for (int i = 0; i < n_ctl_commands; i++) {
		const struct ctl_command *c = &ctl_commands[i];
		char line[80];

		if (group && !is_of_group(c, group))
			continue;
		snprintf(line, sizeof(line), "%s%s%s", c->words, *c->arguments ? " " : "", c->arguments);
		fprintf(out, "  %-*s %s\n", 38 + narrow_bytes(line), line, c->help);
		print_options(out, c->options);
	}
}

/* ---- words ---- */

/* Number of the caller's words the command's own words take, 0: another command. */
static int matches(const struct ctl_command *c, int n, char **words)
{
	const char *p = c->words;
	int i = 0;

	for (; *p && i < n; i++) {
		size_t len = strcspn(p, " ");

		if (strlen(words[i]) != len || memcmp(words[i], p, len))
			return 0;
		p += len + (p[len] == ' ');
	}
	return *p ? 0 : i;
}

const struct ctl_command *ctl_command_find(int n, char **words, int *took)
{
	for (int i = 0; i < n_ctl_commands; i++) {
		*took = matches(&ctl_commands[i], n, words);
		if (*took)
			return &ctl_commands[i];
	}
	return NULL;
}

int ctl_param_add(struct ctl_params *p, const char *name, size_t len, const char *value)
{
	if (p->n == CTL_PARAMS_MAX || len >= sizeof(p->v[0].name))
		return -1;
	snprintf(p->v[p->n].name, sizeof(p->v[0].name), "%.*s", (int)len, name);
	p->v[p->n++].value = value;
	return 0;
}

const char *ctl_param_at(const struct ctl_params *p, const char *name, int i)
{
	for (int k = 0; k < p->n; k++)
		if (!strcmp(p->v[k].name, name) && i-- == 0)
			return p->v[k].value;
	return NULL;
}

const char *ctl_param(const struct ctl_params *p, const char *name)
{
	return ctl_param_at(p, name, 0);
}

static bool names_file(const char *option, size_t len)
{
	return len > 5 && !memcmp(option + len - 5, "-file", 5);
}

static int take_file(struct ctl_params *p, const char *option, size_t len, const char *value)
{
	if (p->file || len >= sizeof(p->file_option))
		return -1;
	p->file = value;
	snprintf(p->file_option, sizeof(p->file_option), "%.*s", (int)len, option);
	return 0;
}

static const char *find_option(const struct ctl_command *c, const char *given, size_t len, enum takes *takes)
{
	const char *next = c->options, *o;
	size_t known;

	while (*next) {
		o = next;
		*takes = option_takes(o, &known, &next);
		if (known == len && !memcmp(o, given, len))
			return o;
	}
	return NULL;
}

/* words[0] is --name or --name=value.  How many words it took; 0: no such option, or its value is missing. */
static int read_option(const struct ctl_command *c, int n, char **words, struct ctl_params *p)
{
	const char *given = words[0] + 2, *value;
	size_t len = strcspn(given, "=");
	enum takes takes = TAKES_NOTHING;
	const char *o = find_option(c, given, len, &takes);
	bool is_next = takes == TAKES_VALUE && !given[len];

	if (!o || (takes == TAKES_NOTHING && given[len]) || (is_next && n < 2))
		return 0;
	value = given[len] ? given + len + 1 : is_next ? words[1] : takes == TAKES_NOTHING ? "1" : "";
	if ((names_file(o, len) ? take_file(p, o, len, value) : ctl_param_add(p, o, len, value)) < 0)
		return 0;
	return is_next ? 2 : 1;
}

static int read_argument(const char *name, size_t len, const char *word, struct ctl_params *p)
{
	if (*name == '[')		/* "[name…]" */
		return ctl_param_add(p, name + 1, len - strlen("[…]"), word) < 0 ? 0 : 1;
	if (len == 4 && !memcmp(name, "file", 4)) {
		p->file = word;
		return 1;
	}
	return ctl_param_add(p, name, len, word) < 0 ? 0 : 1;
}

int ctl_params_read(const struct ctl_command *c, int n, char **words, struct ctl_params *p)
{
	const char *left = c->arguments;
	bool only_words = false;	/* behind "--" */
	int i = 0;

	*p = (struct ctl_params){ .n = 0 };
	while (i < n) {
		size_t len = strcspn(left, " ");
		int took = 0;

		if (!only_words && !strcmp(words[i], "--help")) {
			p->wants_help = true;
			return 0;
		}
		if (!strcmp(words[i], "-1") && c->run == run_top) {	/* as top has it everywhere */
			took = ctl_param_add(p, "once", 4, "1") < 0 ? 0 : 1;
		} else if (!only_words && !strcmp(words[i], "--")) {
			only_words = true;
			took = 1;
		} else if (!only_words && !strncmp(words[i], "--", 2)) {
			took = read_option(c, n - i, words + i, p);
		} else if (*left) {
			took = read_argument(left, len, words[i], p);
			if (*left != '[')
				left += len + (left[len] == ' ');
		}
		if (!took)
			return -1;
		i += took;
	}
	return *left && *left != '[' ? -1 : 0;
}
