/*
 * hold - what may be held, and its field in the domain's hash of holds (src/lua/lib/gate.lua): t:<tenant> a:<tenant>:<account>
 * n:<phone number id> w:<waba> p:<waba>:<template>, and p:<waba>:<template>/<language>, for Meta pauses a template in one language.
 * q:<tenant>:<class> holds the tenant's messages of a class of priorities (tbl/priorities.h); only operators set it.
 * A recipient's hold is a key of its own (key_recipient_hold); only an operator's is a field, too: r:<phone number id>:<keyed hash>.  Pure.
 */
#ifndef FLOW_HOLD_H
#define FLOW_HOLD_H

#include "conf/conf.h"
#include "msg/answer.h"
#include "msg/message.h"

enum hold_scope { HOLD_TENANT, HOLD_ACCOUNT, HOLD_NUMBER, HOLD_WABA, HOLD_TEMPLATE, HOLD_RECIPIENT, HOLD_PRIORITY, HOLD_SCOPES };
enum { HOLD_FIELD_MAX = 600 };

const char *hold_scope_name(enum hold_scope s);		/* "account" */

/* The fields that concern every message of an account; none for templates. */
struct hold_fields { char of[HOLD_TEMPLATE][144]; };
void hold_fields_of(const struct account *a, struct hold_fields *out);
/* name NULL: ""; language NULL: of all languages. */
void hold_template_field(const struct account *a, const char *name, const char *language, char out[HOLD_FIELD_MAX]);
const char *hold_priority_class(int priority);		/* "low" */
bool hold_priority_class_is(const char *word);
void hold_priority_field(const struct tenant *t, const char *class, char out[HOLD_FIELD_MAX]);
void hold_recipient_field(const struct account *a, const char *who, char out[HOLD_FIELD_MAX]);
void limit_field(const struct account *a, char out[HOLD_FIELD_MAX]);	/* l:<number>: no hold, but the rate that an operator has set */

/*
 * Which field an answer puts on hold, "": none.  template: of its template's language.  Tokens belong to accounts, so trouble of a
 * tenant's token or app is found out, and held, account by account: others may have a token that is good.
 */
const char *hold_field_of(const struct hold_fields *f, const char *template, const struct answer *a);
int64_t hold_first_ms(const struct conf *c, const struct answer *a);	/* for how long at first */

/* The parts of a field: first is the tenant's, number's or waba's id, second, if there is one, what comes behind it.  -1: no field. */
int hold_field_read(const char *field, enum hold_scope *scope, char first[80], char second[HOLD_FIELD_MAX]) MUST_CHECK;

#endif
