/* Server sockets, stream and datagram: bind or inherit, listen, announce. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"

struct endpoint;
struct err;
struct link;

struct listener_options {
	const struct name_options *names;
	const struct sock_options *sock;
	struct deadline until; /* limit of the name lookup */
	int type;              /* SOCK_STREAM or SOCK_DGRAM */
	int64_t backlog;       /* of listen(2); -1: the system's maximum */
	const struct addr_list *list; /* instead of an endpoint; NULL: none */
	int mode; /* permissions of a Unix socket's path; -1: by the umask */
	/* --fd: the sockets to inherit, a descriptor's number or "systemd";
	   NULL: none. */
	const char *fd;
	/* The error if standard input or output is that socket; NULL: they are
	   not used. */
	const char *stdio_error;
};

struct listener {
	int *fds;           /* owned, like addrs: one for each address */
	struct addr *addrs; /* the addresses they are bound to */
	size_t count;
	size_t turn; /* index of the socket to try first at the next accept */
	int type;    /* SOCK_STREAM or SOCK_DGRAM */
	bool is_port_chosen; /* by the system: port 0 was asked for */
	bool is_activated;   /* by a service manager, which starts sockt again
				when the next client connects */
	bool is_connection;  /* its socket is an accepted connection */
	struct addr peer;    /* of that connection: once it is reset, the
				system no longer knows it */
	bool owns_path;      /* of a Unix socket; the file at it is this: */
	dev_t device;
	ino_t inode;
};

/*
 * Opens one socket per address of ep. Without a host, or for localhost, these
 * are 127.0.0.1 and ::1 with one port number (port 0: one that is free on
 * both); "*" is every interface, IPv4 and IPv6 in one socket. A family that the
 * machine lacks is skipped unless the user asked for it. A Unix socket at which
 * nobody listens or receives is replaced; other files never are. The addresses
 * of o->list get the port that is free for the first, if theirs is 0.
 *
 * With o->fd it inherits sockets instead: "systemd" means the sockets that
 * LISTEN_PID and LISTEN_FDS announce (sd_listen_fds(3)); both variables are
 * then removed. A stream socket listens, or it is connected and the only one: a
 * connection that inetd(8) or systemd has accepted (is_connection). A datagram
 * socket is bound. They become close-on-exec. If standard input, output or
 * error is also this socket, as inetd(8) starts a server, it becomes a
 * placeholder, so that no message is sent to a peer.
 *
 * The listener owns the sockets, which are non-blocking, except for a
 * connection; listener_close() closes them. Returns 0, or -1 with *e set and
 * nothing open.
 */
int listener_open(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct err *e);

/* With -v, on a terminal, or if the system has chosen the port, prints a line
 * for each address, such as "listening on 127.0.0.1 port 9999 (TCP)"; and none
 * for a connection. */
void listener_announce(const struct listener *l);

/*
 * Accepts a pending connection, from the sockets in turn, a step of -vv; or
 * hands on the one that was inherited, after which the listener has no socket.
 * Returns 0 with *c, the caller's, whose fd is blocking; or -1 with errno:
 * EAGAIN if none is pending, otherwise as accept(2).
 */
int listener_accept(struct listener *l, struct link *c);

/*
 * Closes the sockets, and removes the path of a Unix socket that
 * listener_open() bound if it is still that file; warns if it cannot. A child
 * that keeps the path clears owns_path first. why: see sock_close_note().
 */
void listener_close(struct listener *l, const char *why);

/* Whether the effective user may remove the path of a Unix socket. */
bool listener_may_remove(const struct listener *l);

#endif
