/* Base64 (RFC 4648 section 4), as Basic authentication needs it. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* Size of the encoding of n bytes, including the NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* Encodes n bytes into dst, which has BASE64_SIZE(n) bytes. Returns dst. */
char *base64_encode(char *dst, const void *bytes, size_t n);

#endif
