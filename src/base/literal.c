/* Converts what a user types into bytes: escapes and hexadecimal. */
#include "base/literal.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

/* The value of two hexadecimal digits, of which n bytes exist, or -1. */
static int
hex_byte(const char *text, size_t n)
{
	int high = n < 2 ? -1 : text_hex_digit(text[0]);
	int low = high < 0 ? -1 : text_hex_digit(text[1]);

	return low < 0 ? -1 : high * 16 + low;
}

size_t
literal_escape(const char *text, size_t n, unsigned char *byte)
{
	static const char letters[] = "nrt0e\\", bytes[] = "\n\r\t\0\033\\";
	const char *letter;
	int value;

	if (n < 2)
		return 0;
	if (text[1] == 'x') {
		value = hex_byte(text + 2, n - 2);
		*byte = (unsigned char)value;
		return value < 0 ? 0 : 4;
	}
	letter = memchr(letters, text[1], sizeof(letters) - 1);
	if (letter == NULL)
		return 0;
	*byte = (unsigned char)bytes[letter - letters];
	return 2;
}

ssize_t
literal_unescape(void *dst, const void *text, size_t n, struct err *e)
{
	unsigned char *out = dst;
	const char *in = text;
	size_t at = 0, used;

	while (at < n) {
		if (in[at] != '\\') {
			*out++ = (unsigned char)in[at++];
			continue;
		}
		used = literal_escape(in + at, n - at, out);
		if (used == 0) {
			err_set(e, ERR_USAGE, "character %zu: %s", at + 1,
			    LITERAL_BAD_ESCAPE);
			return -1;
		}
		at += used;
		out++;
	}
	return out - (unsigned char *)dst;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Reports why there is no byte at an offset. Returns -1. */
static ssize_t
fail_hex(struct err *e, const char *text, size_t n, size_t at)
{
	const char *shown;
	size_t wrong = text_hex_digit(text[at]) < 0 ? at : at + 1;

	if (wrong == n || is_space(text[wrong]) ||
	    (wrong > at && text[wrong] == ':'))
		return err_set(e, ERR_USAGE,
		    "character %zu: a byte has two hexadecimal digits", at + 1);
	if (text[wrong] == ':')
		return err_set(e, ERR_USAGE,
		    "character %zu: a colon stands between two bytes",
		    wrong + 1);
	shown = text_shown_bytes(text + wrong, 1);
	return err_set(e, ERR_USAGE,
	    "character %zu: '%s' is not a hexadecimal digit", wrong + 1, shown);
}

ssize_t
literal_parse_hex(void *dst, const void *text, size_t n, struct err *e)
{
	unsigned char *out = dst;
	const char *in = text;
	size_t at = 0;
	int byte;

	while (at < n) {
		if (is_space(in[at])) {
			at++;
			continue;
		}
		byte = hex_byte(in + at, n - at);
		if (byte < 0)
			return fail_hex(e, in, n, at);
		*out++ = (unsigned char)byte;
		at += 2;
		if (at < n && in[at] == ':' &&
		    hex_byte(in + at + 1, n - at - 1) >= 0)
			at++;
	}
	return out - (unsigned char *)dst;
}
