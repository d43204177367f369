#include "flow/media.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/keys.h"
#include "flow/media_cache.h"
#include "flow/media_ref.h"
#include "flow/media_upload.h"

enum {
	AT_ONCE = 8,			/* uploads of this process: each holds a file open, and they share the way to Graph with messages */
	KNOWN_MS = 3600000,
	LOOK_LEAST_MS = 250, LOOK_MOST_MS = 750,	/* whether another's upload is done */
	AWAY_MS = 1000, REFUSED_MS = 30000,
	RENEWALS = 3,			/* in the life of a lease */
	WORDS_MAX = 320,
};

/* STATE(ident, what it waits for) */
enum fetch_state {
	ASKING,				/* an answer of Redis */
	QUEUED,				/* a free place for its upload */
	LOOKING,			/* the time to look whether another's upload is done */
	UPLOADING,			/* Graph's answer */
	OVER,				/* its waiters are told in the next turn, and for a while those who come later */
};

struct fetch {				/* one ref on one number, for all who wait */
	struct name name;
	struct media *m;
	const struct account *account;
	enum fetch_state state;
	char key[GRAPH_ID_MAX + 1 + MEDIA_REF_MAX + 1];	/* its name, as in the cache */
	const char *ref;		/* in key */
	char sha[MEDIA_SHA_LEN + 1];
	mono_t began, ended;
	struct list waiters, queue;	/* queue: media.queue */
	struct loop_timer timer;
	struct media_result result;
	char id[MEDIA_ID_MAX + 1], words[WORDS_MAX];
	struct answer answer;
};

struct media {
	struct loop *loop;
	const struct conf *conf;
	struct store *store;
	struct http_client *http;	/* NULL: no upload begins any more */
	struct spool *spool;
	struct board_slot *slot;
	char owner[64];
	struct media_cache cache;
	struct names fetches;
	struct list queue;
	int n_uploads;
	struct loop_timer next;		/* of the queue may go on */
};

static void make_key(const struct account *a, const char *ref, char *out, size_t size)
{
	snprintf(out, size, "%s %s", a->phone_number_id, ref);
}

/* ---- the end of a fetch ---- */

static void fetch_free(struct fetch *f)
{
	loop_timer_stop(f->m->loop, &f->timer);
	list_del(&f->queue);
	free(f);
}

/* Who waits for a place looks for the id first: another may have uploaded it meanwhile. */
static void look_at_queue(struct media *m)
{
	if (!list_is_empty(&m->queue))
		loop_timer_set(m->loop, &m->next, 0);
}

static void end(struct fetch *f, enum media_word word, int64_t retry_ms, const char *text)
{
	look_at_queue(f->m);
	f->state = OVER;
	f->ended = loop_now(f->m->loop);
	if (text != f->words)
		snprintf(f->words, sizeof(f->words), "%s", text);
	f->result.word = word;
	f->result.id = word == MEDIA_READY ? f->id : NULL;
	f->result.retry_ms = retry_ms;
	f->result.text = f->words;
	loop_timer_set(f->m->loop, &f->timer, 0);
}

static void away(struct fetch *f, const char *text)
{
	end(f, MEDIA_AWAY, AWAY_MS, text);
}

static void ready(struct fetch *f, const char *id)
{
	struct media *m = f->m;
	int64_t known_ms = KNOWN_MS < m->conf->media_id_life ? KNOWN_MS : m->conf->media_id_life;

	snprintf(f->id, sizeof(f->id), "%s", id);
	media_cache_add(&m->cache, f->key, f->sha, f->id, mono_add_ms(mono_now(), known_ms));
	spool_touch(m->spool, f->account->tenant->id, f->sha);
	end(f, MEDIA_READY, -1, "");
}

static void tell(struct fetch *f)
{
	struct list now;

	list_init(&now);
	while (!list_is_empty(&f->waiters))
		list_add_tail(&now, list_pop(&f->waiters));
	while (!list_is_empty(&now)) {
		struct media_waiter *w = CONTAINER_OF(list_pop(&now), struct media_waiter, list);

		w->ready(w->arg, &f->result);
	}
}

/*
 * A failure is kept for a while, for all who ask then.  Else it is forgotten before its waiters are told: one that finds the id gone from
 * the cache again, as a retry does that looks anew, must begin another look, or it would be told of this one for ever.
 */
