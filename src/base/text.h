/* Escapes bytes from the network: a terminal must not obey control bytes. */
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

/* Returns the length, 1 to 4, of the well-formed UTF-8 sequence (RFC 3629) at
 * bytes, and its code point in *point; 0 if there is none within n bytes. */
size_t text_utf8(const unsigned char *bytes, size_t n, uint32_t *point);

/* Whether a terminal obeys the code point or does not show it: control
 * characters, directional marks and other format characters. */
bool text_is_hidden(uint32_t point);

/*
 * Writes n bytes to dst; hidden characters, invalid UTF-8 and the backslash
 * become \n, \t, \r, \\ or \xHH for each byte. Text that does not fit is cut
 * and ends in "...". dst always ends in a NUL; size is at least 8. Returns dst.
 */
char *text_escape(char *dst, size_t size, const void *bytes, size_t n);

/*
 * Formatters that return text use one of 16 buffers of TEXT_SLOT bytes in turn;
 * the text is cut to fit. It is for the arguments of one call: what is kept is
 * copied. With TEXT_POISON, as "make sanitize" builds, a text is overwritten
 * when 8 others have been formatted. They preserve errno, so that their text
 * can be an argument beside it.
 */
#define TEXT_SLOT 640

/* Returns the next of these buffers, for a formatter. */
char *text_slot(void);

/*
 * text_escape of a string, and of n bytes, into such a buffer; at most
 * TEXT_SHOWN bytes with the NUL. A string is one that the user typed: its
 * backslashes are shown as they are, and "..." in place of text_credentials();
 * text_shown_url() is for what should be a URL.
 */
#define TEXT_SHOWN 256
const char *text_shown(const char *text);
const char *text_shown_url(const char *text);
const char *text_shown_bytes(const void *bytes, size_t n);

/* Finds what may be the credentials of a URL in n bytes: between "://" and the
 * last "@" or, if the text is_url, at its beginning. Returns them with their
 * *length, or NULL if there are none. URLs and headers that are printed go
 * through this. */
const char *text_credentials(
    const char *bytes, size_t n, bool is_url, size_t *length);

/* snprintf(3) into such a buffer. */
const char *text_format(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * text_escape for a stream to a terminal: LF, CRLF, tab and backslash stay
 * unchanged. Sets *used to how many of n bytes were consumed (unless last is
 * set, an incomplete UTF-8 sequence or CRLF at the end stays for the next call)
 * and returns how many were written to dst, which needs 4 bytes for each of n.
 */
size_t text_escape_stream(
    char *dst, const void *bytes, size_t n, bool last, size_t *used);

/* Appends to the string in buf, of size bytes. Returns false if the result was
 * truncated. Strings that are built in pieces use this. */
bool text_append(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool text_append_list(char *buf, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* Returns how many of the n bytes of text fit into a line of columns as whole
 * words, which single spaces separate: at least one word. */
size_t text_fit(const char *text, size_t n, size_t columns);

/* Returns the value of a hexadecimal digit, or -1. */
int text_hex_digit(char c);

#endif
