/* Inherited listening sockets (socket activation). */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

struct err;
struct listener;

/*
 * Fills *l with the inherited sockets that text names: a descriptor number, or
 * "systemd" for those that LISTEN_PID and LISTEN_FDS announce
 * (sd_listen_fds(3)), which are then removed from the environment. Each must be
 * a listening stream socket. They become close-on-exec and non-blocking; the
 * listener owns them. Returns 0, or -1 with *e set: ERR_USAGE or ERR_LOCAL.
 */
int inherited_sockets(struct listener *l, const char *text, struct err *e);

#endif
