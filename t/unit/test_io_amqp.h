/* test_io_amqp - what a broker says that is none: frames, a login that ends with one consumer on "q", and damage. */
#ifndef TEST_IO_AMQP_H
#define TEST_IO_AMQP_H

#include "base/rand.h"
#include "base/strbuf.h"

static inline void add_frame(struct strbuf *out, int type, int channel, const void *payload, size_t len)
{
	unsigned char head[7] = { (unsigned char)type, 0, (unsigned char)channel, (unsigned char)(len >> 24),
				  (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len };

	strbuf_add(out, head, sizeof(head));
	strbuf_add(out, payload, len);
	strbuf_addc(out, (char)0xce);
}
#define FRAME(out, type, channel, bytes) add_frame(out, type, channel, bytes, sizeof(bytes) - 1)
#define METHOD(out, channel, bytes) FRAME(out, 1, channel, bytes)

static inline void add_login(struct strbuf *out)
{
	METHOD(out, 0, "\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05" "en_US");
	METHOD(out, 0, "\0\x0a\0\x1e\x07\xff\0\x02\0\0\0\x3c");
	METHOD(out, 0, "\0\x0a\0\x29\0");
	METHOD(out, 1, "\0\x14\0\x0b\0\0\0\0");
	METHOD(out, 1, "\0\x55\0\x0b");
	METHOD(out, 1, "\0\x32\0\x0b\x01q\0\0\0\0\0\0\0\0");
	METHOD(out, 1, "\0\x3c\0\x15\x02q0");
}

static inline void damage(struct strbuf *s)
{
	for (int64_t n = rand_between(1, 4); n > 0; n--) {
		size_t at = (size_t)rand_between(0, (int64_t)s->len - 1);

		switch (rand_between(0, 2)) {
		case 0: s->buf[at] = (char)rand_between(0, 255); break;
		case 1: s->buf[at] = (char)(s->buf[at] ^ (1 << rand_between(0, 7))); break;
		default: s->buf[at] = (char)(rand_between(0, 1) ? 0xff : 0); break;
		}
	}
}

#endif
