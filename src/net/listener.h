/* Server sockets: bind, listen, announce. Streams and datagrams alike. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/addr.h"
#include "net/sock.h"

struct endpoint;
struct err;

/* Addresses that one listener can be bound to. */
#define LISTENER_MOST 16

struct listener_options {
	int family;      /* AF_INET, AF_INET6 or AF_UNSPEC */
	bool numeric;    /* no name look-ups */
	int type;        /* SOCK_STREAM or SOCK_DGRAM */
	int64_t backlog; /* of listen(2); -1: the system's maximum */
	struct sock_options sock;
};

struct listener {
	int fds[LISTENER_MOST];
	struct addr addrs[LISTENER_MOST];
	size_t count;
	size_t turn;       /* the socket that is asked first next time */
	int type;          /* SOCK_STREAM or SOCK_DGRAM */
	bool is_inherited; /* somebody else opened it: a path stays */
};

/*
 * Opens a socket an address of ep: without a host 127.0.0.1 and ::1, both with
 * the same port number (port 0: one that is free on both); "*" every
 * interface, IPv4 and IPv6 in one socket. A family that the machine lacks is
 * left out where the user did not ask for it. A unix path that nobody listens
 * on any more is replaced. The sockets are the listener's, non-blocking;
 * listener_close() gives them back. 0, or -1 with *e and nothing open.
 */
int listener_open(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct deadline until, struct err *e);

/*
 * The same for a list of addresses, not more than LISTENER_MOST: where their
 * port is 0, all get the one that is free for the first.
 */
int listener_open_list(struct listener *l, const struct addr_list *list,
    const struct listener_options *o, struct err *e);

/* One line an address: "listening on 127.0.0.1 port 9999". */
void listener_announce(const struct listener *l);

/*
 * Takes one connection that waits, from the sockets in turn, and its two
 * addresses. A step in -vv. Its fd, blocking and the caller's, or -1 with
 * errno: EAGAIN when none waits, else as accept(2).
 */
int listener_accept(
    struct listener *l, struct addr *local, struct addr *remote);

/* Closes the sockets and removes a unix socket's path. */
void listener_close(struct listener *l);

/* In a child: closes the sockets, and leaves the path and *l, which is of no
 * use to it from then on. */
void listener_abandon(const struct listener *l);

#endif