static void on_over(struct fetch *f)
{
	int64_t keep = f->result.word == MEDIA_READY ? 0 : f->result.word == MEDIA_REFUSED ? REFUSED_MS : AWAY_MS;
	int64_t left = keep - mono_diff_ms(loop_now(f->m->loop), f->ended);

	if (left <= 0)
		names_remove(&f->m->fetches, f->key);
	tell(f);
	if (left > 0)
		loop_timer_set(f->m->loop, &f->timer, list_is_empty(&f->waiters) ? left : 0);
	else
		fetch_free(f);
}

/* ---- Redis ---- */

static void ask_for_id(struct fetch *f);
static void upload(struct fetch *f);

static void command(struct fetch *f, const struct store_arg *args, int n, store_reply_f *done)
{
	f->state = ASKING;
	if (store_command(f->m->store, args, n, done, f) < 0)
		done(f, NULL);
}

/* What is only told to Redis; should it get lost, somebody uploads once more. */
static void on_told(void *arg, const struct store_reply *r)
{
	(void)arg;
	if (r && r->error)
		log_error("script_failed", "media: %s", r->error);
}

static void tell_redis(struct media *m, const struct store_arg *args, int n)
{
	if (store_command(m->store, args, n, on_told, NULL) < 0)
		log_debug("media", "Redis is away: others will upload it, too");
}

static void give_lease_back(struct fetch *f)
{
	char key[KEY_TEXT_MAX];

	key_media_lease(f->m->conf, f->account, f->sha, key);
	if (store_script(f->m->store, SCRIPT_RELEASE, 1, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(f->m->owner) }, 2, on_told, NULL) < 0)
		log_debug("media", "the lease ends by itself");
}

static bool is_no_answer(struct fetch *f, const struct store_reply *r)
{
	if (r && !r->error && r->n > 0)
		return false;
	if (r && r->error)
		log_error("script_failed", "media: %s", r->error);
	away(f, "Redis does not answer");
	return true;
}

static void look_later(struct fetch *f)
{
	const struct conf *c = f->m->conf;

	if (mono_diff_ms(loop_now(f->m->loop), f->began) > c->media_timeout + c->media_lease) {
		away(f, "another process uploads it and does not come to an end");
		return;
	}
	look_at_queue(f->m);
	f->state = LOOKING;
	loop_timer_set(f->m->loop, &f->timer, rand_between(LOOK_LEAST_MS, LOOK_MOST_MS));
}

static void on_id_under_lease(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;

	if (r && !r->error && r->n > 0 && r->v[0].kind != STORE_TEXT) {
		upload(f);
		return;
	}
	f->m->n_uploads--;
	if (!is_no_answer(f, r))
		ready(f, r->v[0].s);
	give_lease_back(f);
}

/* Between the look for the id and the lease somebody may have uploaded it, and given the lease back: looked again, now that nobody can. */
static void on_lease(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;
	char key[KEY_TEXT_MAX];

	if (r && !r->error && r->n > 0 && r->v[0].kind == STORE_TEXT) {
		key_media_id(f->m->conf, f->account, f->sha, key);
		command(f, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_id_under_lease);
		return;
	}
	f->m->n_uploads--;
	if (!is_no_answer(f, r))
		look_later(f);		/* another has it */
}

static void take_lease(struct fetch *f)
{
	struct media *m = f->m;
	char key[KEY_TEXT_MAX], ms[24];

	if (m->n_uploads >= AT_ONCE) {
		f->state = QUEUED;
		list_add_tail(&m->queue, &f->queue);
		return;
	}
	m->n_uploads++;
	key_media_lease(m->conf, f->account, f->sha, key);
	snprintf(ms, sizeof(ms), "%" PRId64, m->conf->media_lease);
	command(f, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), STORE_ARG(m->owner), STORE_ARG("NX"), STORE_ARG("PX"), STORE_ARG(ms) },
		6, on_lease);
}

/* The file is not here: does somebody upload it who has it? */
static void on_lease_seen(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;

	if (is_no_answer(f, r))
		return;
	if (r->v[0].kind == STORE_TEXT)
		look_later(f);
	else
		end(f, MEDIA_NOT_HERE, -1, f->words);
}

