/* SHA-256 (FIPS 180-4). */
#include "base/sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/text.h"

/* Section 4.2.2: of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static inline uint32_t
rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* Round n of section 6.2.2, step 3. In place of moving the eight variables, it
 * finds a to h at other places of s each time. */
static inline void
round_of(uint32_t s[8], unsigned n, uint32_t word)
{
	uint32_t a = s[-n & 7], b = s[(1 - n) & 7], c = s[(2 - n) & 7],
		 e = s[(4 - n) & 7], f = s[(5 - n) & 7], g = s[(6 - n) & 7],
		 t = s[(7 - n) & 7] + word + (g ^ (e & (f ^ g))) +
		     (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25));

	s[(3 - n) & 7] += t;
	s[(7 - n) & 7] = t + ((a & b) | (c & (a | b))) +
			 (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
}

static void
process(uint32_t state[8], const unsigned char *p)
{
	uint32_t w[64], s[8], x, y;
	int i;

	for (i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		       (uint32_t)p[2] << 8 | p[3];
	memcpy(s, state, sizeof(s));
	for (i = 16; i < 64; i++) {
		x = w[i - 15];
		y = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
		       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
	}
	for (i = 0; i < 64; i += 8) {
		const uint32_t *k = constants + i, *m = w + i;

		round_of(s, 0, k[0] + m[0]);
		round_of(s, 1, k[1] + m[1]);
		round_of(s, 2, k[2] + m[2]);
		round_of(s, 3, k[3] + m[3]);
		round_of(s, 4, k[4] + m[4]);
		round_of(s, 5, k[5] + m[5]);
		round_of(s, 6, k[6] + m[6]);
		round_of(s, 7, k[7] + m[7]);
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

void
sha256_update(struct sha256 *h, const void *bytes, size_t n)
{
	/* Section 5.3.3: of the square roots of the first 8 primes. */
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
	    0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const unsigned char *p = bytes;
	size_t used = (size_t)(h->length % 64), piece;

	if (h->length == 0)
		memcpy(h->state, start, sizeof(start));
	h->length += n;
	if (used > 0) {
		piece = n < 64 - used ? n : 64 - used;
		memcpy(h->block + used, p, piece);
		p += piece;
		n -= piece;
		if (used + piece < 64)
			return;
		process(h->state, h->block);
	}
	for (; n >= 64; p += 64, n -= 64)
		process(h->state, p);
	memcpy(h->block, p, n);
}

int
sha256_read(struct sha256 *h, int fd, int64_t length)
{
	static unsigned char bytes[64 * 1024];
	int64_t left;
	ssize_t n;

	if (h->length > (uint64_t)length)
		h->length = 0;
	while ((left = length - (int64_t)h->length) > 0) {
		n = pread(fd, bytes,
		    left < (int64_t)sizeof(bytes) ? (size_t)left
						  : sizeof(bytes),
		    (off_t)h->length);
		if (n <= 0) {
			errno = n < 0 ? errno : EIO;
			return -1;
		}
		sha256_update(h, bytes, (size_t)n);
	}
	return 0;
}

void
sha256_text(const struct sha256 *h, char text[SHA256_TEXT])
{
	static const unsigned char padding[64] = {0x80};
	struct sha256 last = *h;
	uint64_t count = h->length * 8;
	unsigned char bits[8];
	int i;

	for (i = 0; i < 8; i++)
		bits[i] = (unsigned char)(count >> (56 - 8 * i));
	/* Up to 8 bytes before the end of a block. */
	sha256_update(&last, padding, 1 + (119 - h->length % 64) % 64);
	sha256_update(&last, bits, sizeof(bits));
	for (i = 0; i < 8; i++)
		snprintf(text + 8 * i, 9, "%08x", (unsigned)last.state[i]);
}

bool
sha256_parse(char digest[SHA256_TEXT], const char *text, bool may_have_colons)
{
	static const size_t count = SHA256_TEXT - 1;
	size_t n = 0;
	int value;

	while (n < count && (value = text_hex_digit(*text)) >= 0) {
		digest[n++] = "0123456789abcdef"[value];
		text++;
		if (may_have_colons && *text == ':' && n % 2 == 0 && n < count)
			text++;
	}
	if (n < count || *text != '\0')
		n = 0;
	digest[n] = '\0';
	return n > 0;
}
