/* Sockets inherited from the process that started sockt: --fd. */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

#include <stdbool.h>

struct err;
struct listener;

struct inherited_options {
	const char *text; /* a descriptor's number, or "systemd" */
	int type;         /* SOCK_STREAM or SOCK_DGRAM */
	/* The error if standard input or output is the socket; NULL: they are
	 * not used. */
	const char *stdio_error;
};

/*
 * Fills *l with the inherited sockets that o->text names; "systemd" means those
 * that LISTEN_PID and LISTEN_FDS announce (sd_listen_fds(3)), which are then
 * removed from the environment. A stream socket listens, or it is connected and
 * the only one: a connection that inetd(8) or systemd has accepted. A datagram
 * socket is bound. They become close-on-exec and, except for a connection,
 * non-blocking. If standard input, output or error is the same socket, as
 * inetd(8) starts a server, that descriptor becomes a placeholder, so that no
 * message is sent to a peer. The listener owns the sockets. Returns 0, or -1
 * with *e set: ERR_USAGE or ERR_LOCAL.
 */
int inherited_sockets(
    struct listener *l, const struct inherited_options *o, struct err *e);

/*
 * Whether text, the argument of --fd or NULL, means that a service manager has
 * started sockt and starts it again when the next client connects.
 */
bool inherited_is_activated(const char *text);

#endif
