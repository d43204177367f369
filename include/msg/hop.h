/*
 * hop - what a copy of a message says about itself: the AMQP header x-wamd-hop, `v=1 k=retry n=2 t=1764000000000 h=3 b=0 c=1f p=1764000000500 r=1`.
 *
 * A copy carries the attempt whose timer it has waited out: a timer of attempt 1 says nothing about attempt 2.
 */
#ifndef MSG_HOP_H
#define MSG_HOP_H

#include "base/base.h"

#define HOP_HEADER "x-wamd-hop"
#define REPLAY_HEADER "x-wamd-replay"

enum hop_kind {
	HOP_NONE,	/* straight from a producer */
	HOP_LANE,	/* waited before it was ever admitted */
	HOP_RETRY,	/* made for attempt n */
	HOP_BUSY,	/* waited for another worker's lease */
	HOP_UNKNOWN,	/* waited out the unknown-outcome timer of attempt n */
	HOP_KINDS
};
const char *hop_kind_name(enum hop_kind k);

struct hop {
	enum hop_kind kind;
	int attempt;
	int64_t first_seen_ms;	/* Unix time; 0: not known */
	int hops;		/* transport publishes so far */
	int gave_back;		/* answers in a row that gave their attempt back (throttled, held) */
	uint32_t nonce;		/* tells it from others that were made of the same delivery; 0: it has none */
	int64_t published_ms;	/* Unix time, with nonce */
	bool again;		/* it may be a second one of the same copy: the delay queue gave it twice */
};

enum { HOP_TEXT_MAX = 128 };

enum hop_verdict { HOP_READ, HOP_NEWER, HOP_GARBAGE };	/* NEWER: written by a later version; keep the copy as it is */
enum hop_verdict hop_parse(struct hop *h, const char *text, size_t len);
void hop_format(const struct hop *h, char out[HOP_TEXT_MAX]);

/*
 * A message that was taken out of the dead-letter queue to be sent again: `v=1 t=1764000000000 n=6 d=0`.  Copies keep it: the record
 * knows which letter has opened it, and a copy made before that (limit, hold) must still be able to.
 */
struct replay {
	int64_t died_ms;	/* of the letter, Unix time; 0: no replay */
	int attempts;		/* the letter's */
	bool may_duplicate;	/* also when its outcome is unknown */
};
enum hop_verdict replay_parse(struct replay *r, const char *text, size_t len);
void replay_format(const struct replay *r, char out[HOP_TEXT_MAX]);

#endif
