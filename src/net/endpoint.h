/* An endpoint as a user types it: a name and a port, or a Unix socket. */
#ifndef NET_ENDPOINT_H
#define NET_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct err;

/* The longest name in the DNS (RFC 1035 2.3.4), with its NUL. */
#define ENDPOINT_HOST 256

struct endpoint {
	/* A name or a numeric address, without brackets. "" is no host, "*"
	 * is any. */
	char host[ENDPOINT_HOST];
	uint16_t port;
	/* It is a Unix socket: only its address is set. */
	bool is_unix;
	struct addr unix_addr;
};

/*
 * Parses one or two operands, or an option's value (count 0): HOST PORT, but
 * not as a value, HOST:PORT, [IPV6]:PORT, [IPV6%SCOPE]:PORT, unix:PATH,
 * unix:@NAME. PORT is 1-65535 or a service name of protocol ("tcp", "udp").
 * Returns 0, or -1 with a usage error.
 */
int endpoint_parse(struct endpoint *ep, char *const *operands, int count,
    const char *protocol, struct err *e);

/*
 * As endpoint_parse(), for a server: PORT alone, ADDRESS PORT, ADDRESS:PORT,
 * '*' PORT, *:PORT, :PORT, unix:PATH. PORT may be 0. Without operands, port is
 * used.
 */
int endpoint_parse_local(struct endpoint *ep, char *const *operands, int count,
    const char *protocol, uint16_t port, struct err *e);

/* Returns how many operands endpoint_parse() uses if others follow: 2 for HOST
 * PORT, otherwise 1. */
int endpoint_operands(char *const *operands, int count);

/* Checks that host can be a name or an address: no brackets, no numbers and
 * dots that are not a dotted quad. Returns 0, or -1 with a usage error. */
int endpoint_check_host(const char *host, struct err *e);

/* Whether the host is name, or a name under it: each one under "localhost" is
 * the loopback (RFC 6761 6.3). */
bool endpoint_is_under(const struct endpoint *ep, const char *name);

/* Returns "HOST port N" or "unix:PATH", escaped, in a buffer of text_slot(). */
const char *endpoint_text(const struct endpoint *ep);

#endif
