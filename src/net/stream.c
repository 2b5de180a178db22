/* Sends, receives and ends on stream sockets, within limits. */
#include "net/stream.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "net/conn_event.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* The number of bytes that a peer may send after this side's FIN. */
#define DRAIN_BYTES (8 * 1024 * 1024)

/*
 * Waits until fd is ready. *idle is the end of the idle limit; it moves forward
 * while the peer acknowledges bytes, which no event reports.
 */
static enum stream_end
wait_ready(const struct stream *s, short events, struct deadline *idle)
{
	uint64_t unacked = s->idle_ms < 0 ? 0 : sock_unacked_bytes(s->fd), left;
	struct deadline limit, check;
	int ready;

	do {
		limit = deadline_first(s->until, *idle);
		check = unacked == 0 ? deadline_none()
				     : deadline_after(s->idle_ms / 8 + 1);
		ready = wait_fd(s->fd, events, deadline_first(limit, check));
		if (ready != 0)
			return ready > 0 ? STREAM_DONE : STREAM_STOPPED;
		left = unacked == 0 ? 0 : sock_unacked_bytes(s->fd);
		if (left < unacked)
			*idle = deadline_after(s->idle_ms);
		unacked = left;
	} while (!deadline_passed(deadline_first(s->until, *idle)));
	return STREAM_LIMIT;
}

enum stream_end
stream_send(const struct stream *s, const void *bytes, size_t n, uint64_t *sent)
{
	struct deadline idle = deadline_after(s->idle_ms);
	const unsigned char *p = bytes;
	enum stream_end end;
	ssize_t done;

	while (n > 0) {
		if (deadline_passed(s->until))
			return STREAM_LIMIT;
		/* Without a wait, this is what ends at a limit. */
		deadline_looked(clock_now());
		done = sock_send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done >= 0) {
			*sent += (uint64_t)done;
			p += done;
			n -= (size_t)done;
			idle = deadline_after(s->idle_ms);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return STREAM_LOST;
		end = wait_ready(s, POLLOUT, &idle);
		if (end != STREAM_DONE)
			return end;
	}
	return STREAM_DONE;
}

enum stream_end
stream_receive(const struct stream *s, void *space, size_t size, size_t *got)
{
	bool has_limit = s->idle_ms >= 0 || deadline_is_set(s->until);
	/* Without a limit, a blocking socket need not be polled first. */
	int flags = s->receive_flags | (has_limit ? MSG_DONTWAIT : 0);
	struct deadline idle = deadline_after(s->idle_ms);
	enum stream_end end = STREAM_DONE;
	ssize_t n;

	while (end == STREAM_DONE) {
		if (deadline_passed(s->until))
			return STREAM_LIMIT;
		deadline_looked(clock_now());
		n = sock_recv(s->fd, space, size, flags);
		if (n >= 0) {
			*got = (size_t)n;
			return n > 0 ? STREAM_DONE : STREAM_ENDED;
		}
		if (errno != EAGAIN && errno != EINTR)
			return STREAM_LOST;
		end = wait_ready(s, POLLIN, &idle);
	}
	return end;
}

int
stream_finish(int fd, struct conn_summary *s)
{
	struct os_tcp tcp;

	/* The peer's FIN may have arrived unread, behind other data. */
	if (s->first == CONN_FIRST_NOBODY)
		s->first = os_tcp_info(fd, &tcp) &&
				   (tcp.peer_finished || tcp.is_closed)
			       ? CONN_FIRST_PEER
			       : CONN_FIRST_US;
	s->is_fin_sent = true;
	return sock_finish(fd);
}

void
stream_note_fin(struct conn_summary *s)
{
	s->is_fin_received = true;
	if (s->first == CONN_FIRST_NOBODY)
		s->first = CONN_FIRST_PEER;
}

int
stream_discard(int fd, size_t *dropped)
{
	char drop[64 * 1024];
	ssize_t n = sock_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	*dropped += (size_t)n;
	return n == 0 ? 0 : *dropped < DRAIN_BYTES ? 1 : -1;
}

void
stream_drain(int *fd, struct deadline until, struct conn_summary *s)
{
	size_t dropped = 0;
	int more = 1;

	if (*fd >= 0 && (s->is_fin_sent || stream_finish(*fd, s) == 0) &&
	    !s->is_fin_received) {
		do
			more = stream_discard(*fd, &dropped);
		while (more > 0 && wait_fd(*fd, POLLIN, until) > 0);
	}
	if (more == 0)
		stream_note_fin(s);
	sock_close(fd);
}
