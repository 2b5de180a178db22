/*
 * An answer with places to be filled in, as a user types it: "Hello, %s!".
 *
 *	%s  the message       %n  its number, from 1
 *	%a  the peer's address    %p  the peer's port    %%  a percent sign
 *
 * The escapes of text_unescape() (base/text.h) may stand in it too.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Ready to be filled in; call template_release() afterwards. */
struct template
{
	unsigned char *bytes; /* owned: the fixed text; a place is two bytes,
				 '%' and its letter */
	size_t length;
	bool uses_message; /* %s stands in it */
	bool uses_ip;      /* %a stands in it: else v->ip is not looked at */
	bool uses_number;  /* %n stands in it */
};

/* What goes into the places. */
struct template_values {
	const void *message;
	size_t length;   /* of the message */
	const char *ip;  /* the peer's address as text, or "" */
	unsigned port;   /* and its port */
	uint64_t number; /* of the message */
};

/* Takes the text apart. 0, or -1 with a usage error and nothing to release. */
int template_parse(struct template *f, const char *text, struct err *e);

/*
 * Fills it in. Returns the number of bytes in dst, or -1 when size does not
 * hold them.
 */
ssize_t template_fill(const struct template *f, const struct template_values *v,
    void *dst, size_t size);

void template_release(struct template *f);

#endif
