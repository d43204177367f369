/*
 * call - wamctl's calls of the daemon: bodies out of files, progress on a terminal, exit statuses after sysexits.
 *
 * Progress is one line on standard error; it is there for people only, and gone before anything else is printed.
 */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "ctl/command.h"
#include "base/strbuf.h"

enum ctl_watch {
	CTL_WATCH_NOT,
	CTL_WATCH_BYTES,	/* of the body, as they go */
	CTL_WATCH_LETTERS,	/* what dlq progress tells */
	CTL_WATCH_TEMPLATES	/* what template progress tells, with the same arguments */
};

struct ctl_call {
	const char *method, *target;
	int fd;			/* of the body, read from where it is; -1: none */
	int64_t len;
	int timeout_s;
	enum ctl_watch watch;
	const char *verb;	/* of the progress: "uploading" */
};

/* Returns the HTTP status, or -1 with errno: nobody answers, see ctl_no_answer(). */
int ctl_call(const struct ctl_options *o, const struct ctl_call *c, struct strbuf *answer) MUST_CHECK;

/* Both say it, and return the exit status. */
int ctl_no_answer(const struct ctl_options *o);			/* errno says why */
int ctl_problem(int status, const json_t *answer);		/* answer: NULL: it is no JSON */

/*
 * One look; the answer is the caller's (json_decref), NULL if it is no JSON.  Returns the HTTP status, or -1: nobody answers, what is to
 * be said of it was said.
 */
int ctl_get(const struct ctl_options *o, const char *target, json_t **answer);
int ctl_get_quietly(const struct ctl_options *o, const char *target, json_t **answer);	/* nothing is said */

/* The file, or a copy of what has no length that is known before; "-": standard input.  -1: it was said. */
int ctl_open_body(const char *file, int *fd, int64_t *len) MUST_CHECK;
const char *ctl_base_name(const char *path);

#endif
