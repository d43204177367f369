#include "ctl/call.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/progress.h"
#include "io/admin_client.h"

enum { LOOK_TIMEOUT_S = 10, KB = 1024 };

/* ---- bodies ---- */

/* What has no length that is known before, a pipe, goes through a file that nobody sees. */
static int copy_aside(int from)
{
	FILE *aside = tmpfile();
	char buf[65536];
	ssize_t n;
	int fd = -1;

	if (!aside)
		return -1;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, (size_t)n, aside) != (size_t)n)
			break;
	if (n == 0 && fflush(aside) == 0)
		fd = dup(fileno(aside));
	fclose(aside);
	return fd >= 0 && lseek(fd, 0, SEEK_SET) < 0 ? -1 : fd;
}

int ctl_open_body(const char *file, int *fd, int64_t *len)
{
	struct stat st;

	*fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (*fd >= 0 && fstat(*fd, &st) == 0 && !S_ISREG(st.st_mode))
		*fd = copy_aside(*fd);
	if (*fd < 0 || fstat(*fd, &st) < 0) {
		fprintf(stderr, "wamctl: %s: %s\n", file, strerror(errno));
		return -1;
	}
	*len = st.st_size - lseek(*fd, 0, SEEK_CUR);
	return 0;
}

const char *ctl_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- what is seen meanwhile ---- */

struct watch {
	const struct ctl_options *o;
	const struct ctl_call *call;
	struct progress bar;
	bool publishes;			/* letters: all are read */
};

static void look_at_letters(struct watch *w)
{
	json_t *a = NULL;
	bool publishes;

	if (ctl_get_quietly(w->o, "/v1/dlq/progress", &a) == 200 && answer_flag(a, "busy")) {
		publishes = w->publishes || !strcmp(answer_text(a, "stage"), "publishing");
		if (publishes != w->publishes || !w->bar.total)
			progress_start(&w->bar, publishes ? w->call->verb : "reading letters", answer_number(a, "total"), false);
		w->publishes = publishes;
		progress_show(&w->bar, answer_number(a, "done"));
	}
	json_decref(a);
}

/* Until the first page is there, the time: the call may have to wait for its turn. */
static void look_at_templates(struct watch *w)
{
	struct strbuf target = STRBUF_INIT;
	json_t *a = NULL;
	int64_t n = 0;

	strbuf_addf(&target, "/v1/templates/progress%s", strchr(w->call->target, '?'));
	if (ctl_get_quietly(w->o, target.buf, &a) == 200)
		n = answer_number(a, "templates");
	if (n)
		progress_show(&w->bar, n);
	else
		progress_wait(&w->bar);
	json_decref(a);
	strbuf_release(&target);
}

static void on_tick(void *arg, int64_t sent)
{
	struct watch *w = arg;

	switch (w->call->watch) {
	case CTL_WATCH_NOT:
		return;
	case CTL_WATCH_BYTES:
		progress_show(&w->bar, sent / KB);
		return;
	case CTL_WATCH_LETTERS:
		look_at_letters(w);
		return;
	case CTL_WATCH_TEMPLATES:
		look_at_templates(w);
		return;
	}
}

static bool wants_progress(const struct ctl_options *o, const struct ctl_call *c)
{
	return c->watch != CTL_WATCH_NOT && o->format == CTL_TEXT && !o->is_quiet && isatty(STDERR_FILENO);
}

/* ---- calls ---- */

int ctl_call(const struct ctl_options *o, const struct ctl_call *c, struct strbuf *answer)
{
	struct watch w = { .o = o, .call = c };
	struct admin_call call = { .method = c->method, .target = c->target, .fd = c->fd, .len = c->len, .timeout_s = c->timeout_s };
	int status, saved;

	if (wants_progress(o, c)) {
		progress_start(&w.bar, c->verb, c->watch == CTL_WATCH_BYTES ? c->len / KB : 0, false);
		w.bar.unit = c->watch == CTL_WATCH_BYTES ? " KB" : "";
		call.tick = on_tick;
		call.arg = &w;
	}
	status = admin_client_call(o->socket, &call, answer);
	saved = errno;
	progress_clear(&w.bar);
	errno = saved;
	return status;
}

int ctl_no_answer(const struct ctl_options *o)
{
	int saved = errno;

	fprintf(stderr, "wamctl: %s: %s (does wamd run? may you use the socket?)\n", o->socket, strerror(saved));
	return saved == EACCES ? EX_NOPERM : EX_TEMPFAIL;
}

int ctl_problem(int status, const json_t *a)
{
	if (a)
		fprintf(stderr, "wamctl: %s: %s\n", answer_text(a, "code"), answer_text(a, "detail"));
	else
		fprintf(stderr, "wamctl: HTTP status %d\n", status);
	switch (status) {
	case 400:
		return EX_USAGE;
	case 403:
		return EX_NOPERM;
	case 404:
		return EX_NOINPUT;
	case 413:
	case 415:
		return EX_DATAERR;
	case 409:
		return EX_TEMPFAIL;
	case 422:
		return EX_CONFIG;
	case 502:
		return EX_UNAVAILABLE;
	case 429:
	case 503:
	case 507:
		return EX_TEMPFAIL;
	default:
		return EX_SOFTWARE;
	}
}

int ctl_get_quietly(const struct ctl_options *o, const char *target, json_t **answer)
{
	struct strbuf text = STRBUF_INIT;
	int status = admin_client_call(o->socket, &(struct admin_call){ .method = "GET", .target = target, .fd = -1,
									.timeout_s = LOOK_TIMEOUT_S }, &text);
	int saved = errno;

	*answer = status < 0 ? NULL : json_loadb(text.buf, text.len, 0, NULL);
	strbuf_release(&text);
	errno = saved;
	return status;
}

int ctl_get(const struct ctl_options *o, const char *target, json_t **answer)
{
	int status = ctl_get_quietly(o, target, answer);

	if (status < 0)
		(void)ctl_no_answer(o);
	return status;
}
