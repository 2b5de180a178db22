/*
 * Bytes from the network made safe to show: a terminal obeys control bytes,
 * so none of them may reach it.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* isdigit(3) without a locale. */
static inline bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Length of the well-formed UTF-8 sequence (RFC 3629) at bytes, 1 to 4, with
 * its code point in *point; 0 when there is none within n bytes.
 */
size_t text_utf8(const unsigned char *bytes, size_t n, uint32_t *point);

/*
 * True for what a terminal obeys or does not show: controls, marks of direction
 * and other format characters. What is seen would not be what is there.
 */
bool text_is_hidden(uint32_t point);

/*
 * Writes n bytes to dst with everything escaped that is hidden: it, invalid
 * UTF-8 and the backslash become \n, \t, \r, \\ or \xHH for each byte. Text
 * that does not fit is cut and ends in "...". dst always ends in a NUL. Returns
 * dst. size is at least 8.
 */
char *text_escape(char *dst, size_t size, const void *bytes, size_t n);

/* text_escape of a string. */
char *text_escape_string(char *dst, size_t size, const char *text);

/*
 * The same for a stream on its way to a terminal: LF, CRLF, tab and backslash
 * stay as they are. Consumes *used of n bytes (a UTF-8 sequence or CRLF cut by
 * the end of the piece is left for the next call unless last is set) and
 * returns how many were written to dst, which needs 4 bytes for each of n.
 */
size_t text_escape_stream(
    char *dst, const void *bytes, size_t n, bool last, size_t *used);

/*
 * Appends to the string that is in buf, which has size bytes. False when that
 * was cut. Everything that is put together piece by piece goes through here.
 */
bool text_append(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool text_append_list(char *buf, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* The value of a hexadecimal digit, or -1. */
int text_hex_digit(char c);

/*
 * The other way, for bytes that a user types as an argument: \n, \r, \t, \0,
 * \e, \\ and \xHH become bytes. dst has room for strlen(text) bytes and gets no
 * NUL. Returns how many were written, or -1 for any other escape.
 */
ssize_t text_unescape(void *dst, const char *text);

/* What to say about an escape that is refused. */
#define TEXT_BAD_ESCAPE \
	"an unknown escape (there are \\n \\r \\t \\0 \\e \\\\ \\xHH)"

#endif
