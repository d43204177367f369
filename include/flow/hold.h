/*
 * hold - what may be held, and its field in the domain's hash of holds (src/lua/lib/gate.lua): t:<tenant> a:<tenant>:<account>
 * n:<phone number id> w:<waba> p:<waba>:<template>.  A recipient's hold is a key of its own (key_recipient_hold); only an operator's is
 * a field, too: r:<phone number id>:<keyed hash>.  Pure.
 */
#ifndef FLOW_HOLD_H
#define FLOW_HOLD_H

#include "conf/conf.h"
#include "msg/message.h"

enum hold_scope { HOLD_TENANT, HOLD_ACCOUNT, HOLD_NUMBER, HOLD_WABA, HOLD_TEMPLATE, HOLD_RECIPIENT, HOLD_SCOPES };
enum { HOLD_FIELD_MAX = 600 };

const char *hold_scope_name(enum hold_scope s);		/* "account" */

/* The fields that concern every message of an account; none for templates. */
struct hold_fields { char of[HOLD_TEMPLATE][144]; };
void hold_fields_of(const struct account *a, struct hold_fields *out);
void hold_template_field(const struct account *a, const char *name, char out[HOLD_FIELD_MAX]);	/* name NULL: "" */
void hold_recipient_field(const struct account *a, const char *who, char out[HOLD_FIELD_MAX]);

/* The parts of a field: first is the tenant's, number's or waba's id, second, if there is one, what comes behind it.  -1: no field. */
int hold_field_read(const char *field, enum hold_scope *scope, char first[80], char second[HOLD_FIELD_MAX]) MUST_CHECK;

#endif
