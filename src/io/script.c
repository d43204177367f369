#include "io/script.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"
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
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (scripts[which].sha[0])
		return scripts[which].sha;
	if (EVP_Digest(scripts[which].text, scripts[which].len, digest, &len, EVP_sha1(), NULL) != 1 ||
	    len * 2 != SCRIPT_SHA_LEN)
		BUG("no SHA-1 in this libcrypto");	/* Redis names scripts by it; nothing is protected by it */
	hex_encode(digest, len, scripts[which].sha);
	return scripts[which].sha;
}