static void look_for_lease(struct fetch *f)
{
	char key[KEY_TEXT_MAX];

	key_media_lease(f->m->conf, f->account, f->sha, key);
	command(f, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_lease_seen);
}

static void on_id(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;
	struct strbuf why = STRBUF_INIT;
	struct spool_file file;

	if (is_no_answer(f, r))
		return;
	if (r->v[0].kind == STORE_TEXT && r->v[0].len <= MEDIA_ID_MAX) {
		ready(f, r->v[0].s);
		return;
	}
	if (spool_open(f->m->spool, f->account->tenant->id, f->sha, NULL, &file, &why) == SPOOL_OK) {
		take_lease(f);
	} else {
		snprintf(f->words, sizeof(f->words), "%s", why.buf);
		look_for_lease(f);
	}
	strbuf_release(&why);
}

static void ask_for_id(struct fetch *f)
{
	char key[KEY_TEXT_MAX];

	key_media_id(f->m->conf, f->account, f->sha, key);
	command(f, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_id);
}

/* A handle lives on while it is used, as the file does. */
static void on_handle(void *arg, const struct store_reply *r)
{
	struct fetch *f = arg;
	char key[KEY_TEXT_MAX], ms[24];
	struct spool_file file;

	if (is_no_answer(f, r))
		return;
	if (r->v[0].kind != STORE_TEXT || media_handle_read(r->v[0].s, &file) < 0) {
		end(f, MEDIA_NOT_HERE, -1, "no file of this tenant has this handle, or it was not used for media.spool_age");
		return;
	}
	memcpy(f->sha, file.sha, sizeof(f->sha));
	key_media_handle(f->m->conf, f->account->tenant, f->ref, key);
	snprintf(ms, sizeof(ms), "%" PRId64, f->m->conf->media_spool_age);
	tell_redis(f->m, (struct store_arg[]){ STORE_ARG("PEXPIRE"), STORE_ARG(key), STORE_ARG(ms) }, 3);
	ask_for_id(f);
}

/* ---- the upload ---- */

static void remember(struct fetch *f, const char *id)
{
	char key[KEY_TEXT_MAX], ms[24];

	key_media_id(f->m->conf, f->account, f->sha, key);
	snprintf(ms, sizeof(ms), "%" PRId64, f->m->conf->media_id_life);
	tell_redis(f->m, (struct store_arg[]){ STORE_ARG("SET"), STORE_ARG(key), STORE_ARG(id), STORE_ARG("PX"), STORE_ARG(ms) }, 5);
}

/* What a message may be tried again for, as its next upload may go well (131053), is the end of an upload. */
static bool is_about_the_bytes(const struct answer *a)
{
	return a->outcome == OUTCOME_REFUSED || (a->outcome == OUTCOME_SERVER && a->reaction == REACTION_INNOCENT);
}

static void failed(struct fetch *f, const struct answer *a)
{
	log_notice("media_failed", "tenant=%s account=%s sha256=%.12s http=%d code=%d: %s", f->account->tenant->id, f->account->id, f->sha,
		   a->http, a->code, a->text);
	board_count(f->m->slot, COUNT_MEDIA_FAILED);
	f->answer = *a;
	f->result.answer = &f->answer;
	f->result.http = a->http;
	f->result.code = a->code;
	if (is_about_the_bytes(a))
		end(f, MEDIA_REFUSED, -1, a->text);
	else
		end(f, MEDIA_AWAY, a->retry_after_ms, a->text);
}

/* First the id, then the lease: whoever sees the lease gone finds the id. */
static void on_uploaded(void *arg, const char *id, const struct answer *a)
{
	struct fetch *f = arg;
	struct media *m = f->m;

	loop_timer_stop(m->loop, &f->timer);
	m->n_uploads--;
	if (id) {
		log_info("media_uploaded", "tenant=%s account=%s sha256=%.12s ms=%" PRId64, f->account->tenant->id, f->account->id, f->sha,
			 mono_diff_ms(mono_now(), f->began));
		board_count(m->slot, COUNT_MEDIA_UPLOADS);
		remember(f, id);
		ready(f, id);
	} else {
		failed(f, a);
	}
	give_lease_back(f);
}

