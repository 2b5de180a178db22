/*
 * A stream socket: sends all bytes, or waits for some, within limits.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct link;

struct stream {
	struct link *link;     /* the caller's */
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
 * Sends n bytes of a file from offset at as stream_send() does; the socket must
 * be non-blocking. STREAM_ENDED: the file is shorter.
 */
enum stream_end stream_send_file(
    const struct stream *s, int file, off_t at, uint64_t n, uint64_t *sent);

/*
 * Waits for bytes and receives at most size; sets *got to their number. After
 * until has passed it returns STREAM_LIMIT even if bytes are available.
 */
enum stream_end stream_receive(
    const struct stream *s, void *space, size_t size, size_t *got);

#endif
