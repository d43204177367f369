#include "flow/user.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"

enum { NAMES_MAX = 2 };

struct telling { user_done_f *done; void *arg; };

static void on_answer(void *arg, const struct store_reply *r)
{
	struct telling *t = arg;

	if (r && r->error)
		log_error("script_failed", "script=user %s", r->error);
	t->done(t->arg, r && !r->error);
	free(t);
}

/* Keys of all names of the user that a message could name as recipient. */
static int keys_of(const struct user_place *p, const struct user_news *n, char keys[NAMES_MAX][KEY_TEXT_MAX])
{
	struct recipient r;
	char who[WHO_LEN + 1];
	int k = 0;

	if (n->wa_id && recipient_from_phone(&r, n->wa_id, NULL) == 0) {
		identity_who(p->identity, &r, who);
		key_user(p->conf, n->account, who, keys[k++]);
	}
	if (n->user_id && recipient_from_user_id(&r, n->user_id, NULL) == 0) {
		identity_who(p->identity, &r, who);
		key_user(p->conf, n->account, who, keys[k++]);
	}
	return k;
}

static const char *wish_word(enum user_wish w)
{
	static const char *const words[] = { [USER_SAYS_NOTHING] = "", [USER_WANTS_NO_MARKETING] = "stop", [USER_WANTS_MARKETING] = "start" };

	return words[w];
}

bool user_tell(const struct user_place *p, const struct user_news *n, user_done_f *done, void *arg)
{
	char number[KEY_TEXT_MAX], keys[NAMES_MAX][KEY_TEXT_MAX], at[24];
	int n_keys = keys_of(p, n, keys), k = 0;
	struct store_arg args[1 + NAMES_MAX + 3];
	struct telling *t = mem_alloc(sizeof(*t));

	*t = (struct telling){ done, arg };
	key_users(p->conf, n->account, number);
	snprintf(at, sizeof(at), "%" PRId64, n->at_ms);
	args[k++] = STORE_ARG(number);
	for (int i = 0; i < n_keys; i++)
		args[k++] = STORE_ARG(keys[i]);
	args[k++] = STORE_ARG(at);
	args[k++] = STORE_ARG(n->wrote ? "1" : "0");
	args[k++] = STORE_ARG(wish_word(n->wish));
	if (store_script(p->store, SCRIPT_USER, 1 + n_keys, args, k, on_answer, t) == 0)
		return true;
	free(t);
	return false;
}

static bool is_among(const struct conf_strings *words, const char *text, size_t len)
{
	for (int i = 0; i < words->n; i++)
		if (strlen(words->v[i]) == len && strncasecmp(words->v[i], text, len) == 0)
			return true;
	return false;
}

enum user_wish user_wish_of(const struct conf *c, const char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len && strchr(blanks, text[len - 1]))
		len--;
	if (is_among(&c->guard_stop, text, len))
		return USER_WANTS_NO_MARKETING;
	return is_among(&c->guard_start, text, len) ? USER_WANTS_MARKETING : USER_SAYS_NOTHING;
}
