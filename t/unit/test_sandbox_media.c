/* Media: multipart bodies in pieces, which files are taken, and which ids a message may name. */
#include "unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "sandbox/assets.h"
#include "sandbox/filekind.h"
#include "sandbox/formdata.h"
#include "sandbox/ids.h"
#include "sandbox/reception.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(file, type) "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"" file "\"\r\ncontent-type: " type "\r\n\r\n"
#define END "\r\n--b--\r\n"

/* parts: "name/filename/type=bytes" for each, "!" at the end when it is not whole */
static const struct { const char *content_type, *body, *parts; } bodies[] = {
	{ TYPE, PART("a") "1" "\r\n" PART("b") "22" END, "a//=1;b//=22;" },
	{ TYPE, PART("a") END, "a//=;" },
	{ TYPE, FILE_PART("x.png", "image/png") "\r\n--\r\n--c\r\n--b" END, "file/x.png/image/png=\r\n--\r\n--c;!" },
	{ TYPE, FILE_PART("x.png", "image/png") "\r\n--\r\n--c\r\n-\r" END, "file/x.png/image/png=\r\n--\r\n--c\r\n-\r;" },
	{ TYPE, FILE_PART("a;\\\"b.txt", "text/plain; charset=utf-8") "x" END, "file/a;\"b.txt/text/plain; charset=utf-8=x;" },
	{ "Multipart/Form-Data; charset=x; boundary=\"b\"", PART("a") "1" END, "a//=1;" },
	{ TYPE, "a preamble\r\n" PART("a") "1" END "an epilogue\r\n--b\r\n", "a//=1;" },
	{ TYPE, "--b\r\nContent-Disposition: form-data; name=a\r\nX-Other: y\r\n\r\n1" END, "a//=1;" },
	{ TYPE, PART("a") "1", "a//=1;!" },
	{ TYPE, PART("a") "1\r\n--b", "a//=1;!" },
	{ TYPE, "--b\r\n\r\n1" END, "!" },
	{ TYPE, "--b\r\nContent-Type: text/plain\r\n\r\n1" END, "!" },
	{ TYPE, "--bx\r\n\r\n1" END, "!" },
	{ TYPE, "", "!" },
	{ TYPE, "--b--", "" },
};

struct heard { struct strbuf parts, data; bool any; };

static void finish(struct heard *h)
{
	if (h->any)
		strbuf_addf(&h->parts, "%s;", h->data.buf);
	strbuf_reset(&h->data);
}

static void on_part(void *arg, const struct formdata_part *p)
{
	struct heard *h = arg;

	finish(h);
	h->any = true;
	strbuf_addf(&h->parts, "%s/%s/%s=", p->name, p->filename, p->type);
}

static void on_data(void *arg, const void *data, size_t len)
{
	strbuf_add(&((struct heard *)arg)->data, data, len);
}

/* The last bytes of a body that ends too soon may still be a delimiter's: they are not handed on. */
static void check_body(size_t i, size_t piece)
{
	static const struct formdata_events events = { on_part, on_data };
	struct heard h = { STRBUF_INIT, STRBUF_INIT, false };
	struct formdata *f = formdata_new(bodies[i].content_type, &events, &h);
	size_t len = strlen(bodies[i].body), want = strlen(bodies[i].parts);
	bool whole = !want || bodies[i].parts[want - 1] != '!';

	ck_assert_ptr_nonnull(f);
	for (size_t at = 0; at < len; at += piece)
		formdata_feed(f, bodies[i].body + at, len - at < piece ? len - at : piece);
	finish(&h);
	ck_assert_msg(formdata_is_whole(f) == whole, "%s by %zu", bodies[i].body, piece);
	if (whole)
		ck_assert_str_eq(h.parts.buf, bodies[i].parts);
	else
		ck_assert_msg(strncmp(h.parts.buf, bodies[i].parts, strcspn(bodies[i].parts, "=!")) == 0, "%s", h.parts.buf);
	strbuf_release(&h.parts);
	strbuf_release(&h.data);
	formdata_free(&f);
}

