/* Bytes as a user types them: text with escapes, hexadecimal, templates. */
#ifndef BASE_LITERAL_H
#define BASE_LITERAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/*
 * Sets *byte to the value of the escape that begins with the backslash at text,
 * of n bytes: \n, \r, \t, \0, \e, \\ or \xHH. Returns the length of the escape,
 * or 0 if it is another one.
 */
size_t literal_escape(const char *text, size_t n, unsigned char *byte);

/* The error text for an unknown escape. */
#define LITERAL_BAD_ESCAPE \
	"an unknown escape (there are \\n \\r \\t \\0 \\e \\\\ \\xHH)"

/* Converts n bytes of text with these escapes into dst, of n bytes, which may
 * be text. Returns their number, or -1 with a usage error that says where. */
ssize_t literal_unescape(void *dst, const void *text, size_t n, struct err *e);

/* As literal_unescape(), from hexadecimal: two digits for each byte; white
 * space, or one colon, may separate bytes. */
ssize_t literal_parse_hex(void *dst, const void *text, size_t n, struct err *e);

/*
 * A template of an answer has placeholders, "Hello, %s!", and may contain these
 * escapes; an escaped percent sign stands for itself.
 *
 *	%s  the message       %n  its number, from 1
 *	%a  the peer's address    %p  the peer's port    %%  a percent sign
 */
struct literal_values {
	/* The message, and its length in bytes. */
	const void *message;
	size_t length;
	/* The address of the peer as text, and its port. */
	const char *ip;
	unsigned port;
	/* The number of the message. */
	uint64_t number;
};

/* Checks a template. Returns 0, or -1 with a usage error. */
int literal_check(const char *text, struct err *e);

/* Replaces the placeholders of a template that was checked. Returns the number
 * of bytes in dst, or -1 if they exceed size. */
ssize_t literal_fill(
    const char *text, const struct literal_values *v, void *dst, size_t size);

#endif
