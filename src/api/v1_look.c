/* What tenants may see of their accounts and templates: the answers that operators get, each about nobody but the tenant. */
#include "api/handlers.h"
#include "api/v1_call.h"

/* The texts may stand in the call, which goes first. */
void v1_let_answer(struct v1_call *q, v1_admin_f *handle, const char *account, const char *name)
{
	char copies[2][V1_TEXT_MAX + 1];
	struct admin *a = &q->v->admin;
	struct asked asked = { q->tenant, account ? copies[0] : NULL, name ? copies[1] : NULL };
	struct http_call *c;

	snprintf(copies[0], sizeof(copies[0]), "%s", account ? account : "");
	snprintf(copies[1], sizeof(copies[1]), "%s", name ? name : "");
	c = v1_hand_over(q);
	a->asked = &asked;		/* they look at it before they return */
	handle(a, c);
	a->asked = NULL;
}

void on_v1_accounts(struct v1_call *q)
{
	v1_let_answer(q, on_account_list, NULL, NULL);
}

static void about_account(struct v1_call *q, v1_admin_f *handle)
{
	v1_let_answer(q, handle, q->id, NULL);
}

void on_v1_account(struct v1_call *q)
{
	about_account(q, lists_account);
}

void on_v1_account_limits(struct v1_call *q)
{
	about_account(q, on_limit_show);
}

/* Those of the account in the query, else of the default one. */
static void about_template(struct v1_call *q, v1_admin_f *handle)
{
	const char *account = http_call_query(q->http, "account");
	const struct account *fallback = account ? NULL : tenant_default_account(q->tenant);

	if (!account && !fallback) {
		v1_bad_field(q, 422, "no_account", "account: is missing in the query, and the tenant has no default account");
		return;
	}
	v1_let_answer(q, handle, account ? account : fallback->id, q->id);
}

void on_v1_templates(struct v1_call *q)
{
	about_template(q, on_template_list);
}

void on_v1_template(struct v1_call *q)
{
	about_template(q, on_template_show);
}

void on_v1_template_preview(struct v1_call *q)
{
	about_template(q, on_template_preview);
}
