/*
 * tenant_wire - how the keeper and the senders and apis of one machine tell each other of tenants, as bytes.  Pure.
 *
 *   ask     to the keeper: what of this tenant?  With the version the asker has, 0: none; forced: Graph refuses its token, so the
 *           source must be asked
 *   answer  of the keeper, in as many parts as it takes; the last one makes it whole
 *
 * A version is a hash of the content, so it means the same to every keeper.  Everything here may hold secrets: wipe it.
 */
#ifndef MSG_TENANT_WIRE_H
#define MSG_TENANT_WIRE_H

#include "conf/tenants.h"

enum tenant_word {
	TENANT_FOUND,		/* a document follows */
	TENANT_SAME,		/* the version asked with is the present one */
	TENANT_UNKNOWN,		/* the source does not know it */
	TENANT_AWAY		/* the source does not answer now */
};

struct tenant_ask {
	char id[TENANT_NAME_MAX + 1];
	uint64_t version;
	bool forced;
};

struct tenant_answer {
	char id[TENANT_NAME_MAX + 1];
	enum tenant_word word;
	uint64_t version;
	bool forced;			/* it was asked for with force */
	int64_t ms;			/* fresh so long; or until the source is asked again */
	int64_t keep_ms;		/* to be used no longer than that */
	size_t total, offset;		/* of the document */
	const char *part;		/* borrowed */
	size_t len;
};

enum { TENANT_PART_MAX = 24 << 10, TENANT_DOC_MAX = 8 << 20 };

void tenant_ask_write(const struct tenant_ask *a, struct strbuf *out);
int tenant_ask_read(const char *data, size_t len, struct tenant_ask *out) MUST_CHECK;
void tenant_answer_write(const struct tenant_answer *a, struct strbuf *out);
int tenant_answer_read(const char *data, size_t len, struct tenant_answer *out) MUST_CHECK;

/* Parts come in order; what is not the next one begins anew.  true: doc is whole. */
struct tenant_parts { struct strbuf doc; size_t total; };
#define TENANT_PARTS_INIT { .doc = STRBUF_INIT }
bool tenant_part_take(struct tenant_parts *p, const struct tenant_answer *a);
void tenant_parts_drop(struct tenant_parts *p);		/* wiped */

/* The whole tenant; app secrets stay behind, their proofs go along.  Without tokens: neither these nor proofs. */
void tenant_doc_write(const struct tenant *t, bool with_tokens, struct strbuf *out);
struct tenant *tenant_doc_read(const char *doc, size_t len);		/* NULL: no such document */
uint64_t tenant_doc_version(const struct strbuf *doc);			/* never 0 */

#endif
