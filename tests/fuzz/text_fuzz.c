/*
 * Small texts of the network: dates, and whatever is escaped. What is formatted
 * and parsed again is the same, and what is escaped has no control character.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/literal.h"
#include "base/text.h"
#include "http/http_date.h"

#define TEXT_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_date(const char *text)
{
	int64_t seconds, again;

	if (!http_date_parse(text, &seconds))
		return;
	if (!http_date_parse(http_date_text(seconds), &again))
		abort();
	if (seconds >= 0 && seconds <= INT64_C(253402300799) &&
	    again != seconds)
		abort();
}

static void
check_escapes(const char *text, size_t size)
{
	char shown[4 * TEXT_SIZE + 8], bytes[4 * TEXT_SIZE];
	struct err e = ERR_INIT;
	size_t used, n, i;
	ssize_t length;

	text_escape(shown, sizeof(shown), text, size);
	for (i = 0; shown[i] != '\0'; i++)
		if ((unsigned char)shown[i] < ' ' || shown[i] == 0x7f)
			abort();
	/* Other bytes than UTF-8 have \xHH, so all of it can be read back. */
	length = literal_unescape(bytes, shown, strlen(shown), &e);
	if (length != (ssize_t)size || memcmp(bytes, text, size) != 0)
		abort();
	length = literal_unescape(bytes, text, size, &e);
	if (length > (ssize_t)size)
		abort();
	for (i = 0; i < size; i++)
		snprintf(shown + 3 * i, 4, "%02x ", (unsigned char)text[i]);
	length = literal_parse_hex(shown, shown, 3 * size, &e);
	if (length != (ssize_t)size || memcmp(shown, text, size) != 0)
		abort();
	length = literal_parse_hex(bytes, text, size, &e);
	if (length > (ssize_t)size)
		abort();
	n = text_escape_stream(shown, text, size, true, &used);
	if (used != size || n > 4 * size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_SIZE];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_date(text);
	check_escapes(text, size);
	return 0;
}
