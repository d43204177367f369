/*
 * family - the supervisor's children by generation: forked, told to stop, buried, started again.
 *
 * A generation is one configuration and those who run it.  Those of the program that this one has replaced (role/handover.h) belong to
 * one without a configuration, and only drain.  One loop, no locks; everything lives as long as the family.
 */
#ifndef ROLE_FAMILY_H
#define ROLE_FAMILY_H

#include "base/loop.h"
#include "role/handover.h"
#include "role/respawn.h"
#include "role/role.h"

struct generation {
	struct conf *conf;		/* NULL: the program before had it */
	int number, children;
};

struct child {
	pid_t pid;			/* 0: waits for its next start; -1: free */
	const struct role *role;
	int number;
	int link[2];			/* sender, api: its end and the keeper's; keeper: its end and its heir's.  Kept for who comes after
					   them; -1: none */
	struct generation *generation;
	struct board_slot *slot;
	mono_t started;
	bool told_to_stop;
	struct respawn respawn;
	struct loop_timer again, overdue;
	struct family *family;
};

struct family {
	struct loop *loop;
	struct board *board;
	struct generation *now;
	struct child children[CHILDREN_MAX];
	/* What the supervisor has open: given to those who need it, closed in all others.  -1: none. */
	int board_fd, admin_fd, look_fd, metrics_fd, console_fd, command_read, command_write, pid_fd, ready_fd;
	int api_fds[WAMD_STRINGS_MAX], n_api_fds;
};

void family_init(struct family *f, struct loop *l, struct board *b);

/* The children of a new configuration; conf is taken over.  Those of older generations go on until they are told to stop. */
void family_start(struct family *f, struct conf *conf);
void family_stop_all(struct family *f, int signo);
void family_stop_role(struct family *f, const char *role);
void family_stop_older(struct family *f);
void family_signal_all(const struct family *f, int signo);

int family_living(const struct family *f);
int family_draining(const struct family *f);
bool family_bury(struct family *f, pid_t pid, int status);	/* false: it is none of ours */

/* For the program that follows, and from the one before. */
void family_hand_over(const struct family *f, struct handover *h);
void family_adopt(struct family *f, const struct handover *h);

#endif
