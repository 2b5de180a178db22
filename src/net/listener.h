/* Server sockets: bind, listen, announce. Streams and datagrams alike. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"
#include "net/unix_path.h"

struct conn;
struct endpoint;
struct err;

struct listener_options {
	struct name_options names;
	struct deadline until; /* of looking a name up */
	int type;              /* SOCK_STREAM or SOCK_DGRAM */
	int64_t backlog;       /* of listen(2); -1: the system's maximum */
	struct sock_options sock;
};

struct listener {
	int *fds;           /* owned, like addrs: one for each address */
	struct addr *addrs; /* what they are bound to */
	size_t count;
	size_t turn;           /* the socket to accept from first next time */
	int type;              /* SOCK_STREAM or SOCK_DGRAM */
	bool is_dual;          /* its IPv6 sockets accept IPv4 too */
	struct unix_path path; /* of a unix socket that was bound here */
};

/*
 * Opens one socket per address of ep. Without a host, or for localhost, these
 * are 127.0.0.1 and ::1 with the same port number (port 0: one that is free on
 * both); "*" is every interface, IPv4 and IPv6 in one socket. A family that
 * the machine lacks is left out unless the user asked for it. A unix path that
 * nobody listens on any more is replaced. The sockets are the listener's and
 * non-blocking; listener_close() closes them. 0, or -1 with *e and nothing
 * open.
 */
int listener_open(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct err *e);

/*
 * The same for a list of addresses: where their port is 0, all get the one
 * that is free for the first.
 */
int listener_open_list(struct listener *l, const struct addr_list *list,
    const struct listener_options *o, struct err *e);

/* Adds an open socket, which becomes the listener's. */
void listener_add(struct listener *l, int fd);

/*
 * One line per address: "listening on 127.0.0.1 port 9999 (TCP)", "receiving on
 * every address, IPv4 and IPv6 (::), port 9999 (UDP)".
 */
void listener_announce(const struct listener *l);

/*
 * Accepts a connection that waits, from the sockets in turn, and fills in *c.
 * A step in -vv. Returns its fd, blocking and the caller's, or -1 with errno:
 * EAGAIN when none waits, else as accept(2).
 */
int listener_accept(struct listener *l, struct conn *c);

/* Closes the sockets and removes the path of a unix socket that was bound here.
 */
void listener_close(struct listener *l);

/* The same; the steps of -vv say why, unless that is NULL. */
void listener_stop(struct listener *l, const char *why);

/* In a child: closes the sockets, and leaves the path. *l is not used any more
 * there. */
void listener_abandon(const struct listener *l);

#endif
