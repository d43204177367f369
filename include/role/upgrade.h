/*
 * upgrade - USR2: the program on disk takes this one's place, in the same process.
 *
 * First it is asked, with -t, whether it would start with the configuration; nothing blocks meanwhile, and a program that does not answer
 * within 30 s is ended.  Only if it would, everything is handed over (role/handover.h) and exec makes this process the other program.
 */
#ifndef ROLE_UPGRADE_H
#define ROLE_UPGRADE_H

#include "base/loop.h"
#include "role/handover.h"

struct upgrade;

struct upgrade_options {
	struct loop *loop;
	const char *program, *conf_file;	/* absolute */
	bool foreground, debug;			/* options of this one that the other gets, too */
	/* The other would start (why: NULL), or why not. */
	void (*checked)(void *arg, const char *why);
	void *arg;
};

struct upgrade *upgrade_new(const struct upgrade_options *o);
void upgrade_free(struct upgrade **up);

void upgrade_check(struct upgrade *u);			/* while one is under way: that one's answer counts */
bool upgrade_bury(struct upgrade *u, pid_t pid, int status);	/* false: it is none of ours */

/* Returns only if it failed, with the reason; all is as before. */
void upgrade_exec(const struct upgrade *u, const struct handover *h, struct strbuf *why);

#endif
