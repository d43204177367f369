/*
 * supervisor - forks, reaps, signals; parses nothing from outside.
 *
 * HUP: a checked new configuration gets a new generation of children, the old one drains; a bad file changes nothing and says why.
 * HUPs during a drain are coalesced into one.  TERM, INT: drain, then stop.  QUIT: stop now.  USR1: reopen logs.  USR2: the program on
 * disk takes this one's place, in this process, with its sockets; the children of this one drain.
 */
#ifndef ROLE_SUPERVISOR_H
#define ROLE_SUPERVISOR_H

#include "conf/conf.h"
#include "role/handover.h"

struct supervisor_options {
	struct conf *conf;		/* taken over */
	bool debug;			/* log level debug whatever the file says */
	bool keep_log;			/* stay on stderr whatever the file says (-D) */
	bool foreground;		/* it was asked to stay there */
	const char *program;		/* its file, absolute: what USR2 starts */
	struct handover *from;	/* of the program before, NULL: none; taken over */
	int pid_fd;			/* the locked pid file, -1: none */
	int ready_fd;			/* one byte is written when the children are forked, -1: nobody waits */
};

int supervisor_run(const struct supervisor_options *o);	/* exit status */

#endif
