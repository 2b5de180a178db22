/* Base64 encoding (RFC 4648 section 4) for Basic authentication. */
#include "base/base64.h"

#include <stdint.h>

char *
base64_encode(char *dst, const void *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const unsigned char *p = bytes;
	char *out = dst;
	uint32_t three;
	size_t i;

	for (i = 0; i < n; i += 3) {
		three = (uint32_t)p[i] << 16;
		if (i + 1 < n)
			three |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < n)
			three |= p[i + 2];
		*out++ = digits[three >> 18];
		*out++ = digits[three >> 12 & 63];
		*out++ = i + 1 < n ? digits[three >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[three & 63] : '=';
	}
	*out = '\0';
	return dst;
}
