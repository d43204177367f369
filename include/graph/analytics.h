/*
 * analytics - figures of an account's business account, as Graph counts them (Meta: "Analytics"): approximate, all its numbers.
 *
 * {"kind":"messages","from":"…Z","to":"…Z","granularity":"day","columns":["start","end","sent","delivered"],"rows":[{…},…],
 *  "is_cut":false}
 */
#ifndef GRAPH_ANALYTICS_H
#define GRAPH_ANALYTICS_H

#include "graph/calls.h"

enum analytics_kind {
#define ANALYTICS(ident, ...) ANALYTICS_##ident,
#include "tbl/analytics.h"
#undef ANALYTICS
	ANALYTICS_KINDS
};

enum { ANALYTICS_TEMPLATES_MAX = 10 };

struct analytics_query {
	enum analytics_kind kind;
	int granularity;			/* 0 half an hour, 1 a day, 2 a month */
	int64_t from_ms, to_ms;
	const char *templates;			/* ids, divided by commas; kind templates only */
};

/* What a caller says, NULL: messages of the last seven days, by the day.  Times as 2026-11-01, 2026-11-01T10:00:00Z or 7d (ago). */
struct analytics_words { const char *kind, *from, *to, *granularity, *templates; };
int analytics_read(struct analytics_query *q, const struct analytics_words *w, int64_t now_ms, struct strbuf *why) MUST_CHECK;

void analytics_fetch(struct graph *g, const struct graph_for *who, const struct analytics_query *q);

/* The data of an answer as the document above; the caller's.  Pure. */
json_t *analytics_document(const struct analytics_query *q, const json_t *data, bool is_cut);

/* Its rows after RFC 4180, the columns' names first. */
void analytics_csv(const json_t *document, struct strbuf *out);

#endif
