#include "msg/reason.h"

#include "base/base.h"

static const char *const codes[] = {
	[REASON_NONE] = "",
#define REASON(ident, code, help) [REASON_##ident] = code,
#include "tbl/reasons.h"
#undef REASON
};

const char *reason_code(enum reason r)
{
	return codes[r];
}

enum reason reason_of_code(const char *code)
{
	for (size_t i = REASON_NONE + 1; i < ARRAY_LEN(codes); i++)
		if (!strcmp(codes[i], code))
			return (enum reason)i;
	return REASON_NONE;
}
