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
	/* The limit of the name lookup. */
	struct deadline until;
	/* SOCK_STREAM or SOCK_DGRAM. */
	int type;
	/* The backlog of listen(2); -1 is the maximum of the system. */
	int64_t backlog;
	/* The addresses to bind to instead of an endpoint, or NULL. */
	const struct addr_list *list;
	/* The permissions of the path of a Unix socket; with -1 the umask
	 * decides. */
	int mode;
	/* --fd: the sockets to inherit, the number of a descriptor or
	 * "systemd"; NULL for none. */
	const char *fd;
	/* The error if standard input or output is an inherited socket. NULL
	 * if they may be, because nothing else uses them. */
	const char *stdio_error;
};

struct listener {
	/* The sockets and the addresses they are bound to, count of each. Both
	 * arrays are owned. */
	int *fds;
	struct addr *addrs;
	size_t count;
	/* The index of the socket that the next accept tries first. */
	size_t turn;
	/* SOCK_STREAM or SOCK_DGRAM. */
	int type;
	/* The system has chosen the port, as port 0 was requested. */
	bool is_port_chosen;
	/* The sockets are inherited from systemd(1), which starts sockt again
	 * when the next client connects. */
	bool is_from_systemd;
	/* The only socket is an accepted connection. */
	bool is_connection;
	/* The peer of that connection. Once it is reset, the system no longer
	 * knows it. */
	struct addr peer;
	/* listener_close() removes the path of a Unix socket, if the file there
	 * is still the one with this device and inode. In a child, clear
	 * owns_path first, or the path is removed. */
	bool owns_path;
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

/* Prints a line for each address, "listening on 127.0.0.1 port 9999 (TCP)",
 * with -v, on a terminal, or if the system has chosen the port. Prints nothing
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
 * Closes the sockets, and with owns_path removes the path of a Unix socket;
 * warns if it cannot. why is for the steps of -vv: see sock_close_note().
 */
void listener_close(struct listener *l, const char *why);

/* Whether the effective user may remove the path of a Unix socket. */
bool listener_may_remove(const struct listener *l);

#endif