static void give_up(struct fetch *f, enum media_word word, const char *text)
{
	f->m->n_uploads--;
	end(f, word, word == MEDIA_AWAY ? AWAY_MS : -1, text);
	give_lease_back(f);
}

static void upload(struct fetch *f)
{
	struct media *m = f->m;
	struct strbuf why = STRBUF_INIT;
	struct spool_file file;
	int fd = -1;

	if (!m->http) {
		give_up(f, MEDIA_AWAY, "wamd is shutting down");
	} else if (f->account->is_gone || !f->account->token) {
		give_up(f, MEDIA_AWAY, "the account is no longer known");
	} else if (spool_open(m->spool, f->account->tenant->id, f->sha, &fd, &file, &why) != SPOOL_OK) {
		give_up(f, MEDIA_NOT_HERE, why.buf);
	} else {
		f->state = UPLOADING;
		loop_timer_set(m->loop, &f->timer, m->conf->media_lease / RENEWALS);
		media_upload(m->http, m->conf, f->account, fd, &file, on_uploaded, f);
	}
	strbuf_release(&why);
}

/* Should it be lost all the same, the file is uploaded twice, and either id is good. */
static void renew(struct fetch *f)
{
	char key[KEY_TEXT_MAX], ms[24];

	key_media_lease(f->m->conf, f->account, f->sha, key);
	snprintf(ms, sizeof(ms), "%" PRId64, f->m->conf->media_lease);
	if (store_script(f->m->store, SCRIPT_RENEW, 1, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(f->m->owner), STORE_ARG(ms) }, 3,
			 on_told, NULL) < 0)
		log_debug("media", "the lease cannot be renewed now");
	loop_timer_set(f->m->loop, &f->timer, f->m->conf->media_lease / RENEWALS);
}

static void on_time(void *arg)
{
	struct fetch *f = arg;

	switch (f->state) {
	case LOOKING:	ask_for_id(f); return;
	case UPLOADING:	renew(f); return;
	case OVER:	on_over(f); return;
	case ASKING:
	case QUEUED:	break;
	}
	BUG("the timer of media in state %d", (int)f->state);
}

static void on_next(void *arg)
{
	struct media *m = arg;

	for (int n = m->n_uploads; n < AT_ONCE && !list_is_empty(&m->queue); n++)
		ask_for_id(CONTAINER_OF(list_pop(&m->queue), struct fetch, queue));
}

/* ---- the contract ---- */

const char *media_find(struct media *m, const struct account *a, const char *ref)
{
	char key[GRAPH_ID_MAX + 1 + MEDIA_REF_MAX + 1];

	make_key(a, ref, key, sizeof(key));
	return media_cache_find(&m->cache, key, loop_now(m->loop), NULL);
}

static struct fetch *fetch_new(struct media *m, const struct account *a, const char *key)
{
	struct fetch *f = mem_alloc(sizeof(*f));

	f->m = m;
	f->account = a;
	snprintf(f->key, sizeof(f->key), "%s", key);
	f->name.text = f->key;
	f->ref = strchr(f->key, ' ') + 1;
	f->began = loop_now(m->loop);
	f->result.retry_ms = -1;
	list_init(&f->waiters);
	list_init(&f->queue);
	loop_timer_init(&f->timer, on_time, f);
	names_add(&m->fetches, &f->name);
	return f;
}

static void begin(struct fetch *f)
{
	struct media *m = f->m;
	const char *sha = NULL, *id = media_cache_find(&m->cache, f->key, loop_now(m->loop), &sha);
	char key[KEY_TEXT_MAX];

	if (id) {
		snprintf(f->sha, sizeof(f->sha), "%s", sha);
		snprintf(f->id, sizeof(f->id), "%s", id);
		end(f, MEDIA_READY, -1, "");
	} else if (media_ref_kind(f->ref) == MEDIA_REF_SHA) {
		snprintf(f->sha, sizeof(f->sha), "%s", media_ref_sha(f->ref));
		ask_for_id(f);
	} else if (media_ref_kind(f->ref) == MEDIA_REF_HANDLE) {
		key_media_handle(m->conf, f->account->tenant, f->ref, key);
		command(f, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_handle);
	} else {
		end(f, MEDIA_NOT_HERE, -1, "neither sha256: and 64 hex digits, nor a handle of wamd's");
	}
}

