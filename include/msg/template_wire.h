/*
 * template_wire - how a sender asks the keeper of its machine to fetch a template, and what it hears.  Pure.
 *
 * The definition itself goes through Redis: the keeper puts it there, the sender reads it.
 */
#ifndef MSG_TEMPLATE_WIRE_H
#define MSG_TEMPLATE_WIRE_H

#include "conf/tenants.h"

enum { TEMPLATE_NAME_MAX = 512 };

enum template_word {
	TEMPLATE_FETCHED,	/* what Graph has of this name is in Redis now */
	TEMPLATE_NOBODY_KNOWS,	/* Graph could not be asked, or does not tell */
};

struct template_ask {
	char tenant[TENANT_NAME_MAX + 1], account[TENANT_NAME_MAX + 1], name[TEMPLATE_NAME_MAX + 1];
};

struct template_told {
	struct template_ask ask;
	enum template_word word;
	int64_t ms;		/* NOBODY_KNOWS: worth asking again then */
};

void template_ask_write(const struct template_ask *a, struct strbuf *out);
int template_ask_read(const char *data, size_t len, struct template_ask *out) MUST_CHECK;	/* -1: something else */
void template_told_write(const struct template_told *t, struct strbuf *out);
int template_told_read(const char *data, size_t len, struct template_told *out) MUST_CHECK;

#endif
