#include "api/audit.h"

#include "base/log.h"
#include "base/str.h"
#include "conf/tenants.h"

static bool is_call(const struct http_call *c, const char *method, const char *path)
{
	return !strcmp(http_call_method(c), method) && !strcmp(http_call_path(c), path);
}

/* NULL: it is none of the table's. */
static const char *command_of(const struct http_call *c)
{
	static const struct { const char *method, *path, *name; } commands[] = {
#define CTL(ident, words, arguments, options, method, path, help) { method, path, #ident },
#include "tbl/ctl_commands.h"
#undef CTL
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (is_call(c, commands[i].method, commands[i].path))
			return commands[i].name;
	return NULL;
}

bool call_only_looks(const struct http_call *c)
{
	return !strcmp(http_call_method(c), "GET") || is_call(c, "POST", "/v1/templates/preview");
}

void call_operator(struct http_call *c, char out[OPERATOR_MAX])
{
	struct http_peer peer = http_call_peer(c);

	if (peer.known)
		snprintf(out, OPERATOR_MAX, "uid=%u", (unsigned)peer.uid);
	else
		snprintf(out, OPERATOR_MAX, "who=console");
}

static const char *good_name(const char *name)
{
	return name && tenant_name_is_good(name) ? name : "-";
}

void audit(struct http_call *c, const char *refused)
{
	static struct log_limit limit;
	const char *command = command_of(c), *tenant = good_name(http_call_query(c, "tenant")), *account = good_name(http_call_query(c, "account"));
	struct http_peer peer = http_call_peer(c);
	char who[OPERATOR_MAX], process[48] = "";
	unsigned left_out;

	if (!command || call_only_looks(c))
		return;
	call_operator(c, who);
	if (peer.known)
		snprintf(process, sizeof(process), " gid=%u pid=%d", (unsigned)peer.gid, (int)peer.pid);
	if (!refused)
		log_notice("operator", "%s%s asks=%s tenant=%s account=%s", who, process, command, tenant, account);
	else if (log_limit_ok(&limit, &left_out))
		log_notice("operator", "%s%s asks=%s tenant=%s account=%s refused=%s", who, process, command, tenant, account, refused);
}
