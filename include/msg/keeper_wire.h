/*
 * keeper_wire - how an api asks the keeper of its machine for what needs a token, and what it hears.  Pure.
 *
 * An answer is what the api answers: a status of HTTP and a document, in parts that fit into packets.
 */
#ifndef MSG_KEEPER_WIRE_H
#define MSG_KEEPER_WIRE_H

#include "base/uuid.h"
#include "conf/tenants.h"

enum keeper_call {
#define KEEPER_CALL(ident, ...) KEEPER_##ident,
#include "tbl/keeper_calls.h"
#undef KEEPER_CALL
	KEEPER_CALLS
};
const char *keeper_call_name(enum keeper_call c);
bool keeper_call_is_shared(enum keeper_call c);

enum { KEEPER_ARGS_MAX = 16 << 10, KEEPER_PART_MAX = 24 << 10, KEEPER_ANSWER_MAX = 4 << 20 };

struct keeper_ask {
	char id[UUID_LEN + 1];		/* the asker's, never used twice */
	enum keeper_call call;
	char tenant[TENANT_NAME_MAX + 1], account[TENANT_NAME_MAX + 1];
	const char *args;		/* JSON, or nothing; of what was read: inside of it */
	size_t len;
};

struct keeper_told {
	char id[UUID_LEN + 1];
	int status;
	size_t total, offset, len;	/* of the document; of this part */
	const char *part;
};

void keeper_ask_write(const struct keeper_ask *a, struct strbuf *out);
int keeper_ask_read(const char *data, size_t len, struct keeper_ask *out) MUST_CHECK;	/* -1: something else */
void keeper_told_write(const struct keeper_told *t, struct strbuf *out);
int keeper_told_read(const char *data, size_t len, struct keeper_told *out) MUST_CHECK;

#endif
