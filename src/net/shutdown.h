/*
 * The end of what is sent: FIN, by shutdown(2) (RFC 9293 3.6). Every FIN that
 * is not that of a close(2) is sent here.
 */
#ifndef NET_SHUTDOWN_H
#define NET_SHUTDOWN_H

#include "base/deadline.h"

struct conn_summary;

/*
 * Sends FIN; receiving goes on. 0, or -1 with errno. *s notes that, and who
 * finished first: where s->wants_order is set, by the order in which the two
 * FINs were sent, as far as the system reports it; both ends agree on that.
 */
int shutdown_write(int fd, struct conn_summary *s);

/* Notes in *s that the peer's FIN has been received. */
void shutdown_received(int fd, struct conn_summary *s);

/* The time limit for shutdown_and_drain() when everything has been sent. */
#define SHUTDOWN_DRAIN_MS 2000

/*
 * The end of a served connection: sends FIN, if it was not sent; reads and
 * drops what the peer still sends until it finishes, if it has not, the
 * deadline passes or a caught signal comes; then closes. Closing on unread
 * input would be an RST, which can destroy the last bytes in transit (RFC
 * 9112 9.6). Sets *fd to -1.
 */
void shutdown_and_drain(int *fd, struct deadline until, struct conn_summary *s);

#endif
