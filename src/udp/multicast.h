/* Multicast groups: parsing, joining, and options for sending. */
#ifndef UDP_MULTICAST_H
#define UDP_MULTICAST_H

#include <stdint.h>

#include "net/addr.h"

struct err;

/* A group and its interface. */
struct multicast_group {
	struct addr addr;
	unsigned interface; /* 0: the system chooses */
};

/*
 * Parses GROUP or GROUP%INTERFACE, the name or number of an interface.
 * Returns 0, or -1 with a usage error, or ERR_LOCAL for an interface that is
 * missing.
 */
int multicast_parse(struct multicast_group *g, const char *text, struct err *e);

/* Parses an interface's name or number into an unsigned int, as an option's
 * value (cli/opt.h). Returns as multicast_parse() does. */
int multicast_parse_interface(void *interface, const char *text, struct err *e);

/*
 * Joins a group on a bound socket of its family (RFC 1112, RFC 3810). Closing
 * the socket leaves the group. Returns 0, or -1 with *e.
 */
int multicast_join(int fd, const struct multicast_group *g, struct err *e);

/* How datagrams to groups are sent. */
struct multicast_options {
	int64_t ttl; /* maximum number of routers, plus 1; -1: default, 1 */
	unsigned interface; /* 0: the system chooses */
	int no_loop;        /* 1: this machine does not receive them */
};

/* Sets the options of *o on a socket. Returns 0, or -1 with *e. */
int multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e);

#endif
