/* send: upload its file, give the message to the daemon, and wait until something has come of it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/progress.h"
#include "base/str.h"
#include "ctl/call.h"
#include "ctl/csv.h"
#include "ctl/send_message.h"
#include "ctl/show.h"
#include "io/admin_client.h"
#include "msg/file_type.h"
#include "msg/json.h"

enum { SEND_TIMEOUT_S = 30, UPLOAD_TIMEOUT_S = 150, WAIT_MS = 30000, PAUSE_MS = 50, PAUSE_MAX_MS = 500, LETTER_MS = 3000, TAIL = 10 };

enum goal { GOAL_NONE, GOAL_SENT, GOAL_DELIVERED, GOAL_READ };

struct send {
	const struct ctl_options *o;
	const struct ctl_params *p;
	enum goal goal;
	int64_t wait_ms;
	char sha_ref[7 + 2 * SHA256_LEN + 1], kind[32];
	json_t *upload;			/* what the daemon said of the file; NULL: none */
	struct sent_file file;
	struct strbuf whole;		/* of --message-file */
	json_t *answer;			/* the daemon's, of the message */
	json_t *seen, *letter;		/* what became of it: its record, or its dead letter; NULL: nothing is known */
};

static int bad(int code, const struct strbuf *why)
{
	fprintf(stderr, "wamctl: %s\n", why->buf);
	return code;
}

static bool is_dry_run(const struct send *s)
{
	return ctl_param(s->p, "dry-run") != NULL;
}

/* ---- options ---- */

static int read_waiting(struct send *s, struct strbuf *why)
{
	static const char *const goals[] = { [GOAL_SENT] = "sent", [GOAL_DELIVERED] = "delivered", [GOAL_READ] = "read" };
	const char *wait = ctl_param(s->p, "wait"), *goal = ctl_param(s->p, "wait-for");

	s->goal = wait ? GOAL_SENT : GOAL_NONE;
	s->wait_ms = WAIT_MS;
	if (wait && *wait && (parse_msec(wait, &s->wait_ms) < 0 || s->wait_ms < 0))
		return why_set(why, "wait: found %.32s, allowed a duration, as in 30s or 2m", wait);
	for (int i = GOAL_SENT; goal && i <= GOAL_READ; i++)
		if (!strcmp(goals[i], goal)) {
			s->goal = (enum goal)i;
			return 0;
		}
	return goal ? why_set(why, "wait-for: found %.32s, allowed sent, delivered or read", goal) : 0;
}

/* ---- files ---- */

static int read_whole(struct send *s)
{
	char buf[65536];
	ssize_t n;
	int64_t len;
	int fd;

	if (ctl_open_body(s->p->file, &fd, &len) < 0)
		return EX_NOINPUT;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(&s->whole, buf, (size_t)n);
	close(fd);
	return 0;
}

/* What an upload would tell of it. */
static int look_at_file(struct send *s, int fd, struct strbuf *why)
{
	struct sha256_stream *h = sha256_stream_new();
	uint8_t digest[SHA256_LEN];
	char head[FILE_HEAD_MAX], buf[65536];
	struct file_facts facts = { .head = head, .name = s->file.name };
	struct file_type type;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		size_t more = sizeof(head) - facts.len < (size_t)n ? sizeof(head) - facts.len : (size_t)n;

		memcpy(head + facts.len, buf, more);
		facts.len += more;
		sha256_stream_add(h, buf, (size_t)n);
	}
	sha256_stream_end(h, digest);
	sha256_stream_free(&h);
	if (file_type_of(&facts, &type, why) < 0)
		return bad(EX_DATAERR, why);
	memcpy(s->sha_ref, "sha256:", 7);
	hex_encode(digest, SHA256_LEN, s->sha_ref + 7);
	snprintf(s->kind, sizeof(s->kind), "%s", type.kind);
	return 0;
}

/* One call; what is wrong was said.  Returns the exit status; *status is HTTP's, -1 where nobody answers. */
static int ask(const struct send *s, const struct ctl_call *call, json_t **answer, int *status)
{
	struct strbuf text = STRBUF_INIT;
	int code = 0;

	*status = ctl_call(s->o, call, &text);
	if (*status < 0)
		code = ctl_no_answer(s->o);
	else
		*answer = json_loadb(text.buf, text.len, 0, NULL);
	if (*status >= 400)
		code = ctl_problem(*status, *answer);
	strbuf_release(&text);
	return code;
}

static int upload(struct send *s, int fd, int64_t len)
{
	struct strbuf target = STRBUF_INIT;
	struct ctl_call call = { .method = "POST", .fd = fd, .len = len, .timeout_s = UPLOAD_TIMEOUT_S, .watch = CTL_WATCH_BYTES,
				 .verb = "uploading" };
	int status, code;

	strbuf_adds(&target, "/v1/media");
	admin_client_add_query(&target, "tenant", ctl_param(s->p, "tenant"));
	admin_client_add_query(&target, "name", s->file.name);
	call.target = target.buf;
	code = ask(s, &call, &s->upload, &status);
	snprintf(s->sha_ref, sizeof(s->sha_ref), "sha256:%s", answer_text(s->upload, "sha256"));
	snprintf(s->kind, sizeof(s->kind), "%s", answer_text(s->upload, "kind"));
	strbuf_release(&target);
	return code;
}

