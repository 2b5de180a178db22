/* Multicast groups: naming, joining, and sending to them. */
#ifndef UDP_MULTICAST_H
#define UDP_MULTICAST_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct err;

/* A group and the interface where it is meant. */
struct multicast_group {
	struct addr addr;
	unsigned interface; /* 0: the system chooses */
};

/*
 * GROUP or GROUP%IF, IF being an interface's name or number. 0, or -1 with a
 * usage error.
 */
int multicast_parse(struct multicast_group *g, const char *text, struct err *e);

/* An interface's name or number. 0, or -1 with a usage error. */
int multicast_parse_interface(
    unsigned *interface, const char *text, struct err *e);

/*
 * Joins it on a bound socket of its family (RFC 1112, RFC 3810); closing the
 * socket leaves it. 0, or -1 with *e.
 */
int multicast_join(int fd, const struct multicast_group *g, struct err *e);

/* How datagrams to groups are sent. */
struct multicast_options {
	int64_t ttl;        /* routers that may be passed, + 1; -1: one hop */
	unsigned interface; /* 0: the system chooses */
	int no_loop;        /* 1: this machine does not receive them itself */
};

/* Sets what *o names on a socket. 0, or -1 with *e. */
int multicast_set(
    int fd, int family, const struct multicast_options *o, struct err *e);

#endif
