/* What a value may name instead of saying it: variables of the environment, and credentials that systemd has given. */
#include <stdlib.h>

#include "base/str.h"
#include "settings.h"

static const char credential_mark[] = "credential:";

/* Length of a variable's name, 0: it is none. */
static size_t name_length(const char *p)
{
	size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return *p >= '0' && *p <= '9' ? 0 : n;
}

/* p: behind "${".  Returns what follows the variable, NULL with the reason. */
static const char *expand_one(const char *p, struct strbuf *out, struct strbuf *why)
{
	size_t n = name_length(p);
	const char *value;
	char name[64];

	if (!n || n >= sizeof(name) || p[n] != '}') {
		why_write(why, "found \"${\", allowed ${NAME} with a name of A-Z a-z 0-9 _, or $${ for these two characters");
		return NULL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)n, p);
	value = getenv(name);
	if (!value) {
		why_write(why, "found \"${%s}\", which is not in the environment", name);
		return NULL;
	}
	strbuf_adds(out, value);
	return p + n + 1;
}

int conf_expand(const char *text, struct strbuf *out, struct strbuf *why)
{
	while (text && *text) {
		if (str_starts(text, "$${")) {
			strbuf_adds(out, "${");
			text += 3;
		} else if (str_starts(text, "${")) {
			text = expand_one(text + 2, out, why);
		} else {
			strbuf_addc(out, *text++);
		}
	}
	return text ? 0 : -1;
}

void conf_unexpand(const char *text, struct strbuf *out)
{
	for (; *text; text++) {
		if (str_starts(text, "${"))
			strbuf_addc(out, '$');
		strbuf_addc(out, *text);
	}
}

/* ---- secrets ---- */

static const char *credentials_directory(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	return dir && *dir == '/' ? dir : NULL;
}

char *conf_secret_path(const char *beside, const char *name, struct strbuf *why)
{
	const char *id = name + sizeof(credential_mark) - 1, *dir = credentials_directory();
	struct strbuf path = STRBUF_INIT;

	if (!str_starts(name, credential_mark))
		return conf_beside(beside, name);
	if (!*id || *id == '.' || strchr(id, '/')) {
		why_write(why, "found \"%.80s\", allowed credential:NAME with the name of a credential", name);
		return NULL;
	}
	if (!dir) {
		why_write(why, "found \"%.80s\", but there are no credentials: systemd gives them to a service with LoadCredential=, "
			  "in CREDENTIALS_DIRECTORY", name);
		return NULL;
	}
	strbuf_addf(&path, "%s/%s", dir, id);
	return strbuf_detach(&path);
}

bool conf_is_credential(const char *path)
{
	const char *dir = credentials_directory();
	size_t n = dir ? strlen(dir) : 0;

	return n && !strncmp(path, dir, n) && path[n] == '/';
}
