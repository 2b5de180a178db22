/* Sends FIN, and drains what still comes before it closes. */
#include "net/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "net/call.h"
#include "net/conn_event.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* What a peer may send after this side's FIN before the connection is closed.
 */
#define DRAIN_BYTES (8 * 1024 * 1024)

/*
 * Who finished first, by the states before and after this side sent its FIN
 * (RFC 9293 3.6). The last segments of a connection that is closed meanwhile
 * came in between: the peer's FIN alone, in answer to that one; or that one
 * alone, in answer to the peer's; or a FIN and an acknowledgement of each.
 */
static enum conn_first
find_first(const struct os_tcp *before, const struct os_tcp *after)
{
	if (before->peer_finished || before->is_closed || after->peer_finished)
		return CONN_FIRST_PEER;
	if (after->is_crossing)
		return CONN_FIRST_BOTH;
	if (!after->is_closed || after->acks_in - before->acks_in == 1)
		return CONN_FIRST_US;
	return after->acks_out - before->acks_out == 1 ? CONN_FIRST_PEER
						       : CONN_FIRST_BOTH;
}

int
shutdown_write(int fd, struct conn_summary *s)
{
	struct os_tcp before, after;
	bool is_known = s->wants_order && s->first == CONN_FIRST_NOBODY &&
			os_tcp_info(fd, &before);
	int result = call_shutdown(fd, SHUT_WR), saved = errno;

	s->is_fin_sent = true;
	if (s->first == CONN_FIRST_NOBODY)
		s->first = is_known && os_tcp_info(fd, &after)
			       ? find_first(&before, &after)
			       : CONN_FIRST_US;
	errno = saved;
	return result;
}

void
shutdown_received(int fd, struct conn_summary *s)
{
	struct os_tcp tcp;

	s->is_fin_received = true;
	if (s->first == CONN_FIRST_NOBODY)
		s->first = CONN_FIRST_PEER;
	else if (s->first == CONN_FIRST_US && s->wants_order &&
		 os_tcp_info(fd, &tcp) && tcp.is_crossing)
		s->first = CONN_FIRST_BOTH;
}

/* Reads and drops until the peer finishes or a limit passes. */
static void
drain(int fd, struct deadline until, struct conn_summary *s)
{
	size_t dropped = 0;
	static char drop[4096]; /* static: see net/spawn.h */
	ssize_t n;

	while (dropped < DRAIN_BYTES) {
		n = call_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);
		if (n == 0)
			shutdown_received(fd, s);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (n < 0 && wait_fd(fd, POLLIN, until) <= 0)
			break;
		dropped += n > 0 ? (size_t)n : 0;
	}
}

void
shutdown_and_drain(int *fd, struct deadline until, struct conn_summary *s)
{
	if (*fd < 0)
		return;
	if ((s->is_fin_sent || shutdown_write(*fd, s) == 0) &&
	    !s->is_fin_received)
		drain(*fd, until, s);
	sock_close(fd);
}
