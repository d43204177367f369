#include "flow/addressee.h"

enum reason addressee_find(const struct conf *c, const struct tenant *t, struct message *m,
			   const struct account **account, struct strbuf *why)
{
	enum feature f;

	*account = m->account_id ? tenant_account(t, m->account_id) : tenant_default_account(t);
	if (!*account) {
		why_write(why, m->account_id ? "account_id: the tenant has no such account" :
			  "account_id: is missing, and the tenant has no default account");
		return m->account_id ? REASON_UNKNOWN_ACCOUNT : REASON_NO_ACCOUNT;
	}
	if (feature_of_type(m->type, &f) < 0 || conf_feature_is_on(c, t, f))
		return message_set_phone(m, (*account)->region ? (*account)->region : c->default_region, why);
	why_write(why, "type: %s messages are switched off (features.%s)", m->type, feature_name(f));
	return REASON_FEATURE_DISABLED;
}