START_TEST(reads_bodies_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece < 200; piece++)
		check_body((size_t)_i, piece);
}
END_TEST

START_TEST(wants_multipart_with_a_boundary)
{
	static const char *const bad[] = { "", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=b",
		"multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901" };
	static const struct formdata_events events = { on_part, on_data };

	ck_assert_ptr_null(formdata_new(bad[_i], &events, NULL));
}
END_TEST

/* ---- files ---- */

#define BYTES(s) s, sizeof(s) - 1

static const struct { const char *mime, *first; size_t n; int64_t size; int code; const char *says; } files[] = {
	{ "image/jpeg", BYTES("\xff\xd8\xff\xe0"), 100, 0, NULL },
	{ "IMAGE/JPEG", BYTES("\xff\xd8\xff\xe0"), 5 << 20, 0, NULL },
	{ "image/jpeg", BYTES("\xff\xd8\xff\xe0"), (5 << 20) + 1, 131053, "5242880" },
	{ "image/jpeg", BYTES("\x89PNG\r\n\x1a\n"), 100, 131053, "image/jpeg" },
	{ "image/png", BYTES("\x89PNG\r\n\x1a\n"), 100, 0, NULL },
	{ "image/png", BYTES("\x89PNG"), 4, 131053, "image/png" },
	{ "image/png", BYTES(""), 0, 131053, "empty" },
	{ "image/webp", BYTES("RIFF....WEBPVP8 ........."), 100 << 10, 0, NULL },
	{ "image/webp", BYTES("RIFF....WEBPVP8 ........."), (100 << 10) + 1, 131053, "102400" },
	{ "image/webp", BYTES("RIFF....WEBPVP8X....\x02..."), 500 << 10, 0, NULL },
	{ "image/webp", BYTES("RIFF....WEBPVP8X....\x02..."), (500 << 10) + 1, 131053, "512000" },
	{ "image/webp", BYTES("RIFF....WEBPVP8X....\x10..."), (100 << 10) + 1, 131053, "102400" },
	{ "image/webp", BYTES("RIFF....WAVE............."), 100, 131053, "image/webp" },
	{ "audio/ogg; codecs=opus", BYTES("OggS...."), 100, 0, NULL },
	{ "audio/mpeg", BYTES("ID3."), 16 << 20, 0, NULL },
	{ "audio/mpeg", BYTES("\xff\xfb\x90."), 100, 0, NULL },
	{ "audio/mpeg", BYTES("OggS"), 100, 131053, "audio/mpeg" },
	{ "audio/aac", BYTES("\xff\xf1.."), 100, 0, NULL },
	{ "audio/amr", BYTES("#!AMR\n"), (16 << 20) + 1, 131053, "audio" },
	{ "audio/mp4", BYTES("....ftypM4A "), 100, 0, NULL },
	{ "video/mp4", BYTES("....ftypisom"), 16 << 20, 0, NULL },
	{ "video/mp4", BYTES("....ftypisom"), (16 << 20) + 1, 131053, "video" },
	{ "video/3gpp", BYTES("....ftyp3gp4"), 100, 0, NULL },
	{ "video/mp4", BYTES("....moovisom"), 100, 131053, "video/mp4" },
	{ "application/pdf", BYTES("%PDF-1.7"), 100 << 20, 0, NULL },
	{ "application/pdf", BYTES("%PDF-1.7"), (100 << 20) + 1, 131053, "document" },
	{ "application/pdf", BYTES("<html>"), 100, 131053, "application/pdf" },
	{ "application/msword", BYTES("\xd0\xcf\x11\xe0...."), 100, 0, NULL },
	{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", BYTES("PK\3\4...."), 100, 0, NULL },
	{ "text/plain; charset=utf-8", BYTES("hello"), 5, 0, NULL },
	{ "text/plain", BYTES("a\0b"), 3, 131053, "text/plain" },
};

START_TEST(takes_files_as_meta_does)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	const struct filekind *k = filekind_find(files[_i].mime);
	int result;

	ck_assert_ptr_nonnull(k);
	result = filekind_check(k, files[_i].size, (const uint8_t *)files[_i].first, files[_i].n, &e);
	ck_assert_msg((result == 0) == (files[_i].code == 0) && e.code == files[_i].code, "%s: %d %s", files[_i].mime, e.code, e.details.buf);
	if (files[_i].says)
		ck_assert_msg(strstr(e.details.buf, files[_i].says) != NULL, "%s", e.details.buf);
	strbuf_release(&e.details);
}
END_TEST

