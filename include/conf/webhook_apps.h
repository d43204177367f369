/*
 * webhook_apps - the Meta apps whose webhooks are taken (webhook.apps): their secrets, and the word that Meta shows at the set-up.
 *
 * Read with the configuration, for children may not read the files.  Ownership: the configuration's; secrets are wiped.
 */
#ifndef CONF_WEBHOOK_APPS_H
#define CONF_WEBHOOK_APPS_H

#include "base/outcome.h"
#include "base/strbuf.h"

enum { WEBHOOK_SECRETS = 2 /* the second while one replaces the other */ };

struct webhook_app {
	char *name;
	char *secrets[WEBHOOK_SECRETS];	/* the second may be NULL */
	char *verify;			/* hub.verify_token; NULL: nobody may set it up */
};

/* order: "NAME=FILE"; conf_file: what FILE is relative to. */
int webhook_app_read(struct webhook_app *a, const char *order, const char *conf_file, struct strbuf *why) MUST_CHECK;
void webhook_app_release(struct webhook_app *a);

#endif