static int bring_file(struct send *s)
{
	struct strbuf why = STRBUF_INIT;
	int fd, code;
	int64_t len;

	s->file.name = strcmp(s->p->file, "-") ? ctl_base_name(s->p->file) : "";
	if (ctl_open_body(s->p->file, &fd, &len) < 0)
		return EX_NOINPUT;
	code = is_dry_run(s) ? look_at_file(s, fd, &why) : upload(s, fd, len);
	s->file.ref = json_object_get(s->upload, "handle") ? answer_text(s->upload, "handle") : s->sha_ref;
	s->file.kind = s->kind;
	close(fd);
	strbuf_release(&why);
	return code;
}

/* ---- the message ---- */

static int memory_of(const struct strbuf *text)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text->buf, text->len) != (ssize_t)text->len || lseek(fd, 0, SEEK_SET) < 0) {
		fprintf(stderr, "wamctl: memory for the message: %s\n", strerror(errno));
		return -1;
	}
	return fd;
}

static int post(struct send *s, const struct strbuf *message)
{
	struct strbuf target = STRBUF_INIT;
	struct ctl_call call = { .method = "POST", .fd = memory_of(message), .len = (int64_t)message->len, .timeout_s = SEND_TIMEOUT_S };
	int status, code;

	if (call.fd < 0)
		return EX_OSERR;
	strbuf_adds(&target, "/v1/send");
	admin_client_add_query(&target, "tenant", ctl_param(s->p, "tenant"));
	if (is_dry_run(s))
		admin_client_add_query(&target, "dry-run", "1");
	call.target = target.buf;
	code = ask(s, &call, &s->answer, &status);
	close(call.fd);
	strbuf_release(&target);
	return status == 400 || status == 403 || status == 422 ? EX_DATAERR : code;
}

static int send_it(struct send *s)
{
	struct strbuf why = STRBUF_INIT, text = STRBUF_INIT;
	bool has_whole = s->p->file && !strcmp(s->p->file_option, "message-file");
	json_t *o = send_message(s->p, s->p->file && !has_whole ? &s->file : NULL, has_whole ? &s->whole : NULL, &why);
	int code;

	if (o) {
		json_dump_to(o, JSON_COMPACT, &text);
		code = post(s, &text);
	} else {
		code = bad(has_whole ? EX_DATAERR : EX_USAGE, &why);
	}
	json_decref(o);
	strbuf_release(&why);
	strbuf_release(&text);
	return code;
}

/* ---- what comes of it ---- */

static const char *key_of(const json_t *answer)
{
	return answer_text(answer, json_object_get(answer, "idempotency_key") ? "idempotency_key" : "id");
}

static bool is_state(const json_t *seen, const char *state)
{
	return !strcmp(answer_text(seen, "state"), state);
}

static bool has_ended(const json_t *seen)
{
	return is_state(seen, "dead") || is_state(seen, "expired") || is_state(seen, "cancelled");
}

static bool has_reached(const json_t *seen, enum goal goal)
{
	const json_t *statuses = json_object_get(seen, "statuses");
	bool is_read = json_object_get(statuses, "read") || json_object_get(statuses, "played");

	switch (goal) {
	case GOAL_NONE:
		return true;
	case GOAL_SENT:
		return is_state(seen, "sent");
	case GOAL_DELIVERED:
		return is_read || json_object_get(statuses, "delivered");
	case GOAL_READ:
		return is_read;
	}
	return false;
}

static void look(struct send *s, const char *path, json_t **out)
{
	struct strbuf target = STRBUF_INIT;
	bool is_letter = out == &s->letter;
	json_t *a = NULL;
	int status;

	strbuf_adds(&target, path);
	admin_client_add_query(&target, "tenant", answer_text(s->answer, "tenant_id"));
	admin_client_add_query(&target, "id", is_letter ? answer_text(s->answer, "id") : key_of(s->answer));
	if (!is_letter)
		admin_client_add_query(&target, "digest", answer_text(s->answer, "digest"));
	status = ctl_get_quietly(s->o, target.buf, &a);
	if (status == 200) {
		json_decref(*out);
		*out = json_incref(a);
	}
	json_decref(a);
	strbuf_release(&target);
}

/* What a sender refuses has no record, only a letter; an older one of a message with this id is not meant. */
static void look_for_letter(struct send *s)
{
	if (s->seen && !is_state(s->seen, "queued"))
		return;
	look(s, "/v1/dlq/letter", &s->letter);
	if (s->letter && strcmp(answer_text(s->letter, "died_at"), answer_text(s->answer, "asked_at")) < 0) {
		json_decref(s->letter);
		s->letter = NULL;
	}
}

