#include "sandbox/ids.h"

#include <string.h>

#include "base/rand.h"
#include "base/str.h"

static uint64_t state;

void ids_seed(void)
{
	state = rand_u64();
}

uint64_t ids_next(void)		/* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void ids_trace(char out[TRACE_ID_SIZE])
{
	uint64_t r[2] = { ids_next(), ids_next() };

	out[0] = 'A';
	base64url_encode((const uint8_t *)r, sizeof(r), out + 1);	/* 22 characters */
}

static void hex_upper(uint64_t v, char *out, int digits)
{
	while (digits-- > 0) {
		out[digits] = "0123456789ABCDEF"[v & 15];
		v >>= 4;
	}
}

size_t wamid_format(const char *recipient, size_t len, uint64_t id, char out[WAMID_SIZE])
{
	uint8_t raw[3 + RECIPIENT_MAX + 6 + 18 + 1];
	size_t n = 0;

	if (len > RECIPIENT_MAX)
		len = RECIPIENT_MAX;
	raw[n++] = 0x1c;
	raw[n++] = 0x18;
	raw[n++] = (uint8_t)len;
	memcpy(raw + n, recipient, len);
	n += len;
	memcpy(raw + n, "\x15\x02\x00\x11\x18\x12", 6);
	n += 6;
	hex_upper(id >> 56 ^ 0x3e, (char *)raw + n, 2);
	hex_upper(id, (char *)raw + n + 2, 16);
	n += 18;
	raw[n++] = 0;

	memcpy(out, "wamid.", 6);
	size_t used = 6 + base64url_encode(raw, n, out + 6);
	while ((used - 6) % 4)
		out[used++] = '=';
	out[used] = 0;
	return used;
}
