#include "api/take_back.h"

#include "api/look.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/keys.h"

enum { AGAINS_MAX = 5 };

struct cancel {
	struct store *s;
	const struct conf *c;
	const struct tenant *t;
	char *key, *index;
	int n_again;
	take_back_done_f *done;
	void *arg;
};

static void look(struct cancel *k);

static void finish(struct cancel *k, enum take_back_word word, const char *why)
{
	k->done(k->arg, word, why);
	free(k->key);
	free(k->index);
	free(k);
}

static void finish_late(struct cancel *k, const char *word, const char *state)
{
	struct strbuf why = STRBUF_INIT;

	if (!strcmp(word, "sending"))
		strbuf_adds(&why, "an attempt to send it is being made now");
	else if (!strcmp(word, "unknown_outcome"))
		strbuf_adds(&why, "it may have been sent: nobody can tell yet what came of an attempt");
	else
		strbuf_addf(&why, "it is %s", state);
	finish(k, TAKE_BACK_LATE, why.buf);
	strbuf_release(&why);
}

static void on_cancelled(void *arg, const struct store_reply *r)
{
	struct cancel *k = arg;
	const char *word = r && !r->error && r->n >= 1 && r->v[0].kind == STORE_TEXT ? r->v[0].s : "";

	if (r && r->error)
		log_error("script_failed", "script=cancel %s", r->error);
	if (!strcmp(word, "again") && k->n_again++ < AGAINS_MAX)
		look(k);
	else if (!strcmp(word, "cancelled"))
		finish(k, TAKE_BACK_DONE, "");
	else if (!strcmp(word, "unknown"))
		finish(k, TAKE_BACK_NONE, "");
	else if (!strcmp(word, "") || !strcmp(word, "again"))
		finish(k, TAKE_BACK_AWAY, "");
	else
		finish_late(k, word, r->n > 1 ? r->v[1].s : "");
}

static void on_looked(void *arg, const struct look *l)
{
	struct cancel *k = arg;
	char index[KEY_TEXT_MAX], record[KEY_TEXT_MAX];
	struct store_arg args[3];

	if (l->word == LOOK_NONE || l->word == LOOK_AWAY) {
		finish(k, l->word == LOOK_NONE ? TAKE_BACK_NONE : TAKE_BACK_AWAY, "");
		return;
	}
	free(k->index);
	k->index = mem_strdup(l->index);
	key_index(k->c, k->t, k->key, index);
	look_record_key(k->c, k->t, k->index, record);
	args[0] = STORE_ARG(index);
	args[1] = STORE_ARG(record);
	args[2] = STORE_ARG(k->index);
	if (store_script(k->s, SCRIPT_CANCEL, 2, args, 3, on_cancelled, k) < 0)
		on_cancelled(k, NULL);
}

static void look(struct cancel *k)
{
	look_message(k->s, k->c, k->t, k->key, on_looked, k);
}

void take_back(struct store *s, const struct conf *c, const struct tenant *t, const char *message_key, take_back_done_f *done, void *arg)
{
	struct cancel *k = mem_alloc(sizeof(*k));

	*k = (struct cancel){ .s = s, .c = c, .t = t, .key = mem_strdup(message_key), .done = done, .arg = arg };
	look(k);
}
