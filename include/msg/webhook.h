/*
 * webhook - what Meta says in a webhook: statuses of messages, messages of users, and news of accounts, numbers, templates.  Pure.
 *
 * Whoever calls has verified the signature (base/signature.h).  Webhooks come late, twice and in any order; nothing is sorted here.
 * Ownership: every text and JSON value that a visitor sees lives until it returns; what it wants to keep it copies, or json_incref()s.
 * Texts are Meta's own, unmasked, and may hold numbers of people: not for logs.  NULL: it did not say.
 * Times are Unix milliseconds; 0: it did not say.
 * Meta: "Webhooks overview", the reference pages of each field.
 */
#ifndef MSG_WEBHOOK_H
#define MSG_WEBHOOK_H

#include "msg/json.h"

enum { WEBHOOK_BODY_MAX = 4 * 1024 * 1024, WEBHOOK_NODES_MAX = 200000, WEBHOOK_RESTRICTIONS = 16 };

enum message_status {
#define MESSAGE_STATUS(ident, word, rank, meaning) MESSAGE_STATUS_##ident,
#include "tbl/message_statuses.h"
#undef MESSAGE_STATUS
	MESSAGE_STATUS_OTHER	/* a word that this version does not know */
};

enum message_status message_status_of(const char *word);	/* NULL: OTHER */
const char *message_status_word(enum message_status s);		/* NULL for OTHER */
int message_status_rank(enum message_status s);			/* 0: stands beside the ranks, or is not known */

/* The newest news of a message that was sent. */
struct webhook_status {
	const char *waba, *phone_number_id;
	const char *wamid;		/* never NULL or empty */
	const char *status_text;	/* never NULL */
	enum message_status status;
	int64_t at_ms;
	const char *token;		/* biz_opaque_callback_data: anybody on the business account may have written it */
	const char *recipient, *recipient_user_id;	/* both may be missing */
	const char *participant;	/* of a group: whose status it is */
	const char *template_id;
	const json_t *pricing, *conversation, *errors;
	int code;			/* of the first error; 0: none */
	const char *error_text;		/* its details, else its message or title */
};

/* What a user has written. */
struct webhook_message {
	const char *waba, *phone_number_id;
	const char *from, *from_user_id;	/* both may be missing */
	const char *group, *answers;	/* id of the group; WAMID of the message it answers */
	const char *id;			/* never NULL or empty */
	const char *type;		/* never NULL */
	int64_t at_ms;
	const json_t *message;		/* all of it */
	const json_t *contact;		/* who it is */
};

/* Trouble of an app or a number, with no message to blame. */
struct webhook_error {
	const char *waba, *phone_number_id;
	int code;
	const char *text;
	const json_t *error;
};

enum webhook_field {
#define WEBHOOK_FIELD(ident, field, member, alone) WEBHOOK_##ident,
#include "tbl/webhook_fields.h"
#undef WEBHOOK_FIELD
	WEBHOOK_OTHER
};

const char *webhook_field_name(enum webhook_field f);		/* NULL for OTHER */

struct webhook_template {		/* TEMPLATE_*: members that the field has not are NULL */
	const char *id, *name;
	const char *language;		/* with _, as in listings */
	const char *event;		/* its status now, as in listings (msg/template.h: template_status_of) */
	const char *reason;		/* "NONE" is NULL here */
	const char *title, *description;	/* other_info: which pause it is */
	const char *category;		/* now, or new_category */
	const char *old_category, *correct_category;
	const char *quality, *old_quality;
	int64_t change_ms;		/* when the category will change, or when it was disabled */
};

struct webhook_number {			/* NUMBER_* */
	const char *display;		/* display_phone_number, digits as Meta writes them: there is no id */
	const char *event;
	const char *limit, *old_limit;	/* TIER_… */
	const char *decision, *name, *reason;	/* reason: "NONE" is NULL here */
};

enum account_turn {
#define ACCOUNT_TURN(ident, name, event, state, effect, meaning) ACCOUNT_##ident,
#include "tbl/account_turns.h"
#undef ACCOUNT_TURN
	ACCOUNT_LIFTED,			/* what was restricted, violated or banned is over: violation says what */
	ACCOUNT_OTHER
};

const char *account_turn_name(enum account_turn t);		/* NULL for OTHER */

enum account_effect { ACCOUNT_SAME, ACCOUNT_STOPS, ACCOUNT_GOES, ACCOUNT_MAYBE };

struct webhook_restriction { const char *type, *remediation; int64_t until_ms; };

struct webhook_account {
	enum account_turn turn;
	enum account_effect effect;	/* on its sending */
	int64_t until_ms;		/* it stops so long */
	const char *event, *violation, *ban_state, *ban_date;
	int n_restrictions;		/* more are left out */
	struct webhook_restriction restrictions[WEBHOOK_RESTRICTIONS];
};

struct webhook_alert { const char *entity_type, *entity_id, *severity, *status, *type, *description; };

enum { WEBHOOK_UNLIMITED = -1, WEBHOOK_NOT_SAID = -2 };

struct webhook_capability {
	const char *tier;		/* TIER_…; NULL: not said, or a number (older webhooks) */
	int64_t recipients_a_day;	/* of the portfolio, WEBHOOK_UNLIMITED or WEBHOOK_NOT_SAID, like the other two */
	int64_t numbers_a_business, numbers_a_waba;
};

struct webhook_security { const char *display, *event, *requester; };

struct webhook_preference {		/* one visit for each entry */
	const char *wa_id, *user_id, *category, *value, *detail;
	bool stop;			/* wants no more of this category */
	int64_t at_ms;
};

struct webhook_change {
	const char *waba;
	const char *field;		/* its name as it came, which may be wrong */
	enum webhook_field kind;	/* what it is */
	int64_t at_ms;			/* of the entry */
	const json_t *value;		/* all of it */
	union {
		struct webhook_template template;
		struct webhook_number number;
		struct webhook_account account;
		struct webhook_alert alert;
		const char *review;	/* ACCOUNT_REVIEW: the decision */
		struct webhook_capability capability;
		struct webhook_security security;
		struct webhook_preference preference;
	};
};

/* NULL members: of no interest. */
struct webhook_visitor {
	void (*on_status)(void *arg, const struct webhook_status *s);
	void (*on_message)(void *arg, const struct webhook_message *m);
	void (*on_error)(void *arg, const struct webhook_error *e);
	void (*on_change)(void *arg, const struct webhook_change *c);
};

/*
 * Visits all that the body says, in its order (of one value: statuses, messages, errors).  Returns how many pieces of it were not what
 * they must be (a status without a WAMID, a value that is no object) and were left out; -1 with the reason: no webhook of Meta's, and
 * nothing was visited.
 */
int webhook_read(const char *body, size_t len, const struct webhook_visitor *v, void *arg, struct strbuf *why) MUST_CHECK;

/* What he says in words: of a text, or of the button he pressed; NULL: nothing. */
const char *webhook_message_text(const struct webhook_message *m);

int64_t webhook_time_ms(const json_t *v);	/* seconds, as text or number; milliseconds are noticed; 0: no time */
int64_t webhook_tier(const char *tier);		/* recipients a day of TIER_2K and the like, or WEBHOOK_UNLIMITED, WEBHOOK_NOT_SAID */

#endif
