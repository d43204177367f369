#include "base/uuid.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/str.h"

static void write_uuid(uint8_t b[16], int version, char out[UUID_LEN + 1])
{
	static const int parts[] = { 4, 2, 2, 2, 6 };
	char *to = out;

	b[6] = (uint8_t)((b[6] & 0x0f) | version << 4);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (i)
			*to++ = '-';
		hex_encode(b, (size_t)parts[i], to);
		to += 2 * parts[i];
		b += parts[i];
	}
}

void uuid_v7(char out[UUID_LEN + 1])
{
	uint64_t ms = (uint64_t)wall_ms();
	uint8_t b[16];

	rand_bytes(b, sizeof(b));
	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(ms >> (40 - 8 * i));
	write_uuid(b, 7, out);
}

void uuid_v8(const uint8_t digest[SHA256_LEN], char out[UUID_LEN + 1])
{
	uint8_t b[16];

	memcpy(b, digest, sizeof(b));
	write_uuid(b, 8, out);
}
