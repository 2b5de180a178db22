/*
 * The end of what is sent: FIN, by shutdown(2) (RFC 9293 3.6). Every FIN that
 * is not that of a close(2) is sent here.
 */
#ifndef NET_SHUTDOWN_H
#define NET_SHUTDOWN_H

#include "base/deadline.h"

/* Sends FIN; receiving goes on. A step in -vv. 0, or -1 with errno. */
int shutdown_write(int fd);

/* The time limit for shutdown_and_drain() when everything has been sent. */
#define SHUTDOWN_DRAIN_MS 2000

/*
 * The end of a served connection: sends FIN, then reads and drops what the
 * peer still sends until it finishes, the deadline passes or a caught signal
 * comes; then closes. Closing on unread input would be an RST, which can
 * destroy the last bytes in transit (RFC 9112 9.6). Sets *fd to -1.
 */
void shutdown_and_drain(int *fd, struct deadline until);

#endif