START_TEST(knows_no_other_types)
{
	static const char *const unknown[] = { "", "image/gif", "image/jp", "image/jpegs", "application/octet-stream", "text/html" };

	ck_assert_ptr_null(filekind_find(unknown[_i]));
}
END_TEST

/* ---- an upload ---- */

START_TEST(counts_and_hashes_what_comes)
{
	static const char body[] = PART("messaging_product") "whatsapp\r\n" FILE_PART("a.txt", "text/plain") "abc\r\n" PART("type") "text/plain" END;
	struct reception *r = reception_new(TYPE);
	const struct received *got;
	char hex[2 * SHA256_LEN + 1];

	for (size_t i = 0; i < sizeof(body) - 1; i++)
		reception_take(r, body + i, 1);
	got = reception_end(r);
	ck_assert_ptr_nonnull(got);
	hex_encode(got->sha256, SHA256_LEN, hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_int_eq(got->size, 3);
	ck_assert_uint_eq(got->n_first, 3);
	ck_assert_str_eq(got->product, "whatsapp");
	ck_assert_str_eq(got->type, "text/plain");
	ck_assert_str_eq(got->filename, "a.txt");
	reception_free(&r);
}
END_TEST

START_TEST(two_files_or_half_a_body_are_nothing)
{
	static const char *const bad[] = { FILE_PART("a", "text/plain") "a\r\n" FILE_PART("b", "text/plain") "b" END,
					   FILE_PART("a", "text/plain") "a", "" };
	struct reception *r = reception_new(TYPE);

	reception_take(r, bad[_i], strlen(bad[_i]));
	ck_assert_ptr_null(reception_end(r));
	reception_free(&r);
}
END_TEST

/* ---- ids in messages; I is the id of an image of number 1, P that of a PDF ---- */

static const struct { const char *pnid, *type, *payload; int code; } messages[] = {
	{ "1", "image", "{'id':'I'}", 0 },
	{ "1", "image", "{'id':I}", 0 },
	{ "1", "document", "{'id':'I'}", 0 },
	{ "1", "document", "{'id':'P'}", 0 },
	{ "2", "image", "{'id':'I'}", 100 },
	{ "1", "image", "{'id':'4711'}", 100 },
	{ "1", "image", "{'link':'https://x.example/a'}", 0 },
	{ "1", "image", "{'id':'P'}", 131053 },
	{ "1", "video", "{'id':'I'}", 131053 },
	{ "1", "sticker", "{'id':'I'}", 131053 },
	{ "1", "text", "{'body':'hi','id':'4711'}", 0 },
	{ "1", "template", "{'components':[{'type':'header','parameters':[{'type':'image','image':{'id':'I'}}]}]}", 0 },
	{ "1", "template", "{'components':[{'type':'header','parameters':[{'type':'image','image':{'id':'4711'}}]}]}", 100 },
	{ "1", "template", "{'components':[{'type':'carousel','cards':[{'components':[{'parameters':[{'video':{'id':'I'}}]}]}]}]}", 131053 },
	{ "1", "interactive", "{'header':{'type':'image','image':{'id':'I'}},'action':{'buttons':[{'reply':{'id':'4711'}}]}}", 0 },
	{ "1", "interactive", "{'header':{'type':'document','document':{'id':'4711'}}}", 100 },
};

static struct asset *add(struct assets *a, const char *mime)
{
	return assets_add(a, "1", filekind_find(mime), &(struct received){ .size = 1 }, 1000);
}

static json_t *payload_of(const char *text, const struct asset *image, const struct asset *pdf)
{
	struct strbuf sb = STRBUF_INIT;
	json_error_t err;
	json_t *o;

	for (const char *p = text; *p; p++) {
		if (*p == 'I')
			strbuf_adds(&sb, image->id);
		else if (*p == 'P')
			strbuf_adds(&sb, pdf->id);
		else
			strbuf_addc(&sb, *p == '\'' ? '"' : *p);
	}
	o = json_loads(sb.buf, 0, &err);
	ck_assert_msg(o != NULL, "%s", err.text);
	strbuf_release(&sb);
	return o;
}

START_TEST(a_message_names_ids_of_its_number)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct assets *a = assets_new();
	struct asset *image = add(a, "image/png"), *pdf = add(a, "application/pdf");
	json_t *payload = payload_of(messages[_i].payload, image, pdf);
	int result = assets_check(a, messages[_i].pnid, messages[_i].type, payload, 2000, &e);

	ck_assert_msg((result == 0) == (messages[_i].code == 0) && e.code == messages[_i].code, "%s: %d %s", messages[_i].payload, e.code,
		      e.details.buf);
	json_decref(payload);
	strbuf_release(&e.details);
	assets_free(&a);
}
END_TEST

