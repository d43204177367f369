/*
 * certs - a small certificate authority of our own and a server certificate for localhost and graph.facebook.com.
 *
 * ca.pem, cert.pem and key.pem in a directory; made when one of them is missing, else left alone.  The CA's key is
 * thrown away, so that nothing else can ever be signed with what a test machine trusts.
 */
#ifndef SANDBOX_CERTS_H
#define SANDBOX_CERTS_H

#include "base/strbuf.h"

int certs_ensure(const char *dir, struct strbuf *why) MUST_CHECK;

#endif
