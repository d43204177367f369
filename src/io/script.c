#include "io/script.h"

#include "base/crypto.h"
#include "scripts_gen.h"

static struct { const char *name, *text; size_t len; char sha[SCRIPT_SHA_LEN + 1]; } scripts[] = {
#define SCRIPT(ident, file, help) [SCRIPT_##ident] = { #file, lua_##file, sizeof(lua_##file) - 1, "" },
#include "tbl/scripts.h"
#undef SCRIPT
};

const char *script_text(enum script which)
{
	return scripts[which].text;
}

const char *script_name(enum script which)
{
	return scripts[which].name;
}

size_t script_len(enum script which)
{
	return scripts[which].len;
}

const char *script_sha(enum script which)
{
	if (!scripts[which].sha[0])
		sha1_hex(scripts[which].text, scripts[which].len, scripts[which].sha);
	return scripts[which].sha;
}
