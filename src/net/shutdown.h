/*
 * Sends FIN with shutdown(2) (RFC 9293 3.6). Every FIN that does not come from
 * close(2) is sent here.
 */
#ifndef NET_SHUTDOWN_H
#define NET_SHUTDOWN_H

#include <stddef.h>

#include "base/deadline.h"

struct conn_summary;

/*
 * Sends FIN; receiving continues. Returns 0, or -1 with errno. Records in *s
 * that the FIN was sent, and who finished first: the peer if its FIN has
 * arrived, as far as the system reports it. If the two FINs cross, each side
 * was first.
 */
int shutdown_write(int fd, struct conn_summary *s);

/* Records in *s that the peer's FIN was received. */
void shutdown_received(struct conn_summary *s);

/*
 * Discards received bytes, a piece at a time; counts them in *dropped, which
 * begins with 0. Returns 1 if more may come; 0 if the peer has finished; -1 if
 * the connection is lost, or the peer has sent more than a drain discards.
 */
int shutdown_discard(int fd, size_t *dropped);

/* The time limit for shutdown_and_drain() when everything has been sent. */
#define SHUTDOWN_DRAIN_MS 2000

/*
 * Ends a served connection: sends FIN if necessary, reads and discards until
 * the peer finishes, the deadline passes or a caught signal arrives, then
 * closes. Closing with unread input would send RST, which can destroy the last
 * bytes in transit (RFC 9112 9.6). Sets *fd to -1.
 */
void shutdown_and_drain(int *fd, struct deadline until, struct conn_summary *s);

#endif
