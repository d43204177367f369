#include "flow/rules.h"

#include <inttypes.h>
#include <string.h>

#include "flow/keys.h"

const char *rules_policy(const struct conf *c, const char *how)
{
	return !strcmp(how, "evidence") && !c->webhook_apps.n ? c->on_unknown_blind : how;
}

void rules_write(const struct conf *c, int64_t tail_ms, struct strbuf *out)
{
	const char *gap = "local ";

#define RULE(name, value) strbuf_addf(out, "%s" #name, gap), gap = ", ";
#define RULE_NUMBER(name, value) RULE(name, value)
#define RULE_ARGUMENT(name, value) RULE(name, value)
#define RULE_TEXT(name, value) RULE(name, value)
#include "tbl/rules.h"
#undef RULE_NUMBER
#undef RULE_ARGUMENT
#undef RULE_TEXT
	gap = " = ";
#define RULE_NUMBER(name, value) strbuf_addf(out, "%s%" PRId64, gap, (int64_t)(value)), gap = ", ";
#define RULE_ARGUMENT(name, value) strbuf_addf(out, "%s'%" PRId64 "'", gap, (int64_t)(value)), gap = ", ";
#define RULE_TEXT(name, value) strbuf_addf(out, "%s'%s'", gap, value), gap = ", ";
#include "tbl/rules.h"
#undef RULE_NUMBER
#undef RULE_ARGUMENT
#undef RULE_TEXT
	strbuf_addc(out, '\n');
}
