/*
 * letter_edit - a dead letter with another message in it.  Pure.
 *
 * The envelope stays: the letter keeps its age, history and attempts, and two of the same died_at open a record once (admit.lua).
 * Only what it says of the message (id, account, correlation id) is the new one's.
 */
#ifndef API_LETTER_EDIT_H
#define API_LETTER_EDIT_H

#include "conf/conf.h"
#include "msg/json.h"

struct letter_edit {		/* one of the two */
	json_t *message;	/* a whole new one */
	json_t *changes;	/* [path, value] each, made one after the other; null takes a member away */
};

/* Both return NULL, or the code of a refusal with its reason in why. */
const char *letter_edit_read(struct letter_edit *e, const void *message, size_t len, struct strbuf *why);
const char *letter_edit_make(const struct letter_edit *e, const json_t *letter, const struct conf *c, int64_t now_ms, json_t **out,
			     struct strbuf *why);	/* *out is the caller's */
int letter_edit_add(struct letter_edit *e, const char *change, struct strbuf *why);	/* "text.body=new words" */
void letter_edit_release(struct letter_edit *e);

#endif
