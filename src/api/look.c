#include "api/look.h"

#include "base/mem.h"
#include "base/str.h"
#include "flow/keys.h"

struct looker {
	struct store *store;
	const struct conf *conf;
	const struct tenant *tenant;
	look_done_f *done;
	void *arg;
	char *index;
};

static void end(struct looker *k, const struct look *l)
{
	k->done(k->arg, l);
	free(k->index);
	free(k);
}

bool look_has_record(const char *index)
{
	return *index && index[1] != ' ';
}

/* The first word behind its letter. */
static int64_t since_ms(const char *index)
{
	const char *at = strchr(index, ' ');
	char text[24];
	int64_t v;

	snprintf(text, sizeof(text), "%.*s", at ? (int)strcspn(at + 1, " ") : 0, at ? at + 1 : "");
	return parse_i64(text, &v) < 0 ? 0 : v;
}

static void end_without(struct looker *k, enum look_word word)
{
	struct look l = { .word = word, .index = k->index ? k->index : "" };

	if (*l.index)
		l.since_ms = since_ms(l.index);
	end(k, &l);
}

static void on_record(void *arg, const struct store_reply *r)
{
	struct looker *k = arg;

	if (!r || r->error)
		end_without(k, LOOK_AWAY);
	else if (r->n < 2)
		end_without(k, LOOK_NONE);
	else
		end(k, &(struct look){ .word = LOOK_RECORD, .index = k->index, .record = r });
}

void look_record_key(const struct conf *c, const struct tenant *t, const char *index, char out[512])
{
	snprintf(out, KEY_TEXT_MAX, "%sm:{%s}:%.*s", c->redis_prefix, t->domain, (int)strcspn(index, " "), index);
}

static void on_index(void *arg, const struct store_reply *r)
{
	struct looker *k = arg;
	char record[KEY_TEXT_MAX];

	if (!r || r->error) {
		end_without(k, LOOK_AWAY);
		return;
	}
	if (r->n < 1 || r->v[0].kind != STORE_TEXT) {
		end_without(k, LOOK_NONE);
		return;
	}
	k->index = mem_strndup(r->v[0].s, r->v[0].len);
	if (!look_has_record(k->index)) {
		end_without(k, k->index[0] == '-' ? LOOK_CANCELLED : LOOK_QUEUED);
		return;
	}
	look_record_key(k->conf, k->tenant, k->index, record);
	if (store_command(k->store, (struct store_arg[]){ STORE_ARG("HGETALL"), STORE_ARG(record) }, 2, on_record, k) < 0)
		end_without(k, LOOK_AWAY);
}

void look_message(struct store *s, const struct conf *c, const struct tenant *t, const char *message_key, look_done_f *done, void *arg)
{
	struct looker *k = mem_alloc(sizeof(*k));
	char index[KEY_TEXT_MAX];

	*k = (struct looker){ .store = s, .conf = c, .tenant = t, .done = done, .arg = arg };
	key_index(c, t, message_key, index);
	if (store_command(s, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(index) }, 2, on_index, k) < 0)
		end_without(k, LOOK_AWAY);
}
