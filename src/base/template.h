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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* A parsed template; call template_release() afterwards. */
struct template
{
	unsigned char *bytes; /* owned: the fixed text; a placeholder is two
				 bytes, '%' and its letter */
	size_t length;
	bool uses_message; /* it contains %s */
	bool uses_ip;      /* it contains %a; otherwise v->ip is not used */
};

/* The values of the placeholders. */
struct template_values {
	const void *message;
	size_t length;   /* of the message */
	const char *ip;  /* the peer's address as text, or "" */
	unsigned port;   /* and its port */
	uint64_t number; /* of the message */
};

/* Parses text. Returns 0, or -1 with a usage error and nothing to release. */
int template_parse(struct template *f, const char *text, struct err *e);

/*
 * Replaces the placeholders. Returns the number of bytes in dst, or -1 if they
 * exceed size.
 */
ssize_t template_fill(const struct template *f, const struct template_values *v,
    void *dst, size_t size);

void template_release(struct template *f);

#endif
