/*
 * media_upload - one POST of a file's bytes to /PHONE_NUMBER_ID/media, streamed (Meta: "Media", upload).
 *
 * done is called exactly once, never from inside: id is NULL where a says why there is none.  The upload frees itself afterwards.
 */
#ifndef FLOW_MEDIA_UPLOAD_H
#define FLOW_MEDIA_UPLOAD_H

#include "conf/conf.h"
#include "flow/spool.h"
#include "io/http_client.h"
#include "msg/answer.h"

typedef void media_upload_f(void *arg, const char *id, const struct answer *a);

/* fd becomes the upload's.  The account must have a token. */
void media_upload(struct http_client *http, const struct conf *c, const struct account *a, int fd, const struct spool_file *f,
		  media_upload_f *done, void *arg);

#endif
