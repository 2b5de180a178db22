/*
 * Digests that a user types. What is accepted is 64 digits in lower case, and
 * without its colons the text; what is plain is also accepted with colons.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

#define MAX_SIZE 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[MAX_SIZE + 1] = "", plain[MAX_SIZE + 1] = "";
	char digest[SHA256_TEXT], strict[SHA256_TEXT];
	bool is_digest;
	size_t i, n = 0;

	memcpy(text, data, size < MAX_SIZE ? size : MAX_SIZE);
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] != ':')
			plain[n++] = (char)tolower((unsigned char)text[i]);
	is_digest = sha256_parse(digest, text, true);
	if (strcmp(digest, is_digest ? plain : "") != 0)
		abort();
	if (is_digest &&
	    (n != SHA256_TEXT - 1 || strspn(digest, "0123456789abcdef") != n))
		abort();
	if (sha256_parse(strict, text, false) != (is_digest && n == i))
		abort();
	return 0;
}
