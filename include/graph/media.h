/*
 * media - what Graph has under a media id of an account's number (Meta: "Media").
 *
 * {"media_id":"…","mime":"image/png","sha256":"…","size":1234}; ids of other numbers are refused by Graph, for the number is named.
 */
#ifndef GRAPH_MEDIA_H
#define GRAPH_MEDIA_H

#include "graph/calls.h"

void graph_media_fetch(struct graph *g, const struct graph_for *who, const char *media_id);
void graph_media_delete(struct graph *g, const struct graph_for *who, const char *media_id);	/* {"deleted":true} */

#endif
