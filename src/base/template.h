/*
 * A template of an answer with placeholders, as a user types it: "Hello, %s!".
 *
 *	%s  the message       %n  its number, from 1
 *	%a  the peer's address    %p  the peer's port    %%  a percent sign
 *
 * It may also contain the escapes of literal_unescape() (base/literal.h); an
 * escaped percent sign stands for itself.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* The values of the placeholders. */
struct template_values {
	const void *message;
	size_t length;   /* of the message */
	const char *ip;  /* the peer's address as text; "" if nothing uses it */
	unsigned port;   /* and its port */
	uint64_t number; /* of the message */
};

/* Checks a template. Returns 0, or -1 with a usage error. */
int template_check(const char *text, struct err *e);

/*
 * Replaces the placeholders of a template that was checked. Returns the number
 * of bytes in dst, or -1 if they exceed size.
 */
ssize_t template_fill(
    const char *text, const struct template_values *v, void *dst, size_t size);

#endif
