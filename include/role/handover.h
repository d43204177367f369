/*
 * handover - what a supervisor leaves to the program that it becomes: descriptors that stay open over exec, and a text in one of them
 * that says what they are.
 *
 * The pid stays, so init systems, the pid file and its lock stay as they are; signals that come meanwhile are blocked and wait.
 */
#ifndef ROLE_HANDOVER_H
#define ROLE_HANDOVER_H

#include <sys/types.h>

#include "base/board.h"
#include "conf/conf.h"

enum { CHILDREN_MAX = BOARD_SLOTS };

struct handover_child {
	pid_t pid;
	char role[BOARD_ROLE_LEN];
	int number, generation, slot;
	int link[2];			/* -1: none */
};

struct handover_socket { int fd; char address[64]; };

struct handover {
	int board_fd, admin_fd, look_fd, command_read, command_write, pid_fd;	/* look_fd -1: the program before had none */
	struct handover_socket api[WAMD_STRINGS_MAX], metrics, console;	/* of these two, fd -1: none */
	char run_dir[108];		/* where pid file and admin sockets are */
	int n_api, n_children;
	struct handover_child children[CHILDREN_MAX];
};

/* Opens what exec shall leave open, and names it in the environment.  -1 with the reason: nothing was changed. */
int handover_offer(const struct handover *h, struct strbuf *why) MUST_CHECK;
void handover_withdraw(const struct handover *h);	/* exec failed: all as before */

/* 1: taken, and the environment is clean again.  0: there is none.  -1 with the reason: it cannot be read. */
int handover_take(struct handover *h, struct strbuf *why) MUST_CHECK;

#endif
