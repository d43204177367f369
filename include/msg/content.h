/*
 * content - what a message says, by its type: is it something that Meta takes?  Pure.
 *
 * Members, kinds and limits are the tables include/tbl/content_*.h, rules over several members src/msg/content_rules.c.  What Graph
 * might accept passes: unknown members, unknown interactive types, and where Meta's sources disagree the larger limit.  Lengths are
 * characters (code points).
 *
 * Wherever a file may stand - the payload of image, video, audio, document and sticker, headers, cards, parameters of a template - there
 * is exactly one of `id`, `link` and wamd's own `media`: a file that wamd has or gets, `sha256:` and 64 lower hex digits, or the handle
 * of an upload, `m.` and 22 of A-Z a-z 0-9 _ -.
 */
#ifndef MSG_CONTENT_H
#define MSG_CONTENT_H

#include "msg/json.h"
#include "msg/reason.h"

struct message;

bool content_is_known(const char *type);

/*
 * NONE, or why not: the error names the path, what was found and what is allowed, and nothing that the message says.
 * free_buttons: a Direct Send message, whose buttons Meta alone knows.
 */
enum reason content_check(const char *type, const json_t *payload, bool free_buttons, struct strbuf *why) MUST_CHECK;

enum { MEDIA_REFS_MAX = 16 /* in one message; more are refused */, TEXT_MAX = 4096 /* Meta: "Text messages" */ };

struct media_ref {
	json_t *object;			/* the message's; what media_ref_settle() changes */
	const char *kind;		/* "image" "video" "audio" "document" "sticker" */
	const char *ref;		/* as it stands there; gone once it is settled */
};

/* Those not settled yet; how many were put into out. */
int message_media(const struct message *m, struct media_ref out[], int max);
void media_ref_settle(struct media_ref *r, const char *graph_id);	/* id takes the place of media; dead letters keep media */

#endif
