/*
 * tenant_json - what a tenant service says of a tenant, read leniently: fields that are not known do not matter, one account that
 * cannot be read is left out and named in why.  Pure.
 *
 * wamd's own contract, GET /v1/tenants/{tenant_id}:
 *   {"tenant_id","status":"active|suspended","portfolio"?,"tier"?,"rate"?,"features"?:{"media":false},"accounts":[{"account_id",
 *    "phone_number_id","waba_id","app_id"?,"access_token","token_expires_at"?,"app_secret"?,"tier"?,"rate"?,"enabled"?,"default"?}]}
 * The field's second shape, two calls: {"accessToken","status"?,"expiresAt"?} and {"phoneNumberId","wabaId"}: one account, named by
 * its phone number id.
 */
#ifndef MSG_TENANT_JSON_H
#define MSG_TENANT_JSON_H

#include "conf/conf.h"

struct tenant_bytes { const void *data; size_t len; };

/* NULL: this is no such answer; why says what is wrong, also of accounts that were left out.  Tiers are those of c. */
struct tenant *tenant_from_json(const struct conf *c, const char *id, struct tenant_bytes body, struct strbuf *why) MUST_CHECK;
struct tenant *tenant_from_credentials(const struct conf *c, const char *id, struct tenant_bytes credentials,
				       struct tenant_bytes number, struct strbuf *why) MUST_CHECK;

#endif
