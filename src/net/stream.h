/* Sending all bytes, and waiting for some, on a stream socket under limits. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

struct stream {
	int fd;                /* the caller's */
	struct deadline until; /* end of everything */
	int64_t idle_ms;       /* longest time without a byte; -1: no limit */
	int receive_flags;     /* of recv(2): MSG_PEEK, or 0 */
};

enum stream_end {
	STREAM_DONE,    /* all were sent; some were received */
	STREAM_ENDED,   /* the peer has finished: nothing more comes */
	STREAM_LIMIT,   /* until or idle_ms has passed */
	STREAM_STOPPED, /* errno: EINTR for a caught signal */
	STREAM_LOST     /* errno: why */
};

/* Sends all n bytes. *sent grows by what the system accepted, in any case. */
enum stream_end stream_send(
    const struct stream *s, const void *bytes, size_t n, uint64_t *sent);

/*
 * Waits for bytes and receives at most size; *got is how many. Once until has
 * passed it is STREAM_LIMIT although bytes are there.
 */
enum stream_end stream_receive(
    const struct stream *s, void *space, size_t size, size_t *got);

#endif
