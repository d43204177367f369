#include "sandbox/certs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rand.h"

enum { DAYS = 3650 };

struct pair { EVP_PKEY *key; X509 *cert; };

static bool have_all(const char *dir)
{
	static const char *const names[] = { "ca.pem", "cert.pem", "key.pem" };
	struct strbuf path = STRBUF_INIT;
	bool all = true;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		strbuf_setf(&path, "%s/%s", dir, names[i]);
		all = all && access(path.buf, R_OK) == 0;
	}
	strbuf_release(&path);
	return all;
}

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok;
}

/* Names, dates, serial and key; issuer NULL: signs itself. */
static bool fill(struct pair *p, const char *name, const struct pair *issuer)
{
	X509_NAME *subject = X509_get_subject_name(p->cert);

	return X509_set_version(p->cert, 2) &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(p->cert), rand_u64() >> 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(p->cert), -86400) &&
	       X509_gmtime_adj(X509_getm_notAfter(p->cert), 86400L * DAYS) &&
	       X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"wamd-sandbox", -1, -1, 0) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
	       X509_set_issuer_name(p->cert, issuer ? X509_get_subject_name(issuer->cert) : subject) &&
	       X509_set_pubkey(p->cert, p->key);
}

static bool make_ca(struct pair *ca)
{
	return fill(ca, "wamd-sandbox test CA", NULL) &&
	       extend(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       extend(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       extend(ca->cert, ca->cert, NID_subject_key_identifier, "hash") &&
	       X509_sign(ca->cert, ca->key, EVP_sha256());
}

static bool make_server(struct pair *server, const struct pair *ca)
{
	return fill(server, "localhost", ca) &&
	       extend(server->cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       extend(server->cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
	       extend(server->cert, ca->cert, NID_ext_key_usage, "serverAuth") &&
	       extend(server->cert, ca->cert, NID_subject_key_identifier, "hash") &&
	       extend(server->cert, ca->cert, NID_authority_key_identifier, "keyid") &&
	       extend(server->cert, ca->cert, NID_subject_alt_name,
		      "DNS:localhost,DNS:graph.facebook.com,IP:127.0.0.1,IP:::1") &&
	       X509_sign(server->cert, ca->key, EVP_sha256());
}

/* Written beside and renamed, so that a reader never sees half a file. */
static int store(const char *dir, const char *name, mode_t mode, const struct pair *p, bool key, struct strbuf *why)
{
	struct strbuf to = STRBUF_INIT, part = STRBUF_INIT;
	FILE *f = NULL;
	int fd, err = -1;

	strbuf_setf(&to, "%s/%s", dir, name);
	strbuf_setf(&part, "%s.%d.part", to.buf, (int)getpid());
	fd = open(part.buf, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || !(f = fdopen(fd, "w"))) {
		why_set(why, "%s: %s", part.buf, strerror(errno));
		if (fd >= 0)
			close(fd);
		goto out;
	}
	bool ok = key ? PEM_write_PKCS8PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL) : PEM_write_X509(f, p->cert);
	if (fclose(f) != 0 || !ok || rename(part.buf, to.buf) < 0) {
		why_set(why, "%s: cannot be written: %s", to.buf, strerror(errno));
		unlink(part.buf);
		goto out;
	}
	err = 0;
out:
	strbuf_release(&to);
	strbuf_release(&part);
	return err;
}

int certs_ensure(const char *dir, struct strbuf *why)
{
	struct pair ca = { 0 }, server = { 0 };
	int err = -1;

	if (have_all(dir))
		return 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return why_set(why, "%s: %s", dir, strerror(errno));
	ca = (struct pair){ EVP_EC_gen("P-256"), X509_new() };
	server = (struct pair){ EVP_EC_gen("P-256"), X509_new() };
	if (!ca.key || !ca.cert || !server.key || !server.cert || !make_ca(&ca) || !make_server(&server, &ca)) {
		why_set(why, "%s: libcrypto could not make the certificates", dir);
		goto out;
	}
	if (store(dir, "ca.pem", 0644, &ca, false, why) == 0 && store(dir, "cert.pem", 0644, &server, false, why) == 0 &&
	    store(dir, "key.pem", 0600, &server, true, why) == 0)
		err = 0;
out:
	EVP_PKEY_free(ca.key);
	X509_free(ca.cert);
	EVP_PKEY_free(server.key);
	X509_free(server.cert);
	return err;
}
