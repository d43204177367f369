/*
 * faults - scripted misbehaviour: which request gets which fault.
 *
 * Rules are tried in the order they were given; the first that matches, is past its skip, has times left and wins its
 * draw decides.  What then happens is inject.c's business.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "base/strbuf.h"

struct faults;

enum fault_kind {
	FAULT_NONE,
#define FAULT(ident, name, accepts, help) FAULT_##ident,
#include "sandbox/tbl_faults.h"
#undef FAULT
	FAULT_KINDS
};

enum cut {
	CUT_NONE,
	CUT_FIN,		/* close_notify and FIN: a server that closes properly */
	CUT_EOF,		/* FIN only: a process that was killed */
	CUT_RST,
};

enum { FAULT_DETAILS_MAX = 256 };

/* A rule's orders for one request: plain values, so the rule may be deleted meanwhile. */
struct fault_act {
	enum fault_kind kind;
	bool accepts;			/* is a valid message accepted nevertheless? */
	bool stream, refused, transient;
	enum cut how;
	size_t after;
	int64_t bytes_per_s, delay_ms;
	int code, subcode, http;
	int64_t retry_after_s, regain_minutes;	/* -1: not said */
	char details[FAULT_DETAILS_MAX];
};

/* What a rule can be matched with; NULL members are not known (yet). */
struct fault_subject {
	const char *pnid, *to, *callback;
	const char *route, *path;	/* its name in tbl_routes.h; path without the query */
	bool is_send;			/* rules that name neither route nor path speak of sends only */
	const char *text;
	size_t text_len;
};

struct faults *faults_new(void);
void faults_free(struct faults **fp);
void faults_clear(struct faults *f);
/* One object or an array of them; all or nothing. */
int faults_add(struct faults *f, const char *json, size_t len, struct strbuf *why) MUST_CHECK;
/* head_only: rules that cut the request and need nothing but the head.  False: no fault. */
bool faults_draw(struct faults *f, const struct fault_subject *s, bool head_only, struct fault_act *act);
bool faults_any(const struct faults *f);
void faults_print(const struct faults *f, struct strbuf *out);
const char *fault_kind_name(enum fault_kind k);		/* NULL for FAULT_NONE */

#endif
