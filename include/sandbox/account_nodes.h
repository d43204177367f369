/*
 * account_nodes - Graph's nodes for numbers and business accounts: fields, lists, profile, subscriptions, analytics, uploads,
 * templates, media.
 */
#ifndef SANDBOX_ACCOUNT_NODES_H
#define SANDBOX_ACCOUNT_NODES_H

#include <jansson.h>

#include "base/base.h"

struct call;
struct managed;

void node_get(struct call *c);			/* a number or a business account, by its id */
void phone_numbers_get(struct call *c);
void subscribed_apps_get(struct call *c);
void subscribed_apps_post(struct call *c);
void subscribed_apps_delete(struct call *c);
void profile_get(struct call *c);
void profile_post(struct call *c);
void template_analytics_get(struct call *c);
void upload_start(struct call *c);
void upload_bytes(struct call *c);
void upload_offset(struct call *c);
void node_templates_list(struct call *c);
void node_templates_create(struct call *c);
void node_templates_delete(struct call *c);
void node_template_get(struct call *c);
void node_template_edit(struct call *c);
void node_template_unpause(struct call *c);
void node_media_upload(struct call *c);
void node_media_get(struct call *c);
void node_media_delete(struct call *c);

bool analytics_is(const char *name);		/* a field of a business account that analytics.c answers */
json_t *analytics_field(struct managed *m, const char *name, const json_t *args);	/* NULL with m->error set */

#endif