void media_want(struct media *m, const struct account *a, const char *ref, struct media_waiter *w)
{
	char key[GRAPH_ID_MAX + 1 + MEDIA_REF_MAX + 1];
	struct name *known;
	struct fetch *f;

	make_key(a, ref, key, sizeof(key));
	known = names_find(&m->fetches, key);
	f = known ? CONTAINER_OF(known, struct fetch, name) : fetch_new(m, a, key);
	list_add_tail(&f->waiters, &w->list);
	if (!known)
		begin(f);
	else if (f->state == OVER)
		loop_timer_set(m->loop, &f->timer, 0);
}

/* ---- what is gone at Graph's ---- */

static void forget_in_redis(struct media *m, const struct account *a, const char *sha, const char *id)
{
	char key[KEY_TEXT_MAX];

	key_media_id(m->conf, a, sha, key);
	if (store_script(m->store, SCRIPT_RELEASE, 1, (struct store_arg[]){ STORE_ARG(key), STORE_ARG(id) }, 2, on_told, NULL) < 0)
		log_debug("media", "Redis is away: the next failure forgets it");
}

struct forget { struct media *m; const struct account *account; char id[MEDIA_ID_MAX + 1]; };

static void on_forget_handle(void *arg, const struct store_reply *r)
{
	struct forget *g = arg;
	struct spool_file file;

	if (r && r->n > 0 && r->v[0].kind == STORE_TEXT && media_handle_read(r->v[0].s, &file) == 0)
		forget_in_redis(g->m, g->account, file.sha, g->id);
	free(g);
}

static void forget_handle(struct media *m, const struct account *a, const char *ref, const char *id)
{
	struct forget *g = mem_alloc(sizeof(*g));
	char key[KEY_TEXT_MAX];

	*g = (struct forget){ .m = m, .account = a };
	snprintf(g->id, sizeof(g->id), "%s", id);
	key_media_handle(m->conf, a->tenant, ref, key);
	if (store_command(m->store, (struct store_arg[]){ STORE_ARG("GET"), STORE_ARG(key) }, 2, on_forget_handle, g) < 0)
		free(g);
}

void media_look_again(struct media *m, const struct account *a, const char *ref)
{
	const char *known = media_find(m, a, ref);
	char id[MEDIA_ID_MAX + 1];

	if (!known)
		return;
	snprintf(id, sizeof(id), "%s", known);
	media_cache_forget(&m->cache, a->phone_number_id, id);
}

void media_forget(struct media *m, const struct account *a, const char *ref, const char *id)
{
	enum media_ref_kind kind = media_ref_kind(ref);

	media_cache_forget(&m->cache, a->phone_number_id, id);
	if (kind == MEDIA_REF_SHA)
		forget_in_redis(m, a, media_ref_sha(ref), id);
	else if (kind == MEDIA_REF_HANDLE)
		forget_handle(m, a, ref, id);
}

/* ---- birth and death ---- */

struct media *media_new(struct loop *l, const struct conf *c, struct store *store, struct http_client *http, struct spool *spool,
			struct board_slot *slot)
{
	struct media *m = mem_alloc(sizeof(*m));
	char host[24];

	if (gethostname(host, sizeof(host)) < 0)
		host[0] = 0;
	host[sizeof(host) - 1] = 0;
	*m = (struct media){ .loop = l, .conf = c, .store = store, .http = http, .spool = spool, .slot = slot };
	snprintf(m->owner, sizeof(m->owner), "%s:%d:%08" PRIx32, host, (int)getpid(), (uint32_t)rand_u64());
	list_init(&m->queue);
	loop_timer_init(&m->next, on_next, m);
	return m;
}

void media_stop(struct media *m)
{
	m->http = NULL;
}

void media_free(struct media **mp)
{
	struct media *m = *mp;

	if (!m)
		return;
	*mp = NULL;
	for (int i = 0; i < m->fetches.n; i++) {
		struct fetch *f = CONTAINER_OF(m->fetches.v[i], struct fetch, name);

		if (f->state != OVER)
			away(f, "wamd is shutting down");
		tell(f);
		fetch_free(f);
	}
	loop_timer_stop(m->loop, &m->next);
	names_release(&m->fetches);
	media_cache_release(&m->cache);
	free(m);
}
