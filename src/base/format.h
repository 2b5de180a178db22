/*
 * An answer with places to be filled in, as a user types it: "Hello, %s!".
 *
 *	%s  the message       %n  its number, from 1
 *	%a  the peer's address    %p  the peer's port    %%  a percent sign
 *
 * The escapes of text_unescape() (base/text.h) may stand in it too.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Ready to be filled in; format_release() is due. */
struct format {
	unsigned char *bytes; /* owned: the fixed text; a place is two bytes,
				 '%' and its letter */
	size_t length;
	bool uses_message; /* %s stands in it */
	bool uses_ip;      /* %a stands in it: else v->ip is not looked at */
	bool uses_number;  /* %n stands in it */
};

/* What goes into the places. */
struct format_values {
	const void *message;
	size_t length;   /* of the message */
	const char *ip;  /* the peer's address as text, or "" */
	unsigned port;   /* and its port */
	uint64_t number; /* of the message */
};

/* Takes the text apart. 0, or -1 with a usage error and nothing to release. */
int format_parse(struct format *f, const char *text, struct err *e);

/*
 * Fills it in. Returns the number of bytes in dst, or -1 when size does not
 * hold them.
 */
ssize_t format_fill(const struct format *f, const struct format_values *v,
    void *dst, size_t size);

void format_release(struct format *f);

#endif
