/* Sends and receives on stream sockets, within limits. */
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link.h"
#include "net/os.h"
#include "net/sock.h"

/* The clock is checked after at most this many bytes of a file. */
#define FILE_PIECE (1024 * 1024)

/* Waits until the socket is ready. */
static enum stream_end
wait_ready(const struct stream *s, short events)
{
	int ready =
	    link_wait(s->link, s->link->fd, events, s->idle_ms, s->until);

	return ready > 0    ? STREAM_DONE
	       : ready == 0 ? STREAM_LIMIT
			    : STREAM_STOPPED;
}

/* Sends at most n bytes of a file from *at; returns as os_send_file(). */
static ssize_t
send_piece(int fd, int file, off_t *at, size_t n)
{
	static char piece[64 * 1024];
	ssize_t done = os_send_file(fd, file, at, n);

	if (done >= 0 || errno != ENOTSUP)
		return done;
	done = pread(file, piece, n < sizeof(piece) ? n : sizeof(piece), *at);
	if (done > 0)
		done = sock_send(
		    fd, piece, (size_t)done, MSG_DONTWAIT | MSG_NOSIGNAL);
	*at += done > 0 ? done : 0;
	return done;
}

/* Sends n bytes at p or, if that is NULL, those of a file. */
static enum stream_end
send_all(const struct stream *s, const unsigned char *p, int file, off_t at,
    uint64_t n, uint64_t *sent)
{
	enum stream_end end;
	ssize_t done;

	s->link->moved_ns = clock_now();
	while (n > 0) {
		if (deadline_passed(s->until))
			return STREAM_LIMIT;
		/* Limits must hold although no call waits. */
		deadline_looked(clock_now());
		if (p != NULL)
			done = sock_send(s->link->fd, p, (size_t)n,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			done = send_piece(s->link->fd, file, &at,
			    n < FILE_PIECE ? (size_t)n : FILE_PIECE);
		if (done == 0 && p == NULL)
			return STREAM_ENDED;
		if (done >= 0) {
			*sent += (uint64_t)done;
			p = p == NULL ? NULL : p + done;
			n -= (uint64_t)done;
			s->link->moved_ns = clock_now();
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return STREAM_LOST;
		end = wait_ready(s, POLLOUT);
		if (end != STREAM_DONE)
			return end;
	}
	return STREAM_DONE;
}

enum stream_end
stream_send(const struct stream *s, const void *bytes, size_t n, uint64_t *sent)
{
	return send_all(s, bytes, -1, 0, n, sent);
}

enum stream_end
stream_send_file(
    const struct stream *s, int file, off_t at, uint64_t n, uint64_t *sent)
{
	return send_all(s, NULL, file, at, n, sent);
}

enum stream_end
stream_receive(const struct stream *s, void *space, size_t size, size_t *got)
{
	bool has_limit = s->idle_ms >= 0 || deadline_is_set(s->until);
	/* Without a limit, a blocking socket need not be polled first. */
	int flags = s->receive_flags | (has_limit ? MSG_DONTWAIT : 0);
	enum stream_end end = STREAM_DONE;
	ssize_t n;

	s->link->moved_ns = clock_now();
	while (end == STREAM_DONE) {
		if (deadline_passed(s->until))
			return STREAM_LIMIT;
		deadline_looked(clock_now());
		n = sock_recv(s->link->fd, space, size, flags);
		if (n >= 0) {
			*got = (size_t)n;
			return n > 0 ? STREAM_DONE : STREAM_ENDED;
		}
		if (errno != EAGAIN && errno != EINTR)
			return STREAM_LOST;
		end = wait_ready(s, POLLIN);
	}
	return end;
}
