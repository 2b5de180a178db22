/* SHA-256 (FIPS 180-4), in pieces. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A digest in hexadecimal digits, with its NUL. */
#define SHA256_TEXT 65

/* If zeroed, the digest of no bytes. */
struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far; the last length % 64 are in block */
	unsigned char block[64];
};

/* Adds n bytes. */
void sha256_update(struct sha256 *h, const void *bytes, size_t n);

/* Makes it the digest of the first length bytes of the file fd: reads what is
 * missing, or all. Returns 0, or -1 with errno: EIO if the file is shorter. */
int sha256_read(struct sha256 *h, int fd, int64_t length);

/* Writes the digest of what has been added to text, in lower case. h is not
 * changed: more can be added. */
void sha256_text(const struct sha256 *h, char text[SHA256_TEXT]);

/*
 * Parses a digest, 64 hexadecimal digits in any case, and with may_have_colons
 * also as "openssl x509 -fingerprint" prints it, with colons between bytes.
 * Writes it as sha256_text() does. Returns false, and "", if text is none.
 */
bool sha256_parse(
    char digest[SHA256_TEXT], const char *text, bool may_have_colons);

#endif