START_TEST(ids_end_and_before_the_first_upload_any_is_good)
{
	struct graph_error e = GRAPH_ERROR_INIT;
	struct assets *a = assets_new();
	json_t *any = json_pack("{s:s}", "id", "4711"), *mine;
	struct asset *f;

	ck_assert_int_eq(assets_check(a, "1", "image", any, 0, &e), 0);
	assets_be_strict(a, true);
	ck_assert_int_eq(assets_check(a, "1", "image", any, 0, &e), -1);
	assets_be_strict(a, false);
	f = add(a, "image/png");
	ck_assert_int_eq(assets_check(a, "1", "image", any, 0, &e), -1);
	mine = json_pack("{s:s}", "id", f->id);
	ck_assert_int_eq(assets_check(a, "1", "image", mine, 1000 + 30 * 24 * 3600 - 1, &e), 0);
	ck_assert_int_eq(assets_check(a, "1", "image", mine, 1000 + 30 * 24 * 3600, &e), -1);
	assets_count(a, "image", mine);
	assets_count(a, "image", any);
	ck_assert_uint_eq(f->sends, 1);
	ck_assert_int_eq(assets_expire(a, "4711"), 0);
	ck_assert_int_eq(assets_expire(a, f->id), 1);
	ck_assert_int_eq(assets_check(a, "1", "image", mine, 1000, &e), -1);
	json_decref(any);
	json_decref(mine);
	strbuf_release(&e.details);
	assets_free(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sandbox media");
	TCase *t = unit_case(s, "media");

	ids_seed();
	tcase_add_loop_test(t, reads_bodies_in_pieces_of_any_size, 0, (int)ARRAY_LEN(bodies));
	tcase_add_loop_test(t, wants_multipart_with_a_boundary, 0, 6);
	tcase_add_loop_test(t, takes_files_as_meta_does, 0, (int)ARRAY_LEN(files));
	tcase_add_loop_test(t, knows_no_other_types, 0, 6);
	tcase_add_test(t, counts_and_hashes_what_comes);
	tcase_add_loop_test(t, two_files_or_half_a_body_are_nothing, 0, 3);
	tcase_add_loop_test(t, a_message_names_ids_of_its_number, 0, (int)ARRAY_LEN(messages));
	tcase_add_test(t, ids_end_and_before_the_first_upload_any_is_good);
	return unit_run(s);
}
