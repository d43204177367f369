/*
 * ledger - every POST that was wholly received, in order, in memory.
 *
 * Append-only: an entry is one record in a chunk and never moves; only its `answered` flag is set and its webhooks are counted later.  About 180 bytes
 * a POST, so a million fit into 180 MB; bodies come on top when they are kept.
 * Ownership: ledger_add() copies what it is given.  A ref outlives a reset harmlessly: marking it does nothing then.
 */
#ifndef SANDBOX_LEDGER_H
#define SANDBOX_LEDGER_H

#include "base/crypto.h"
#include "base/strbuf.h"
#include "sandbox/faults.h"
#include "sandbox/hook_target.h"

struct ledger;
struct ledger_entry;
struct ledger_reader;

struct ledger_ref { struct ledger_entry *entry; unsigned generation; };

struct ledger_text { const char *s; size_t len; };

struct ledger_note {
	int64_t t_us;			/* wall time of the decision */
	uint64_t wamid_id;		/* ids.h; only when accepted */
	struct ledger_text pnid, to, type, callback;
	struct ledger_text wa_id;	/* what the WAMID is made of */
	struct ledger_text body;	/* empty: not kept */
	struct ledger_text rendered;	/* JSON: what the recipient of a template sees; empty: not known */
	bool body_is_json;
	uint8_t sha256[SHA256_LEN];
	uint32_t conn;
	int code, http;
	bool accepted, receipt, h2;	/* receipt: a read receipt, success without a message */
	enum fault_kind fault;
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger **lp);
void ledger_reset(struct ledger *l);
struct ledger_ref ledger_add(struct ledger *l, const struct ledger_note *n);
void ledger_mark_answered(struct ledger *l, struct ledger_ref ref);
void ledger_mark_webhook(struct ledger *l, struct ledger_ref ref, enum hook_status s);	/* a webhook that told it was answered with 200 */
uint64_t ledger_last_seq(const struct ledger *l);

/* Entries after seq `since` up to the last one there is now, as NDJSON in pieces. */
struct ledger_reader *ledger_reader_new(const struct ledger *l, uint64_t since);
void ledger_reader_free(void *reader);
bool ledger_read(void *reader, struct strbuf *out);		/* a call_source_f */

#endif
