/* SHA-256 (FIPS 180-4), in pieces. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A digest in hexadecimal digits, with its NUL. */
#define SHA256_TEXT 65

/* A digest that is being computed. Zeroed, it is the digest of no bytes. */
struct sha256 {
	uint32_t state[8];
	/* How many bytes were added. The last length % 64 are in block. */
	uint64_t length;
	unsigned char block[64];
};

/* Adds n bytes. */
void sha256_update(struct sha256 *h, const void *bytes, size_t n);

/* Makes *h the digest of the first length bytes of the file fd: reads the bytes
 * that follow those it has, or all if it has more. Returns 0, or -1 with errno:
 * EIO if the file is shorter. */
int sha256_read(struct sha256 *h, int fd, int64_t length);

/* Writes the digest of the bytes added so far to text, in lower case. More can
 * be added afterwards. */
void sha256_text(const struct sha256 *h, char text[SHA256_TEXT]);

/*
 * Parses a digest, 64 hexadecimal digits in any case, and with may_have_colons
 * also as "openssl x509 -fingerprint" prints it, with colons between bytes.
 * Writes it as sha256_text() does. Returns false, and an empty digest, if text
 * is not one.
 */
bool sha256_parse(
    char digest[SHA256_TEXT], const char *text, bool may_have_colons);

#endif
