#include "flow/media_upload.h"

#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "msg/json.h"

struct upload {
	const struct conf *conf;
	struct strbuf head, tail;	/* what stands in front of the bytes and behind them */
	int fd;
	int64_t size, at;
	struct http_source source;
	media_upload_f *done;
	void *arg;
};

static ssize_t read_part(const struct strbuf *part, int64_t at, char *buf, size_t room)
{
	size_t left = part->len - (size_t)at;

	if (room > left)
		room = left;
	memcpy(buf, part->buf + at, room);
	return (ssize_t)room;
}

/* The file cannot have changed since it was opened; should it be shorter all the same, the request fails. */
static ssize_t read_source(void *arg, char *buf, size_t room)
{
	struct upload *u = arg;
	int64_t in_file = u->at - (int64_t)u->head.len, left = u->size - in_file;
	ssize_t n;

	if (in_file < 0)
		n = read_part(&u->head, u->at, buf, room);
	else if (left > 0)
		n = pread(u->fd, buf, (int64_t)room < left ? room : (size_t)left, in_file);
	else
		n = read_part(&u->tail, in_file - u->size, buf, room);
	if (n > 0)
		u->at += n;
	return n;
}

/* As browsers do in a form. */
static void add_quoted(struct strbuf *out, const char *name)
{
	for (const char *p = *name ? name : "file"; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\')
			strbuf_addf(out, "%%%02X", (unsigned)(unsigned char)*p);
		else
			strbuf_addc(out, *p);
	}
}

static void make_parts(struct upload *u, const struct spool_file *f, const char *boundary)
{
	static const char field[] = "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n";

	strbuf_addf(&u->head, field, boundary, "messaging_product", "whatsapp");
	strbuf_addf(&u->head, field, boundary, "type", f->mime);
	strbuf_addf(&u->head, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"", boundary);
	add_quoted(&u->head, f->name);
	strbuf_addf(&u->head, "\"\r\nContent-Type: %s\r\n\r\n", f->mime);
	strbuf_addf(&u->tail, "\r\n--%s--\r\n", boundary);
}

static struct http_headers *new_headers(const struct account *a, const char *boundary)
{
	struct strbuf bearer = STRBUF_INIT, type = STRBUF_INIT;
	struct http_headers *h;

	strbuf_reserve(&bearer, strlen(a->token) + 32);
	strbuf_addf(&bearer, "Authorization: Bearer %s", a->token);
	strbuf_addf(&type, "Content-Type: multipart/form-data; boundary=%s", boundary);
	h = http_headers_new((const char *const[]){ bearer.buf, type.buf, "Accept: application/json" }, 3);
	mem_wipe(bearer.buf, bearer.len);
	strbuf_release(&bearer);
	strbuf_release(&type);
	return h;
}

/* {"id":"4490709327384033"}; NULL: it is no such answer.  *o is the caller's. */
static const char *read_id(const struct http_result *r, json_t **o)
{
	const char *id;

	if (r->fate != HTTP_ANSWERED || r->truncated || r->status < 200 || r->status >= 300 || json_parse(r->body, r->len, o, NULL) != JSON_OK)
		return NULL;
	id = json_text(*o, "id");
	return id && tenant_name_is_good(id) ? id : NULL;	/* it becomes part of addresses */
}

static void on_http(void *arg, const struct http_result *r)
{
	struct upload *u = arg;
	json_t *o = NULL;
	const char *id = read_id(r, &o);
	struct answer a = { .retry_after_ms = -1 };

	if (!id && r->fate == HTTP_ANSWERED)
		answer_read(&a, &u->conf->error_classes, r->status, r->body, r->len, r->retry_after_s, r->usage);
	else if (!id)
		answer_lost(&a, r->fate == HTTP_UNKNOWN, r->why);
	u->done(u->arg, id, &a);
	json_decref(o);
	close(u->fd);
	strbuf_release(&u->head);
	strbuf_release(&u->tail);
	free(u);
}

void media_upload(struct http_client *http, const struct conf *c, const struct account *a, int fd, const struct spool_file *f,
		  media_upload_f *done, void *arg)
{
	struct upload *u = mem_alloc(sizeof(*u));
	struct strbuf url = STRBUF_INIT;
	struct http_headers *h;
	char boundary[2 * 16 + 1];
	uint8_t bytes[16];

	rand_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), boundary);
	*u = (struct upload){ .conf = c, .head = STRBUF_INIT, .tail = STRBUF_INIT, .fd = fd, .size = f->size, .done = done, .arg = arg };
	make_parts(u, f, boundary);
	u->source = (struct http_source){ .len = (int64_t)u->head.len + f->size + (int64_t)u->tail.len, .read = read_source, .arg = u };
	strbuf_addf(&url, "%s/%s/%s/media", c->graph_url, c->graph_version, a->phone_number_id);
	if (c->graph_proof && *a->proof)
		strbuf_addf(&url, "?appsecret_proof=%s", a->proof);
	h = new_headers(a, boundary);
	http_send(http, &(struct http_request){ .method = "POST", .url = url.buf, .headers = h, .source = &u->source,
						.timeout_ms = c->media_timeout, .done = on_http, .arg = u });
	http_headers_unref(&h);
	mem_wipe(url.buf, url.len);
	strbuf_release(&url);
}