static void wait_for_it(struct send *s)
{
	mono_t began = mono_now();
	int64_t pause_ms = PAUSE_MS;
	bool has_looked = false, is_late = false;
	struct progress bar;

	progress_start(&bar, "waiting", 0, false);
	bar.on = bar.on && s->o->format == CTL_TEXT && !s->o->is_quiet;
	for (;;) {
		look(s, "/v1/messages/why", &s->seen);
		if (has_reached(s->seen, s->goal) || has_ended(s->seen))
			break;
		is_late = mono_diff_ms(mono_now(), began) >= s->wait_ms;
		if (is_late || (!has_looked && mono_diff_ms(mono_now(), began) >= LETTER_MS)) {
			has_looked = true;
			look_for_letter(s);
		}
		if (is_late || s->letter)
			break;
		progress_wait(&bar);
		usleep((useconds_t)pause_ms * 1000);
		pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
	}
	progress_clear(&bar);
}

/* ---- how it is said ---- */

/* A code is Graph's: it refused the message; without one it was refused here, or ended before its turn. */
static int status_of(const struct send *s)
{
	const json_t *end = s->letter ? s->letter : s->seen;
	bool is_refused = s->letter || is_state(s->seen, "dead");

	if (s->goal == GOAL_NONE || has_reached(s->seen, s->goal))
		return 0;
	if (!s->letter && !has_ended(s->seen))
		return EX_TEMPFAIL;
	return is_refused && !answer_number(end, "code") ? EX_DATAERR : EX_UNAVAILABLE;
}

static void say_end(const struct send *s)
{
	static const char *const words[] = { [GOAL_NONE] = "queued", [GOAL_SENT] = "sent", [GOAL_DELIVERED] = "delivered", [GOAL_READ] = "read" };
	const char *wamid = answer_text(s->seen, "wamid"), *id = answer_text(s->answer, "id"), *tenant = answer_text(s->answer, "tenant_id");
	const json_t *end = s->letter ? s->letter : s->seen;
	int code = status_of(s);
	size_t n = strlen(wamid);

	if (code == 0) {
		printf("%s: message %s of tenant %s, account %s", words[s->goal], id, tenant, answer_text(s->answer, "account_id"));
		if (s->goal != GOAL_NONE && n > TAIL)
			printf(", wamid …%s", wamid + n - TAIL);
		puts("");
	} else if (code == EX_TEMPFAIL) {
		fprintf(stderr, "wamctl: message %s of tenant %s is not %s in time: %s\n", id, tenant, words[s->goal], s->seen ?
			answer_text(s->seen, "why") : "no sender has taken it from the queue");
	} else {
		fprintf(stderr, "wamctl: message %s of tenant %s: %s: %s\n", id, tenant, answer_text(end, json_object_get(end, "reason") ? "reason" :
			"state"), json_object_get(end, "error") ? answer_text(end, "error") : answer_text(end, "why"));
	}
}

int show_send(const json_t *a)
{
	printf("message   %s of tenant %s, account %s: not sent\nto        exchange %s, routing key %s\n", answer_text(a, "id"),
	       answer_text(a, "tenant_id"), answer_text(a, "account_id"), answer_text(a, "exchange"), answer_text(a, "routing_key"));
	if (json_object_get(a, "template"))
		printf("template  %s\n", answer_text(a, "template"));
	if (json_object_get(a, "warnings"))
		printf("warnings  %s\n", answer_text(a, "warnings"));
	json_dumpf(json_object_get(a, "message"), stdout, JSON_INDENT(2));
	putchar('\n');
	return 0;
}

static int say(const struct send *s)
{
	if (s->o->format == CTL_TEXT && is_dry_run(s)) {
		show_send(s->answer);
	} else if (s->o->format == CTL_TEXT) {
		say_end(s);
	} else {
		if (s->letter || s->seen)
			json_object_set(s->answer, s->letter ? "letter" : "seen", s->letter ? s->letter : s->seen);
		if (s->o->format == CTL_CSV)
			csv_print(s->answer, stdout);
		else if (json_dumpf(s->answer, stdout, JSON_COMPACT) == 0)
			putchar('\n');
	}
	return is_dry_run(s) ? 0 : status_of(s);
}

int run_send(const struct ctl_options *o, const struct ctl_params *p)
{
	struct send s = { .o = o, .p = p, .whole = STRBUF_INIT };
	struct strbuf why = STRBUF_INIT;
	int code = 0;

	if (send_message_check(p, &why) < 0 || read_waiting(&s, &why) < 0)
		code = bad(EX_USAGE, &why);
	else if (p->file)
		code = strcmp(p->file_option, "media-file") ? read_whole(&s) : bring_file(&s);
	if (!code)
		code = send_it(&s);
	if (!code && s.goal != GOAL_NONE && !is_dry_run(&s))
		wait_for_it(&s);
	if (!code)
		code = say(&s);
	json_decref(s.upload);
	json_decref(s.answer);
	json_decref(s.seen);
	json_decref(s.letter);
	strbuf_release(&s.whole);
	strbuf_release(&why);
	return code;
}
