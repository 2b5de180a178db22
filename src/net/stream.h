/*
 * A stream socket: sends all bytes, or waits for some, within limits; sends FIN
 * with shutdown(2) (RFC 9293 3.6), and drains the input before closing.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct conn_summary;

struct stream {
	int fd;                /* the caller's */
	struct deadline until; /* limit of all calls */
	int64_t idle_ms;       /* longest time without progress; -1: no limit */
	int receive_flags;     /* flags of recv(2): MSG_PEEK, or 0 */
};

enum stream_end {
	STREAM_DONE,    /* all were sent; some were received */
	STREAM_ENDED,   /* the peer has finished: end of file */
	STREAM_LIMIT,   /* until or idle_ms has passed */
	STREAM_STOPPED, /* errno: EINTR for a caught signal */
	STREAM_LOST     /* errno: why */
};

/*
 * Sends all n bytes. Adds the number that the system accepted to *sent, even on
 * failure.
 */
enum stream_end stream_send(
    const struct stream *s, const void *bytes, size_t n, uint64_t *sent);

/*
 * Waits for bytes and receives at most size; sets *got to their number. After
 * until has passed it returns STREAM_LIMIT even if bytes are available.
 */
enum stream_end stream_receive(
    const struct stream *s, void *space, size_t size, size_t *got);

/*
 * Sends FIN; receiving continues. Returns 0, or -1 with errno. Records in *s
 * that the FIN was sent, and who finished first: the peer if its FIN has
 * arrived, as far as the system reports it. If the two FINs cross, each side
 * was first.
 */
int stream_finish(int fd, struct conn_summary *s);

/* Records in *s that the peer's FIN was received. */
void stream_note_fin(struct conn_summary *s);

/*
 * Discards received bytes, a piece at a time; counts them in *dropped, which
 * begins with 0. Returns 1 if more may come; 0 if the peer has finished; -1 if
 * the connection is lost, or the peer has sent more than a drain discards.
 */
int stream_discard(int fd, size_t *dropped);

/* The time limit for stream_drain() when everything has been sent. */
#define STREAM_DRAIN_MS 2000

/*
 * Ends a served connection: sends FIN if necessary, reads and discards until
 * the peer finishes, the deadline passes or a caught signal arrives, then
 * closes. Closing with unread input would send RST, which can destroy the last
 * bytes in transit (RFC 9112 9.6). Sets *fd to -1.
 */
void stream_drain(int *fd, struct deadline until, struct conn_summary *s);

#endif
