/*
 * alert - tells people of trouble once, however many workers of however many hosts see it: in the log and in the alerts exchange.
 *
 * src/lua/alert.lua decides what is news: what was raised, what still goes on after alert.cooldown, what is resolved.
 * No call blocks or fails.  What Redis or the broker did not take is kept until alerts_retry(), at most 256 words; beyond that the
 * oldest is dropped and counted as alerts_lost.  Of words about one thing that were not asked yet only the last counts.
 * An alert is published at least once; more than once only when a connection was lost just then, a worker died, or the broker was
 * away for minutes.
 * Each call may cost a call of Redis, so callers tell what has changed, not the same with every message.
 * Texts and subjects go to logs and consumers: the caller sees to it that no secret, message content or whole phone number is in
 * them.
 * Ownership: everything passed in is copied, but conf, slot, store and publisher, which are borrowed.  Store and publisher answer
 * what is pending when they are freed: free them first.
 */
#ifndef FLOW_ALERT_H
#define FLOW_ALERT_H

#include "base/board.h"
#include "conf/conf.h"
#include "io/broker.h"
#include "io/store.h"

enum severity {
#define SEVERITY(ident, name, help) SEVERITY_##ident,
#include "tbl/severities.h"
#undef SEVERITY
};

enum alert {
#define ALERT(ident, name, severity, help) ALERT_##ident,
#include "tbl/alerts.h"
#undef ALERT
	ALERTS
};
const char *alert_name(enum alert kind);
const char *alert_severity(enum alert kind);	/* its name */

struct alerts;				/* one a process */
struct alert_subject {			/* any may be NULL */
	const char *tenant_id, *account_id;
	const char *what;		/* "number:1234", "template:name"; its first 250 bytes tell one alert from another */
};

struct alerts *alerts_new(const struct conf *c, struct board_slot *slot, struct store *store, struct broker *publisher);
void alerts_free(struct alerts **ap);

/* The text is cut after 1 KiB. */
void alert_raise(struct alerts *a, enum alert kind, const struct alert_subject *s, const char *fmt, ...) PRINTF(4, 5);
void alert_resolve(struct alerts *a, enum alert kind, const struct alert_subject *s, const char *fmt, ...) PRINTF(4, 5);

void alerts_retry(struct alerts *a);		/* about once a second */
int alerts_kept(const struct alerts *a);	/* not published yet, those under way too */

#endif
