/*
 * generator - the i-th text message of a load: whose it is, to whom, what it says.  Pure: the same seed, the same messages.
 *
 * Accounts take turns.  Recipients are all different up to `recipients` (random numbers are a walk through 10^8 numbers
 * that repeats none), because Meta limits the messages to one recipient.
 */
#ifndef LOAD_GENERATOR_H
#define LOAD_GENERATOR_H

#include "load/accounts.h"
#include "load/outgoing.h"

enum envelope { ENVELOPE_1, ENVELOPE_2, ENVELOPE_MIX };

struct generator {
	const struct accounts *accounts;
	const char *prefix;
	uint64_t seed;
	int64_t count, made, recipients;
	int64_t to_base;		/* 0: random numbers; else +base, +base+1, ... */
	int64_t body_bytes;		/* 0: as it comes */
	int priority;			/* -1: none */
	enum envelope envelope;
	const char *on_unknown;		/* NULL: left to the daemon */
	int64_t ttl_s;			/* 0: none */
};

struct outgoing *generator_next(struct generator *g);	/* NULL: all count were made */
const char *generator_prefix(const char *given);	/* given, or one that no other run has */

#endif
