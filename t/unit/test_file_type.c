/* What kind of file bytes are: by magic, name and declared type; and what is refused. */
#include "unit.h"

#include "msg/file_type.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0"
#define JPEG "\xff\xd8\xff\xe0\0\x10JFIF"
#define PDF "%PDF-1.7\n"
#define OLE "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"
#define ZIP "PK\3\4\x14\0"
#define MP4 "\0\0\0\x18" "ftypisom\0\0"
#define M4A "\0\0\0\x18" "ftypM4A \0\0"
#define GP3 "\0\0\0\x18" "ftyp3gp4\0\0"
#define STILL "RIFF\x10\0\0\0WEBPVP8 \0\0\0\0\0"
#define MOVING "RIFF\x10\0\0\0WEBPVP8X\x0a\0\0\0\2\0\0\0"

#define BYTES(b) b, sizeof(b) - 1

static const struct { const char *head; size_t len; const char *name, *declared, *mime, *kind; int64_t max; } good[] = {
	{ BYTES(PNG), "a.png", NULL, "image/png", "image", 5 << 20 },
	{ BYTES(PNG), "", "image/png", "image/png", "image", 5 << 20 },
	{ BYTES(PNG), "", NULL, "image/png", "image", 5 << 20 },
	{ BYTES(PNG), "picture", "", "image/png", "image", 5 << 20 },
	{ BYTES(JPEG), "a.JPEG", NULL, "image/jpeg", "image", 5 << 20 },
	{ BYTES(JPEG), "a.png", "IMAGE/JPEG", "image/jpeg", "image", 5 << 20 },	/* what its owner says goes before the name */
	{ BYTES(STILL), "s.webp", NULL, "image/webp", "sticker", 100 << 10 },
	{ BYTES(MOVING), "s.webp", NULL, "image/webp", "sticker", 500 << 10 },
	{ BYTES("\xff\xf1\x50"), "a.aac", NULL, "audio/aac", "audio", 16 << 20 },
	{ BYTES("#!AMR\n"), "", NULL, "audio/amr", "audio", 16 << 20 },
	{ BYTES("ID3\3"), "a.mp3", NULL, "audio/mpeg", "audio", 16 << 20 },
	{ BYTES("\xff\xfb\x90"), "", NULL, "audio/mpeg", "audio", 16 << 20 },
	{ BYTES("OggS\0"), "a.ogg", "audio/ogg; codecs=opus", "audio/ogg", "audio", 16 << 20 },
	{ BYTES(M4A), "", NULL, "audio/mp4", "audio", 16 << 20 },
	{ BYTES(M4A), "a.mp4", NULL, "video/mp4", "video", 16 << 20 },
	{ BYTES(MP4), "", NULL, "video/mp4", "video", 16 << 20 },
	{ BYTES(MP4), "a.m4a", NULL, "audio/mp4", "audio", 16 << 20 },
	{ BYTES(GP3), "", NULL, "video/3gpp", "video", 16 << 20 },
	{ BYTES(GP3), "", "video/3gp", "video/3gp", "video", 16 << 20 },
	{ BYTES(PDF), "a.pdf", NULL, "application/pdf", "document", 100 << 20 },
	{ BYTES(OLE), "a.xls", NULL, "application/vnd.ms-excel", "document", 100 << 20 },
	{ BYTES(ZIP), "a.docx", NULL, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", 100 << 20 },
	{ BYTES(ZIP), "a.zip", "application/zip", "application/zip", "document", 100 << 20 },
	{ BYTES("hello"), "a.txt", NULL, "text/plain", "document", 100 << 20 },
	{ BYTES("a;b\n"), "a.csv", NULL, "text/plain", "document", 100 << 20 },
	{ BYTES("a;b\n"), "a.csv", "text/csv", "text/csv", "document", 100 << 20 },
};

START_TEST(known)
{
	struct file_facts f = { good[_i].head, good[_i].len, good[_i].name, good[_i].declared };
	struct strbuf why = STRBUF_INIT;
	struct file_type t;

	ck_assert_msg(file_type_of(&f, &t, &why) == 0, "%d: %s", _i, why.buf);
	ck_assert_str_eq(t.mime, good[_i].mime);
	ck_assert_str_eq(t.kind, good[_i].kind);
	ck_assert_str_eq(file_kind_of(t.mime), good[_i].kind);
	ck_assert_int_eq(t.max, good[_i].max);
	strbuf_release(&why);
}
END_TEST

static const struct { const char *head; size_t len; const char *name, *declared, *words[2]; } bad[] = {
	{ BYTES(PNG), "a.jpg", NULL, { "image/jpeg", "image/png" } },
	{ BYTES(PNG), "a.png", "image/jpeg", { "image/jpeg", "image/png" } },
	{ BYTES(PDF), "", "text/plain", { "text/plain", "application/pdf" } },
	{ BYTES("hello"), "a.png", NULL, { "image/png", "text/plain" } },
	{ BYTES("\0\1\2"), "a.txt", NULL, { "text/plain", "no type that is known" } },
	{ BYTES("\xff\xd8"), "a.jpg", NULL, { "image/jpeg", "text/plain" } },	/* too short to be one */
	{ BYTES("\0\1\2"), "", NULL, { "name its type", "" } },
	{ BYTES(ZIP), "", NULL, { "name its type", "" } },		/* any of three, or none of them */
	{ BYTES(OLE), "a.msg", NULL, { "name its type", "" } },
	{ BYTES(PNG), "", "png", { "type: found \"png\"", "MIME" } },
	{ BYTES(PNG), "", "image/p ng\r\nX: y", { "image/p", "image/png" } },
	{ BYTES(PNG), "", "image/\r\nX", { "type: found", "MIME" } },
	{ BYTES(PNG), "", "a/b/c", { "type: found", "MIME" } },
};

START_TEST(refused)
{
	struct file_facts f = { bad[_i].head, bad[_i].len, bad[_i].name, bad[_i].declared };
	struct strbuf why = STRBUF_INIT;
	struct file_type t;

	if (bad[_i].declared && strchr(bad[_i].declared, ' ')) {	/* cut at the blank: an unknown type, and nothing that ends a line */
		ck_assert_int_eq(file_type_of(&f, &t, &why), 0);
		ck_assert_str_eq(t.mime, bad[_i].words[0]);
		return;
	}
	ck_assert_int_eq(file_type_of(&f, &t, &why), -1);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(strstr(why.buf, bad[_i].words[i]) != NULL, "%d: %s", _i, why.buf);
	strbuf_release(&why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file_type");
	TCase *c = unit_case(s, "types");

	tcase_add_loop_test(c, known, 0, ARRAY_LEN(good));
	tcase_add_loop_test(c, refused, 0, ARRAY_LEN(bad));
	return unit_run(s);
}
