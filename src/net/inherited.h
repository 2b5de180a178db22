/* Listening sockets that were inherited: socket activation. */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

struct err;
struct listener;

/*
 * Fills *l with the inherited sockets that text names: the number of a
 * descriptor, or "systemd" for what LISTEN_PID and LISTEN_FDS announce
 * (sd_listen_fds(3)); these variables are removed then. Each must be a
 * listening stream socket. They are made close-on-exec and non-blocking, and
 * become the listener's. 0, or -1 with *e, ERR_USAGE or ERR_LOCAL.
 */
int inherited_sockets(struct listener *l, const char *text, struct err *e);

#endif
